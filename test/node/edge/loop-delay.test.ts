import { afterEach, describe, expect, it } from 'vitest';
import { LoopDelay } from '../../../node/edge/loop-delay.ts';
import { eventually } from '../../support/eventually.ts';

function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

describe('LoopDelay', () => {
  let delay: LoopDelay | undefined;
  afterEach(() => delay?.stop());

  it('tells how long something held up the event loop', async () => {
    delay = new LoopDelay();
    const seen = await eventually('a delay', async () => {
      block(150);
      const { maxMs } = delay?.recent() ?? { maxMs: 0 };
      return maxMs > 100 ? delay?.recent() : undefined;
    });
    expect(seen.p99Ms).toBeLessThanOrEqual(seen.maxMs);
    expect(seen.p50Ms).toBeLessThanOrEqual(seen.p99Ms);
    expect(delay.busySeconds).toBeGreaterThan(0.1);
  });
});
