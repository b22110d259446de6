import { describe, expect, it } from 'vitest';
import type { KeyRetention } from '../../../node/retention/prefix-retention.ts';
import { SeriesFilter } from '../../../node/retention/series-filter.ts';

const everything: KeyRetention = { cutoff: 0, tombstoneCutoff: 0, ttlMs: 0, limits: [] };

/** Values, as times; of a tombstone negative. Their version is their time unless given. */
function seen(retention: Partial<KeyRetention>, times: number[], versions = times): number[] {
  const filter = new SeriesFilter();
  filter.reset({ ...everything, ...retention });
  return times.filter((time, index) =>
    filter.sees(Math.abs(time), Math.abs(versions[index] as number), time < 0),
  );
}

describe('of a series', () => {
  it('all is seen where there are no limits', () => {
    expect(seen({}, [9, -8, 7])).toEqual([9, -8, 7]);
  });

  it('what is before the cutoff is hidden, but never the newest', () => {
    expect(seen({ cutoff: 8 }, [9, 8, 7])).toEqual([9, 8]);
    expect(seen({ cutoff: 100 }, [9, 8, 7])).toEqual([9]);
  });

  it('a newest tombstone is hidden before a cutoff of its own, with all behind it', () => {
    expect(seen({ cutoff: 100, tombstoneCutoff: 9 }, [-9, 8])).toEqual([-9]);
    expect(seen({ cutoff: 100, tombstoneCutoff: 10 }, [-9, 8])).toEqual([]);
  });

  it('a count is of all that is seen, tombstones too', () => {
    expect(seen({ limits: [{ upToVersion: 100, count: 2 }] }, [9, -8, 7, 6])).toEqual([9, -8]);
  });

  it('the lowest count that is for a version holds', () => {
    const limits = [
      { upToVersion: 7, count: 1 },
      { upToVersion: 100, count: 3 },
    ];
    expect(seen({ limits }, [9, 7, 6])).toEqual([9]);
    expect(seen({ limits }, [7, 6])).toEqual([7]);
  });

  it('what is hidden does not count', () => {
    const limits = [
      { upToVersion: 7, count: 1 },
      { upToVersion: 100, count: 2 },
    ];
    // The reading of time 5 came late, with version 20: it is the second that is seen.
    expect(seen({ limits }, [9, 7, 6, 5, 4], [9, 7, 6, 20, 21])).toEqual([9, 5]);
  });

  it('the end is known as soon as nothing more can be seen', () => {
    const filter = new SeriesFilter();
    filter.reset({
      ...everything,
      cutoff: 5,
      limits: [{ upToVersion: Number.MAX_SAFE_INTEGER, count: 2 }],
    });
    filter.sees(9, 9, false);
    expect(filter.isExhausted).toBe(false);
    filter.sees(8, 8, false);
    expect(filter.isExhausted).toBe(true);

    filter.reset({ ...everything, cutoff: 5 });
    filter.sees(4, 4, false);
    expect(filter.isExhausted).toBe(true);

    filter.reset({ ...everything, limits: [{ upToVersion: 7, count: 1 }] });
    filter.sees(9, 9, false);
    expect(filter.isExhausted, 'one that came late may be seen').toBe(false);
  });
});
