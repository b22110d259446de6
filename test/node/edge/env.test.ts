import { describe, expect, it } from 'vitest';
import { createEnv } from '../../../node/edge/env.ts';

describe('the timers of a node', () => {
  it('never run before their time by the clock that is asked then', async () => {
    const { clock, timers } = createEnv({ emit: () => {} });
    const early: number[] = [];
    for (let i = 0; i < 100; i += 1) {
      const startedMs = clock.monotonicMs();
      const delayMs = 1 + i / 50;
      await new Promise<void>((resolve) => timers.after(delayMs, resolve));
      const passedMs = clock.monotonicMs() - startedMs;
      if (passedMs < delayMs) early.push(passedMs);
    }
    expect(early).toEqual([]);
  });

  it('wait for months if they are told to', async () => {
    const { timers } = createEnv({ emit: () => {} });
    let ran = false;
    const cancel = timers.after(2 ** 32, () => {
      ran = true;
    });
    await new Promise<void>((resolve) => timers.after(5, resolve));
    expect(ran).toBe(false);
    cancel();
  });

  it('do not run when they are cancelled', async () => {
    const { timers } = createEnv({ emit: () => {} });
    let ran = false;
    const cancel = timers.after(0, () => {
      ran = true;
    });
    cancel();
    await new Promise<void>((resolve) => timers.after(2, resolve));
    expect(ran).toBe(false);
  });
});
