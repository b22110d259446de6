import { deferred } from './deferred.ts';
import { ExitCode } from './errors.ts';

export interface StopSignal {
  /** Resolves at the first SIGINT, SIGTERM or SIGHUP. The second ends the process at once. */
  readonly requested: Promise<void>;
  release(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function listenForStop(): StopSignal {
  const { promise, resolve } = deferred();
  let count = 0;
  const onSignal = (): void => {
    count += 1;
    if (count > 1) process.exit(ExitCode.failure);
    resolve();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    requested: promise,
    release: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
