import type { CompactInput, FlushInput, VerifyInput } from '../compaction/job.ts';
import { WORD } from '../memtable/arena.ts';
import { InlineOffload } from '../offload/inline.ts';
import type { JobName, Offload } from '../offload/offload.ts';
import { WorkerOffload } from '../offload/worker-host.ts';
import type { Vfs } from '../vfs/vfs.ts';

/**
 * A worker thread takes tens of milliseconds to start, and little data a few to write or merge: until there is
 * work that is worth it, there is no worker. So a program that stores little never has one.
 */
export class LazyOffload implements Offload {
  readonly #inline: InlineOffload;
  readonly #worker = new WorkerOffload();
  #isStarted = false;

  constructor(vfs: Vfs) {
    this.#inline = new InlineOffload(vfs);
  }

  run(job: JobName, input: unknown): Promise<unknown> {
    if (!this.#isStarted && bytesOf(job, input) <= SMALL_BYTES) return this.#inline.run(job, input);
    this.#isStarted = true;
    return this.#worker.run(job, input);
  }

  close(): Promise<void> {
    return this.#worker.close();
  }
}

const SMALL_BYTES = 256 * 1024;

/** What a job goes through; of jobs that are never small without limit. */
function bytesOf(job: JobName, input: unknown): number {
  if (job === 'compact') {
    return (input as CompactInput).runs.flat().reduce((sum, { rawBytes }) => sum + rawBytes, 0);
  }
  if (job === 'verify') return (input as VerifyInput).table.rawBytes;
  if (job !== 'flush') return Number.POSITIVE_INFINITY;
  const { chunks } = (input as FlushInput).memtable;
  return WORD * chunks.reduce((sum, { usedWords }) => sum + usedWords, 0);
}
