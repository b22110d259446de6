import { describe, expect, it } from 'vitest';
import { ReadPace } from '../../../lsm/vfs/read-pace.ts';

describe('the pace of reads', () => {
  it('reads at once until a read was slow, then passes 256 times and tries again', () => {
    let nowMs = 0;
    const pace = new ReadPace(() => nowMs);
    const read = (tookMs: number) => {
      if (!pace.begin()) return false;
      nowMs += tookMs;
      pace.end();
      return true;
    };
    for (let i = 0; i < 1_000; i++) {
      expect(read(0.4)).toBe(true);
      nowMs += 10;
    }
    for (let round = 0; round < 2; round++) {
      expect(read(0.6)).toBe(true);
      for (let i = 0; i < 256; i++) expect(read(0)).toBe(false);
    }
    expect(read(0.1)).toBe(true);
    expect(read(0.1)).toBe(true);
  });
});
