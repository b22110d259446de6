import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureDetector } from '../../../node/membership/failure-detector.ts';

const EXPECTED_MS = 1_000;

function detector() {
  return new FailureDetector({ expectedMs: EXPECTED_MS, intervalMaxMs: 15_000 });
}

/** One that has heard a heartbeat after each of these intervals; and when it heard the last. */
function hearing(intervals: readonly number[]) {
  const heard = detector();
  let nowMs = 0;
  heard.heard(nowMs);
  for (const interval of intervals) {
    nowMs += interval;
    heard.heard(nowMs);
  }
  return { heard, nowMs, phiAfter: (ms: number) => heard.phi(nowMs + ms) };
}

/** The silence after which phi is 8. */
function patience({ phiAfter }: ReturnType<typeof hearing>): number {
  let ms = 0;
  while (phiAfter(ms) < 8) ms += 10;
  return ms;
}

describe('phi', () => {
  it('is 0 before anything was heard', () => {
    expect(detector().phi(1e9)).toBe(0);
    expect(detector().silentMs(5)).toBeUndefined();
  });

  it('is minus the logarithm of the probability that a heartbeat comes later still', () => {
    const regular = hearing([1_000, 1_000, 1_000]);
    // With the least deviation, 500 ms: the tail of the normal distribution at 0, 1, 2 and 3 deviations.
    expect(regular.phiAfter(1_000)).toBeCloseTo(-Math.log10(0.5), 2);
    expect(regular.phiAfter(1_500)).toBeCloseTo(-Math.log10(0.15866), 2);
    expect(regular.phiAfter(2_000)).toBeCloseTo(-Math.log10(0.02275), 1);
    expect(regular.phiAfter(2_500)).toBeCloseTo(-Math.log10(0.00135), 1);
  });

  it('grows with the silence, without end, and is near 0 after a heartbeat', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 10_000 }), { maxLength: 150 }),
        fc.array(fc.integer({ min: 1, max: 1e9 }), { minLength: 2 }),
        (intervals, silences) => {
          const { phiAfter } = hearing(intervals);
          const phis = silences.sort((a, b) => a - b).map(phiAfter);
          for (const phi of phis) expect(phi).toBeGreaterThanOrEqual(0);
          expect(phis).toEqual(phis.toSorted((a, b) => a - b));
          expect(phiAfter(0)).toBeLessThan(1);
          expect(Number.isFinite(phiAfter(1e9))).toBe(true);
        },
      ),
    );
  });

  it('is 8 after about four seconds of a node that beats every second', () => {
    const ms = patience(hearing(Array.from({ length: 100 }, () => 1_000)));
    expect(ms).toBeGreaterThan(3_500);
    expect(ms).toBeLessThan(4_000);
  });

  it('is more patient with a node that is less regular, and forgets that it was', () => {
    const irregular = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? 1_000 : 3_000));
    const before = patience(hearing(irregular));
    expect(before).toBeGreaterThan(6_000);
    const steady = Array.from({ length: 100 }, () => 1_000);
    expect(patience(hearing([...irregular, ...steady]))).toBe(patience(hearing(steady)));
  });

  it('takes neither a heartbeat out of turn nor an outage for the rhythm', () => {
    const steady = Array.from({ length: 20 }, () => 1_000);
    const expected = patience(hearing(steady));
    expect(patience(hearing([...steady, 5, 5, 5, 60_000]))).toBe(expected);
  });
});
