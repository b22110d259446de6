import type { FlushInput } from '../compaction/job.ts';
import { WORD } from '../memtable/arena.ts';
import { InlineOffload } from '../offload/inline.ts';
import type { JobName, Offload } from '../offload/offload.ts';
import { WorkerOffload } from '../offload/worker-host.ts';
import type { Vfs } from '../vfs/vfs.ts';

/**
 * A worker thread takes tens of milliseconds to start, and a small memtable less than one to write: until there is
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
    if (!this.#isStarted && job === 'flush' && isSmall(input as FlushInput)) {
      return this.#inline.run(job, input);
    }
    this.#isStarted = true;
    return this.#worker.run(job, input);
  }

  close(): Promise<void> {
    return this.#worker.close();
  }
}

const SMALL_MEMTABLE_BYTES = 256 * 1024;

function isSmall({ memtable }: FlushInput): boolean {
  const words = memtable.chunks.reduce((sum, { usedWords }) => sum + usedWords, 0);
  return words * WORD <= SMALL_MEMTABLE_BYTES;
}
