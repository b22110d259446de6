import type { BrokerEnv } from '../env.ts';

/** What the promise brings, or undefined if that takes longer. */
export function orAfter<Value>(
  env: BrokerEnv,
  promise: Promise<Value>,
  patienceMs: number,
): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = env.timers.after(patienceMs, () => resolve(undefined));
    promise.then(resolve, reject).finally(cancel);
  });
}

export function rest(env: BrokerEnv, delayMs: number): Promise<void> {
  return new Promise((resolve) => void env.timers.after(delayMs, resolve));
}
