import { LatencyHistogram } from '../load/latency-histogram.ts';

/** How fast requests came back while a fixed number of them was under way. */
export interface LoopResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How long the warm-up takes, as a part of what is measured. */
export const WARMUP_SHARE = 0.2;

/**
 * Keeps `inflight` requests under way and measures those that come back within `seconds`, after a warm-up.
 * `send` gets a number that grows by one with each request.
 */
export async function runClosedLoop(
  options: { readonly inflight: number; readonly seconds: number },
  send: (sequence: number) => Promise<unknown>,
): Promise<LoopResult> {
  const latencies = new LatencyHistogram();
  const beginsMs = performance.now() + options.seconds * WARMUP_SHARE * 1000;
  const endsMs = beginsMs + options.seconds * 1000;
  let sequence = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      const sentMs = performance.now();
      if (sentMs >= endsMs) return;
      const mine = sequence;
      sequence += 1;
      await send(mine);
      const nowMs = performance.now();
      if (nowMs >= beginsMs && nowMs < endsMs) latencies.record((nowMs - sentMs) * 1000);
    }
  };
  await Promise.all(Array.from({ length: options.inflight }, lane));
  return {
    requests: latencies.count,
    perSecond: latencies.count / options.seconds,
    p50Ms: latencies.percentileMs(50),
    p99Ms: latencies.percentileMs(99),
    maxMs: latencies.maxMs,
  };
}
