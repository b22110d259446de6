import { fork } from 'node:child_process';
import { once } from 'node:events';
import { freePorts } from '../free-ports.ts';

/** An aedes as it is published, with its own persistence and emitter in memory, in a process of its own. */
export interface StockAedes {
  readonly version: string;
  readonly port: number;
  readonly processId: number;
  close(): Promise<void>;
}

export async function startAedes(): Promise<StockAedes> {
  const [port] = (await freePorts(1)) as [number];
  const child = fork(new URL('./aedes-process.js', import.meta.url), [String(port)]);
  const [version] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('aedes did not start');
    }),
  ]);
  return {
    version: `aedes ${version}`,
    port,
    processId: child.pid ?? 0,
    close: async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
