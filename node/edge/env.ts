import { randomBytes, randomInt } from 'node:crypto';
import { WorkerOffload } from '../../lsm/offload/worker-host.ts';
import { OsVfs } from '../../lsm/vfs/os.ts';
import type { Env, Events } from '../env.ts';

/** The real world, as the hosts see it. */
export function createEnv(events: Events): Env {
  return {
    clock: {
      nowMs: () => Date.now(),
      monotonicMs: () => performance.now(),
    },
    timers: {
      after(delayMs, task) {
        const timer = setTimeout(task, delayMs);
        return () => clearTimeout(timer);
      },
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
    offload: new WorkerOffload(),
    yield: (task) => {
      setImmediate(task);
    },
    events,
  };
}
