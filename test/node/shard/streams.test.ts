import { describe, expect, it } from 'vitest';
import { Streams } from '../../../node/shard/streams.ts';
import { baseVersion } from '../../../node/shard/version.ts';

describe('the streams of a shard', () => {
  it('take the next number, and know what was seen and what is missing', () => {
    const streams = new Streams();
    expect(streams.judge('a', 1, 1)).toEqual({ kind: 'next' });
    expect(streams.judge('a', 1, 2)).toEqual({ kind: 'gap', expected: 1 });
    streams.advance('a', 1, 1);
    expect(streams.judge('a', 1, 1)).toEqual({ kind: 'seen' });
    expect(streams.judge('a', 1, 2)).toEqual({ kind: 'next' });
    expect(streams.judge('a', 1, 4)).toEqual({ kind: 'gap', expected: 2 });
    expect(streams.judge('b', 1, 1), 'another node').toEqual({ kind: 'next' });
  });

  it('begin anew with a new start of the node, and end for its earlier ones', () => {
    const streams = new Streams([['a', { startCounter: 3, number: 9 }]]);
    expect(streams.judge('a', 4, 1)).toEqual({ kind: 'next' });
    expect(streams.judge('a', 4, 10)).toEqual({ kind: 'gap', expected: 1 });
    expect(streams.judge('a', 2, 10)).toEqual({ kind: 'ended' });
    expect(streams.judge('a', 2, 1)).toEqual({ kind: 'ended' });
  });

  it('are copied, not shared', () => {
    const streams = new Streams();
    const copy = streams.copy();
    copy.advance('a', 1, 1);
    expect(streams.get('a')).toBeUndefined();
    expect([...copy.entries()]).toEqual([['a', { startCounter: 1, number: 1 }]]);
  });
});

describe('versions', () => {
  const NOW_MS = Date.UTC(2026, 0, 1);

  it('are the clock, in milliseconds since 2020 times 4,096', () => {
    expect(baseVersion(Date.UTC(2020, 0, 1) + 5, 0)).toBe(5 * 4096);
    expect(Number.isSafeInteger(baseVersion(Date.UTC(2088, 0, 1), 0))).toBe(true);
  });

  it('grow though the clock stands still or goes back', () => {
    const last = baseVersion(NOW_MS, 0) + 10_000;
    expect(baseVersion(NOW_MS, last)).toBe(last + 1);
    expect(baseVersion(NOW_MS - 60_000, last)).toBe(last + 1);
    expect(baseVersion(NOW_MS + 60_000, last)).toBeGreaterThan(last + 1);
  });
});
