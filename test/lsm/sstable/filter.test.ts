import { describe, expect, it } from 'vitest';
import { FilterBuilder, hashKey, mayContain } from '../../../lsm/sstable/filter.ts';
import { seriesKey } from '../entries.ts';

describe('the filter', () => {
  it('never denies a key it was given, and rarely affirms another', () => {
    const builder = new FilterBuilder();
    const name = (i: number) => seriesKey(i % 256, `device/${i}`);
    for (let i = 0; i < 5000; i++) builder.add(name(i), 0, name(i).length);
    const filter = builder.finish();
    const affirms = (i: number) => mayContain(filter, hashKey(name(i), 0, name(i).length));
    let wrong = 0;
    for (let i = 0; i < 5000; i++) expect(affirms(i)).toBe(true);
    for (let i = 5000; i < 25_000; i++) if (affirms(i)) wrong++;
    expect(wrong / 20_000).toBeLessThan(0.015);
    expect(filter.length).toBe((5000 * 10) / 8 + 1);
  });

  it('says maybe when it makes no sense', () => {
    expect(mayContain(new Uint8Array(0), 1)).toBe(true);
    expect(mayContain(Uint8Array.of(3), 1)).toBe(true);
    expect(mayContain(Uint8Array.of(0, 0, 200), 1)).toBe(true);
  });
});
