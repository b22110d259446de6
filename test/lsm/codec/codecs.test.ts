import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBlock, defaultCodec, encodeBlock } from '../../../lsm/codec/codecs.ts';
import { isCorruption } from '../../../lsm/corruption.ts';
import { Codec } from '../../../lsm/sstable/format.ts';
import { openSealed, sealBlock } from '../../../lsm/sstable/sealed-block.ts';

const names = ['lz4', 'deflate', 'none'] as const;
const packing = ['lz4', 'deflate'] as const;

/** Text with repetitions, as readings have them, or noise. */
const blocks = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 30 }), fc.nat(200)).map(([part, times]) => {
    const block = new Uint8Array(part.length * times);
    for (let i = 0; i < times; i++) block.set(part, i * part.length);
    return block;
  }),
);

function decodes(stored: Uint8Array, codec: number): Uint8Array | 'corrupt' {
  try {
    return decodeBlock(stored, codec, 'test', 0);
  } catch (error) {
    if (isCorruption(error)) return 'corrupt';
    throw error;
  }
}

describe('codecs', () => {
  it('give back what was sealed', () => {
    fc.assert(
      fc.property(blocks, fc.constantFrom(...names), (block, name) => {
        const opened = openSealed(sealBlock(block, name), 'test', 0);
        expect(opened).toEqual(block);
        // Not a Buffer, whose `slice` is no copy.
        expect(opened.constructor).toBe(Uint8Array);
      }),
    );
  });

  it.each(packing)('%s packs what repeats and leaves alone what would hardly shrink', (name) => {
    const text = new TextEncoder().encode('{"temperature":21.5}'.repeat(50));
    const packed = encodeBlock(text, name);
    expect(packed.codec).toBe(Codec[name]);
    expect(packed.bytes.length).toBeLessThan(text.length / 4);
    const noise = Uint8Array.from({ length: 1000 }, (_, i) => Math.imul(i * i + 7, 40503) >>> 7);
    const slightly = Uint8Array.from([...noise.subarray(0, 950), ...noise.subarray(0, 50)]);
    expect(encodeBlock(slightly, name)).toEqual({ bytes: slightly, codec: Codec.none });
  });

  it('the default is LZ4 here, as its library is installed', () => {
    expect(defaultCodec()).toBe('lz4');
  });

  it.each(packing)(
    '%s refuses a length beyond what can be, before it takes memory for it',
    (name) => {
      const text = new TextEncoder().encode('ab'.repeat(500));
      const { bytes, codec } = encodeBlock(text, name);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      for (const claim of [0xffff_ffff, 65 * 1024 * 1024, bytes.length * 1100, 1001, 999, 0]) {
        const before = process.memoryUsage().arrayBuffers;
        view.setUint32(0, claim, true);
        expect(decodes(bytes, codec)).toBe('corrupt');
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
      }
    },
  );

  it('deflate does not unpack more than it said', () => {
    const bomb = deflateRawSync(new Uint8Array(8 << 20));
    const stored = new Uint8Array(4 + bomb.length);
    stored.set(bomb, 4);
    new DataView(stored.buffer).setUint32(0, 5000, true);
    expect(decodes(stored, Codec.deflate)).toBe('corrupt');
  });

  it('take random and changed bytes for what they are or for damage', () => {
    const changed = fc
      .tuple(blocks, fc.constantFrom(...packing), fc.nat(), fc.nat(255))
      .map(([block, name, at, byte]) => {
        const stored = encodeBlock(block, name);
        const bytes = stored.bytes.slice();
        if (bytes.length > 0) bytes[at % bytes.length] = byte;
        return { bytes, codec: stored.codec };
      });
    const random = fc.record({
      bytes: fc.uint8Array({ maxLength: 60 }),
      codec: fc.constantFrom(Codec.lz4, Codec.deflate),
    });
    fc.assert(
      fc.property(fc.oneof(changed, random), ({ bytes, codec }) => {
        const raw = decodes(bytes, codec);
        if (raw !== 'corrupt') expect(raw.length).toBeLessThanOrEqual(bytes.length * 1032);
      }),
      { numRuns: 2000 },
    );
  });

  it('sealed bytes that are cut or changed are damage, other codecs are newer than ours', () => {
    const sealed = sealBlock(new TextEncoder().encode('ab'.repeat(500)), 'lz4');
    for (let length = 0; length < sealed.length; length++) {
      expect(() => openSealed(sealed.subarray(0, length), 'f', 7)).toThrow(/f is damaged at 7/);
    }
    expect(() => decodeBlock(sealed, 3, 'f', 7)).toThrow(/codec 3, newer than ours/);
  });
});
