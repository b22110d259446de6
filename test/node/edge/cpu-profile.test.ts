import { describe, expect, it } from 'vitest';
import { takeCpuProfile } from '../../../node/edge/cpu-profile.ts';

describe('takeCpuProfile', () => {
  it('takes one at a time, and ends sooner when nobody waits for it', async () => {
    const asked = new AbortController();
    const first = takeCpuProfile(60, asked.signal);
    expect(await takeCpuProfile(0.01, new AbortController().signal)).toBeUndefined();
    asked.abort();
    const seen = { nodes: expect.any(Array), samples: expect.any(Array) };
    expect(await first).toMatchObject(seen);
    expect(await takeCpuProfile(0.01, new AbortController().signal)).toMatchObject(seen);
  });
});
