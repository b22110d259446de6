import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import type { ProcessFacts } from '../metrics/facts.ts';
import type { LoopDelay } from './loop-delay.ts';

/** This process, for `/v1/cluster`. */
export function describeProcess(startedAtMs: number) {
  const { user, system } = process.cpuUsage();
  return {
    processId: process.pid,
    /** By its wall clock: whoever asks can compare. */
    timeMs: Date.now(),
    uptimeMs: Date.now() - startedAtMs,
    cpuUserMicros: user,
    cpuSystemMicros: system,
    memoryBytes: process.memoryUsage.rss(),
  };
}

const CLOCK_TICKS_PER_SECOND = 100;

/** Of the main thread, whose id is that of the process; undefined where there is no /proc (proc(5), `stat`). */
function mainThreadCpuSeconds(): number | undefined {
  try {
    const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** This process, for `/metrics`. */
export function processFacts(startedAtMs: number, loopDelay: LoopDelay): ProcessFacts {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { p50Ms, p99Ms, maxMs } = loopDelay.recent();
  return {
    startedAtMs,
    ...{ residentBytes: rss, heapUsedBytes: heapUsed, externalBytes: external },
    memoryMaxBytes: memoryLimitBytes(),
    ...{ cpuUserSeconds: user / 1e6, cpuSystemSeconds: system / 1e6 },
    mainThreadCpuSeconds: mainThreadCpuSeconds(),
    loopBusySeconds: loopDelay.busySeconds,
    loopDelayMs: { p50: p50Ms, p99: p99Ms, max: maxMs },
  };
}

/** Memory and disk, as of the last time somebody asked. */
export function measureLoad(directory: string) {
  const memoryMaxBytes = memoryLimitBytes();
  let disk = { diskUsedBytes: 0, diskTotalBytes: 0 };
  return () => {
    void statfs(directory).then(
      ({ bsize, blocks, bavail }) => {
        disk = { diskUsedBytes: (blocks - bavail) * bsize, diskTotalBytes: blocks * bsize };
      },
      () => {},
    );
    return { memoryBytes: process.memoryUsage.rss(), memoryMaxBytes, ...disk };
  };
}

/** Of a container or a unit with a limit; 0: nothing holds the process back but the machine. */
function memoryLimitBytes(): number {
  const limit = process.constrainedMemory() ?? 0;
  return limit < totalmem() ? limit : 0;
}
