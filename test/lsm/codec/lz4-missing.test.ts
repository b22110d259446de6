import { describe, expect, it, vi } from 'vitest';

vi.mock('../../../lsm/codec/lz4.ts', () => ({ lz4: undefined }));

const { decodeBlock, defaultCodec, encodeBlock } = await import('../../../lsm/codec/codecs.ts');

describe('without the library for LZ4', () => {
  it('deflate is the default', () => {
    expect(defaultCodec()).toBe('deflate');
  });

  it('a block that needs it is refused, and it is said what to install', () => {
    const read = () => decodeBlock(new Uint8Array(20), 1, '0000000001.sst', 0);
    expect(read).toThrow(/npm install lz4-napi/);
    expect(read).toThrow(expect.objectContaining({ code: 'CODEC_MISSING' }));
    expect(() => encodeBlock(new Uint8Array(2000), 'lz4')).toThrow(/lz4-napi/);
  });
});
