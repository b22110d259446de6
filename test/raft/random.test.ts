import { describe, expect, it } from 'vitest';
import { Cluster } from './cluster.ts';
import type { Defect } from './test-node.ts';

/** `SEED=17 npx vitest run test/raft/random.test.ts` replays one history. */
const firstSeed = Number(process.env.SEED ?? 1);
const seedCount = process.env.SEED === undefined ? Number(process.env.SEEDS ?? 150) : 1;

function runSeed(seed: number, defect?: Defect): void {
  const cluster = new Cluster({ seed, defect });
  try {
    cluster.run(1500);
    cluster.settle();
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

describe('random histories', () => {
  it(`keep Raft's properties and make progress (seeds from ${firstSeed}, ${seedCount} of them)`, () => {
    for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) runSeed(seed);
  });

  it.each<[Defect, RegExp]>([
    ['counts-before-sync', /is durable on|applied before|lacks releasable/],
    ['sends-before-sync', /sent before it is durable|acknowledged before it is durable/],
    ['forgets-vote', /votes for|two leaders/],
    ['applies-early', /applied in order|applied before/],
    ['forgets-configurations', /has forgotten configuration/],
    ['confirms-snapshots-early', /is durable on|beyond the log/],
    ['installs-without-state', /has another state/],
  ])('catch a host that %s', (defect, complaint) => {
    const runAll = () => {
      for (let seed = 1; seed <= 300; seed++) runSeed(seed, defect);
    };
    expect(runAll).toThrow(complaint);
  });
});
