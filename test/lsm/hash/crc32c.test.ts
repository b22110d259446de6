import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c, crc32cPortable } from '../../../lsm/hash/crc32c.ts';

const digits = new TextEncoder().encode('123456789');

describe('crc32c', () => {
  it('gives the published check values', () => {
    expect(crc32c(digits)).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(0))).toBe(0);
    // RFC 3720 B.4
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe(0x46dd794e);
  });

  it('continues from the value of the bytes before', () => {
    expect(crc32c(digits, 4, 9, crc32c(digits, 0, 4))).toBe(0xe3069283);
  });

  it('agrees with the portable code on ranges of any size, so that files move between machines', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 2000 }),
        fc.nat(300),
        fc.integer({ min: 0, max: 0xffffffff }),
        (bytes, skipped, seed) => {
          const start = Math.min(skipped, bytes.length);
          expect(crc32c(bytes, start, bytes.length, seed)).toBe(
            crc32cPortable(bytes, start, bytes.length, seed),
          );
        },
      ),
    );
  });
});
