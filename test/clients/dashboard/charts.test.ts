import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatChartQuery,
  parseChartLine,
  parseChartQuery,
} from '../../../clients/dashboard/model/chart-query.ts';
import { filtersOf } from '../../../clients/dashboard/model/filters.ts';
import { Points, withGaps } from '../../../clients/dashboard/model/points.ts';
import { formatRoute, parseRoute } from '../../../clients/dashboard/model/route.ts';

describe('the address of charts', () => {
  it('gives the same charts again', () => {
    const lines = ['a/b c', 'ü/d#sensors[0].value', 'e&f=g'].flatMap(
      (t) => parseChartLine(t) ?? [],
    );
    const hash = formatRoute('charts', undefined, formatChartQuery({ lines, range: '6h' }));
    expect(parseChartQuery(parseRoute(hash).query)).toEqual({ lines, range: '6h' });
  });

  it('forgives', () => {
    const query = parseChartQuery(new URLSearchParams('s=a&s=a&s=&s=b%23..&range=soon'));
    expect(query).toEqual({ lines: [{ text: 'a', key: 'a', path: '' }], range: '15m' });
  });
});

describe('a route', () => {
  it('keeps keys as they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (key) => {
        expect(parseRoute(formatRoute('keys', key))).toMatchObject({ page: 'keys', subject: key });
      }),
    );
  });

  it('that nobody knows is the overview', () => {
    expect(parseRoute('').page).toBe('overview');
    expect(parseRoute('#/nothing/x')).toMatchObject({ page: 'overview' });
    expect(parseRoute('#/keys/50%').subject).toBe('50%');
  });
});

describe('filters of keys', () => {
  it('are the keys themselves while they are few', () => {
    expect(filtersOf(['a/b', 'c'], 2)).toEqual(['a/b', 'c']);
  });

  it('have wildcards where keys differ', () => {
    expect(filtersOf(['p/1/temp', 'p/2/temp', 'p/3/temp', 'note'], 2)).toEqual([
      'p/+/temp',
      'note',
    ]);
    expect(filtersOf(['p/1', 'p/2/x', 'p/2/x/y'], 2)).toEqual(['p/#']);
    expect(filtersOf(['a', 'b/c', 'd/e/f'], 2)).toEqual(['#']);
  });
});

describe('points', () => {
  it('are in order, with one per millisecond, however they come', () => {
    const point = fc.record({ atMs: fc.nat(20), number: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(point), fc.array(point), (live, past) => {
        const points = new Points();
        const expected = new Map<number, number>();
        for (const { atMs, number } of past) expected.set(atMs, number);
        for (const { atMs, number } of live) {
          points.add(atMs, number);
          expected.set(atMs, number);
        }
        points.addOlder(past);
        const times = [...expected.keys()].sort((a, b) => a - b);
        expect(points.timesMs).toEqual(times);
        expect(points.numbers).toEqual(times.map((atMs) => expected.get(atMs)));
      }),
    );
  });

  it('leave the range but for the last before it', () => {
    const points = new Points();
    for (const atMs of [1, 2, 3, 4]) points.add(atMs, atMs);
    points.dropBefore(3);
    expect(points.timesMs).toEqual([2, 3, 4]);
    points.dropBefore(100);
    expect(points.timesMs).toEqual([4]);
  });

  it('have a hole where much longer than usual nothing came', () => {
    const regular = Array.from({ length: 30 }, (_, at) => at * 1_000);
    const timesMs = [...regular, 60_000, 61_000];
    const { timesMs: times, numbers } = withGaps({ timesMs, numbers: timesMs });
    expect(times).toEqual([...regular, 29_001, 60_000, 61_000]);
    expect(numbers.filter((number) => number === null)).toHaveLength(1);
    const sparse = [0, 1_000, 500_000];
    expect(withGaps({ timesMs: sparse, numbers: sparse }).numbers).toEqual(sparse);
  });
});
