import type { Vfs } from '../vfs/vfs.ts';
import { runJob } from './jobs.ts';
import type { JobName, Offload } from './offload.ts';

/** Runs jobs where the engine runs, over the same vfs: for tests, and for tools that have time. */
export class InlineOffload implements Offload {
  readonly #vfs: Vfs;

  constructor(vfs: Vfs) {
    this.#vfs = vfs;
  }

  run(job: JobName, input: unknown): Promise<unknown> {
    return runJob(this.#vfs, job, input);
  }

  async close(): Promise<void> {}
}
