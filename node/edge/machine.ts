import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';

/** This process, for `/v1/cluster`. */
export function describeProcess(startedAtMs: number) {
  const { user, system } = process.cpuUsage();
  return {
    processId: process.pid,
    uptimeMs: Date.now() - startedAtMs,
    cpuUserMicros: user,
    cpuSystemMicros: system,
    memoryBytes: process.memoryUsage.rss(),
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
