import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  LATENCY_BOUNDS_MS,
  LatencyHistogram,
  quantileMs,
} from '../../../node/metrics/latency-histogram.ts';

describe('LatencyHistogram', () => {
  it('counts each latency in the first bucket that it does not exceed', () => {
    const histogram = new LatencyHistogram();
    histogram.add(0);
    histogram.add(0.5, 2);
    histogram.add(0.6);
    histogram.add(60_000, 4);
    expect([...histogram.counts()].filter((count) => count > 0)).toEqual([3, 1, 4]);
    expect(histogram.counts().at(-1)).toBe(4);
    expect(histogram.sumMs).toBeCloseTo(240_001.6);
  });

  it('has no quantile of nothing', () => {
    expect(quantileMs(new LatencyHistogram().counts(), 0.99)).toBeUndefined();
  });

  it('finds a quantile in the bucket that the latency is in', () => {
    const latency = fc.double({ min: 0.001, max: 9_999, noNaN: true });
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1 }), (latencies) => {
        const histogram = new LatencyHistogram();
        for (const ms of latencies) histogram.add(ms);
        const sorted = latencies.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(sorted.length * 0.99) - 1] as number;
        const upper = LATENCY_BOUNDS_MS.findIndex((bound) => exact <= bound);
        const found = quantileMs(histogram.counts(), 0.99) as number;
        expect(found).toBeGreaterThan(LATENCY_BOUNDS_MS[upper - 1] ?? 0);
        expect(found).toBeLessThanOrEqual(LATENCY_BOUNDS_MS[upper] as number);
      }),
    );
  });

  it('says the last bound of what is slower than all of them', () => {
    const histogram = new LatencyHistogram();
    histogram.add(60_000);
    expect(quantileMs(histogram.counts(), 0.5)).toBe(10_000);
  });
});
