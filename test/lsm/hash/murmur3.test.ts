import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur3 } from '../../../lsm/hash/murmur3.ts';
import { utf8 } from '../../support/text.ts';

const hash = (bytes: Uint8Array, seed: number) => murmur3(bytes, 0, bytes.length, seed);

describe('murmur3', () => {
  // The vectors of MurmurHash3_x86_32 that circulate with its ports, and the result of SMHasher's own
  // verification procedure below, which covers every length from 0 to 255.
  it.each([
    ['', 0, 0x00000000],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aa', 0x9747b28c, 0x5d211726],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ])('hashes %j with seed %i as published', (input, seed, expected) => {
    expect(hash(utf8(input), seed)).toBe(expected);
  });

  it('keeps zero bytes apart by length', () => {
    expect(hash(Uint8Array.of(0, 0, 0, 0), 0)).toBe(0x2362f9de);
    expect(hash(Uint8Array.of(0, 0, 0), 0)).toBe(0x85f0b427);
    expect(hash(Uint8Array.of(0, 0), 0)).toBe(0x30f4c306);
    expect(hash(Uint8Array.of(0), 0)).toBe(0x514e28b7);
    expect(hash(Uint8Array.of(0xff, 0xff, 0xff, 0xff), 0)).toBe(0x76293b50);
    expect(hash(Uint8Array.of(0x21, 0x43, 0x65, 0x87), 0x5082edee)).toBe(0x2362f9de);
  });

  it('passes the verification of SMHasher', () => {
    const key = new Uint8Array(256);
    const hashes = new DataView(new ArrayBuffer(256 * 4));
    for (let length = 0; length < 256; length++) {
      key[length] = length;
      hashes.setUint32(length * 4, murmur3(key, 0, length, 256 - length), true);
    }
    expect(hash(new Uint8Array(hashes.buffer), 0)).toBe(0xb0f57ee3);
  });

  it('depends on nothing outside the range', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 9 }),
        fc.integer({ min: 0, max: 0xffffffff }),
        (inner, around, seed) => {
          const framed = new Uint8Array([...around, ...inner, ...around]);
          const result = murmur3(framed, around.length, around.length + inner.length, seed);
          expect(result).toBe(hash(inner, seed));
        },
      ),
    );
  });
});
