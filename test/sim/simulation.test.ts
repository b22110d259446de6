import { describe, expect, it } from 'vitest';
import { MIXES, type MixName } from './faults/mixes.ts';
import { type SimulationResult, simulate } from './simulation.ts';

const mixes = Object.keys(MIXES) as MixName[];
const runs = [
  ...Array.from({ length: 18 }, (_, i) => ({ seed: i + 1, mix: 'everything' as const })),
  ...mixes.flatMap((mix) => [101, 102].map((seed) => ({ seed, mix }))),
];
const RUNS_TWICE = 20;

function summary({ violation, diary }: SimulationResult): string | undefined {
  if (violation === undefined) return undefined;
  const { property, message, picture } = violation;
  return [property, message, picture ?? '', ...diary].join('\n');
}

/** Many more of them: `npm run sim`. */
describe('a cluster to which everything happens, by mix of faults', () => {
  const traces = new Map<string, number>();

  it.each(runs)('keeps its promises: seed $seed, $mix', { timeout: 120_000 }, async (run) => {
    const result = await simulate(run.seed, run.mix);
    traces.set(`${run.mix} ${run.seed}`, result.trace);
    expect(summary(result)).toBeUndefined();
    expect(result.undecided).toBe(0);
    expect(result.operations).toBeGreaterThan(100);
  });

  it('does the same again with the same seed, and something else with another', {
    timeout: 600_000,
  }, async () => {
    for (const { seed, mix } of runs.slice(0, RUNS_TWICE)) {
      const { trace } = await simulate(seed, mix);
      expect(trace, `seed ${seed}, ${mix}`).toBe(traces.get(`${mix} ${seed}`));
    }
    expect(new Set(traces.values()).size).toBe(runs.length);
  });

  it('has every fault of a mix happen', async () => {
    const { faults } = await simulate(103, 'clocks');
    for (const [, { name }] of MIXES.clocks.faults) expect([...faults.keys()]).toContain(name);
  });
});
