import type { MixName } from '../faults/mixes.ts';
import { type SimulationResult, simulate } from '../simulation.ts';

/** What the runner hands to its processes, and gets back. */
export interface Job {
  readonly seed: number;
  readonly mix: MixName;
  readonly verbose: boolean;
}

export interface Outcome {
  readonly job: Job;
  readonly result: Omit<SimulationResult, 'faults'>;
  readonly faults: readonly (readonly [name: string, count: number])[];
}

process.on('message', (job: Job) => {
  void simulate(job.seed, job.mix).then(({ faults, ...result }) => {
    const diary = job.verbose ? result.diary : [];
    process.send?.({ job, result: { ...result, diary }, faults: [...faults] } satisfies Outcome);
  });
});
