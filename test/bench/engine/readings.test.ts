import { describe, expect, it } from 'vitest';
import { ReadingSource, randomNumbers, VALUE_BYTES } from '../../../bench/engine/readings.ts';

const SERIES = 50;
const source = new ReadingSource(SERIES);
const { keys, values } = source.build(0, SERIES * 40);

describe('the readings of the bench', () => {
  it('are JSON of 64 bytes under keys of their own', () => {
    for (const value of values) {
      expect(value.length).toBe(VALUE_BYTES);
      expect(Object.keys(JSON.parse(value.toString()))).toEqual([
        'temperature',
        'humidity',
        'battery',
        'lux',
      ]);
    }
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(keys.length);
    expect(new Set(keys.map((key) => key.length))).toEqual(new Set([source.keyBytes]));
  });

  it('can be made again one by one, and from the middle on', () => {
    const [key] = source.keysOf([777]);
    expect(key).toEqual(keys[777]);
    expect(source.valueOf(777)).toBe(values[777]?.toString());
    expect(source.build(700, 100).keys[77]).toEqual(keys[777]);
  });

  it('of a series lie in its range, the newest first', () => {
    const { lower, upper } = source.seriesRange(7);
    const inRange = keys.filter((key) => lower.compare(key) <= 0 && key.compare(upper) < 0);
    expect(inRange).toEqual(keys.filter((_, reading) => reading % SERIES === 7));
    for (const [i, key] of inRange.entries()) {
      const before = inRange[i - 1];
      if (before) expect(key.compare(before)).toBe(-1);
    }
  });

  it('leave room for keys that are missing in the midst of their series', () => {
    const present = new Set(keys.map((key) => key.toString('hex')));
    const missing = source.missingKeysOf(randomNumbers(200, keys.length, 3));
    expect(missing.filter((key) => present.has(key.toString('hex')))).toEqual([]);
    const [between] = source.missingKeysOf([7]) as [Buffer];
    expect(between.compare(keys[7] as Buffer)).toBe(-1);
    expect(between.compare(keys[SERIES + 7] as Buffer)).toBe(1);
  });

  it('are chosen alike in every process, and spread over all', () => {
    const chosen = randomNumbers(1_000, 10, 1);
    expect(randomNumbers(1_000, 10, 1)).toEqual(chosen);
    expect(randomNumbers(1_000, 10, 2)).not.toEqual(chosen);
    expect(new Set(chosen).size).toBe(10);
  });
});
