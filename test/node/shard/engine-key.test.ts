import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../../lsm/bytes.ts';
import {
  afterSeries,
  decodeExpiryKey,
  decodeValue,
  ENGINE_KEY_BYTES_MAX,
  expiryBound,
  keyPrefix,
  seriesKey,
  TOKEN_BYTES,
  timeOf,
  userKey,
  VALUE_HEADER_BYTES_MAX,
  writeEngineKey,
  writeExpiryKey,
  writeValueHeader,
} from '../../../node/shard/engine-key.ts';

const keys = fc.uint8Array({ min: 1, max: 255, minLength: 1, maxLength: 40 });
const slots = fc.nat(255);
const times = fc.nat(Number.MAX_SAFE_INTEGER);

function engineKey(slot: number, key: Uint8Array, time: number): Uint8Array {
  const target = new Uint8Array(ENGINE_KEY_BYTES_MAX);
  const length = writeEngineKey(target, slot, 0, key, 0, key.length, time);
  return target.slice(0, length);
}

describe('an engine key', () => {
  it('has this layout', () => {
    const key = engineKey(0xab, Uint8Array.of(0x61, 0x2f, 0x62), 0x1_0000_0001);
    expect(Buffer.from(key).toString('hex')).toBe(
      'ab' + '00' + '612f62' + '00' + '001ffffefffffffe',
    );
  });

  it('gives its parts back', () => {
    fc.assert(
      fc.property(slots, keys, times, (slot, key, time) => {
        const bytes = engineKey(slot, key, time);
        expect(bytes[0]).toBe(slot);
        expect(userKey(bytes)).toEqual(key);
        expect(timeOf(bytes)).toBe(time);
      }),
    );
  });

  it('sorts by slot, then key, then the newer time first', () => {
    const item = fc.tuple(slots, keys, times);
    fc.assert(
      fc.property(item, item, ([slotA, keyA, timeA], [slotB, keyB, timeB]) => {
        const expected = slotA - slotB || compareBytes(keyA, keyB) || Math.sign(timeB - timeA);
        const actual = compareBytes(engineKey(slotA, keyA, timeA), engineKey(slotB, keyB, timeB));
        expect(Math.sign(actual)).toBe(Math.sign(expected));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps a key and the keys that it begins apart, control characters or not', () => {
    fc.assert(
      fc.property(
        keys,
        fc.uint8Array({ min: 1, max: 255, maxLength: 5 }),
        times,
        times,
        (key, more, timeA, timeB) => {
          const longer = Uint8Array.of(...key, 1, ...more);
          const series = seriesKey(7, 0, key);
          const other = engineKey(7, longer, timeB);
          expect(compareBytes(other.subarray(0, series.length), series)).not.toBe(0);
          expect(compareBytes(engineKey(7, key, timeA), other)).toBeLessThan(0);
        },
      ),
    );
  });

  it('is within its series, and everything of the series is before what follows it', () => {
    fc.assert(
      fc.property(keys, keys, times, times, (key, other, timeA, timeB) => {
        const first = engineKey(3, key, timeA);
        const next = afterSeries(first);
        expect(compareBytes(engineKey(3, key, timeB), next)).toBeLessThan(0);
        if (compareBytes(other, key) <= 0) return;
        expect(compareBytes(engineKey(3, other, timeB), next)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });

  it('begins with the prefix of every text that its key begins with', () => {
    const key = new TextEncoder().encode('plant1/dev');
    const prefix = keyPrefix(9, 0, key.subarray(0, 7));
    expect(engineKey(9, key, 5).subarray(0, prefix.length)).toEqual(prefix);
  });

  it('takes keys of at most 1,024 bytes', () => {
    expect(engineKey(0, new Uint8Array(1024).fill(1), 0)).toHaveLength(ENGINE_KEY_BYTES_MAX - 8);
    expect(() => engineKey(0, new Uint8Array(1025).fill(1), 0)).toThrow('1,024');
  });
});

describe('a stored value', () => {
  it('gives back version, deletion and bytes', () => {
    fc.assert(
      fc.property(
        times,
        times,
        fc.boolean(),
        fc.option(times, { nil: 0 }),
        fc.option(fc.uint8Array({ minLength: TOKEN_BYTES, maxLength: TOKEN_BYTES })),
        fc.option(times),
        fc.uint8Array({ maxLength: 50 }),
        (version, time, tombstone, expiresAt, token, own, value) => {
          const stored = new Uint8Array(VALUE_HEADER_BYTES_MAX + value.length);
          const source = token ?? new Uint8Array(0);
          const header = writeValueHeader(
            stored,
            version,
            time,
            tombstone,
            expiresAt,
            source,
            0,
            source.length,
            own ?? time,
          );
          stored.set(value, header);
          const decoded = decodeValue(stored.subarray(0, header + value.length), time);
          expect(decoded).toEqual({
            version,
            time: own ?? time,
            tombstone,
            expiresAt,
            token: token ?? undefined,
            value,
          });
          if (expiresAt === 0 && token === null && own === null)
            expect(header).toBe(version === time ? 1 : 9);
        },
      ),
    );
  });
});

describe('an entry of the expiries', () => {
  it('stands in the order of expiry, and says what expires', () => {
    fc.assert(
      fc.property(keys, keys, times, times, times, (key, other, soon, late, version) => {
        const target = new Uint8Array(ENGINE_KEY_BYTES_MAX);
        const write = (expiresAt: number, text: Uint8Array) =>
          target.slice(0, writeExpiryKey(target, 7, expiresAt, text, 0, text.length, version));
        const entry = write(soon, key);
        expect(decodeExpiryKey(entry)).toEqual({ expiresAt: soon, key, version });
        expect(compareBytes(expiryBound(7, soon), entry)).toBeLessThan(0);
        if (soon < late) {
          expect(compareBytes(entry, expiryBound(7, late))).toBeLessThan(0);
          expect(compareBytes(entry, write(late, other))).toBeLessThan(0);
        }
      }),
    );
  });
});
