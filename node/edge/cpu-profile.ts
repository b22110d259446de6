import { Session } from 'node:inspector/promises';
import { setTimeout as rest } from 'node:timers/promises';

let isRunning = false;

/**
 * Where the main thread spends its time, as Chrome's DevTools open it (`.cpuprofile`). Undefined: one is being taken
 * already. `signal` ends it sooner, and what was seen until then is returned.
 */
export async function takeCpuProfile(
  seconds: number,
  signal: AbortSignal,
): Promise<object | undefined> {
  if (isRunning) return undefined;
  isRunning = true;
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await rest(seconds * 1_000, undefined, { signal }).catch(() => {});
    const { profile } = await session.post('Profiler.stop');
    return profile;
  } finally {
    session.disconnect();
    isRunning = false;
  }
}
