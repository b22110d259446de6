import { randomBytes, randomInt } from 'node:crypto';
import { Stages } from '../../broker/stages.ts';
import type { JobName, Offload } from '../../lsm/offload/offload.ts';
import { WorkerOffload } from '../../lsm/offload/worker-host.ts';
import { OsVfs } from '../../lsm/vfs/os.ts';
import type { Env, Events } from '../env.ts';

/** The real world, as the hosts see it. */
export function createEnv(events: Events): Env & { readonly stages: Stages } {
  const stages = new Stages(() => performance.now());
  return {
    stages,
    clock: {
      nowMs: () => Date.now(),
      monotonicMs: () => performance.now(),
    },
    timers: {
      after,
      every(periodMs, task) {
        const timer = setInterval(task, periodMs);
        return () => clearInterval(timer);
      },
    },
    random: {
      below: (bound) => randomInt(bound),
      bytes: (length) => Uint8Array.from(randomBytes(length)),
    },
    vfs: new OsVfs(),
    offload: new TimedOffload(new WorkerOffload(), stages),
    yield: (task) => {
      setImmediate(task);
    },
    events,
  };
}

/** What `setTimeout` takes; of more it makes 1 ms. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** `setTimeout` counts whole milliseconds and may be one early, for whoever then looks at the clock. */
function after(delayMs: number, task: () => void): () => void {
  const dueAtMs = performance.now() + delayMs;
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number) => {
    timer = setTimeout(run, Math.min(leftMs, TIMEOUT_MS_MAX));
  };
  const run = () => {
    const leftMs = dueAtMs - performance.now();
    if (leftMs > 0) wait(leftMs);
    else task();
  };
  wait(delayMs);
  return () => clearTimeout(timer);
}

class TimedOffload implements Offload {
  readonly #offload: Offload;
  readonly #stages: Stages;

  constructor(offload: Offload, stages: Stages) {
    this.#offload = offload;
    this.#stages = stages;
  }

  async run(job: JobName, input: unknown): Promise<unknown> {
    const startedMs = performance.now();
    try {
      return await this.#offload.run(job, input);
    } finally {
      this.#stages.add(job === 'flush' ? 'flush' : 'compaction', performance.now() - startedMs);
    }
  }

  close(): Promise<void> {
    return this.#offload.close();
  }
}
