import { statfs } from 'node:fs/promises';

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
  let disk = { diskUsedBytes: 0, diskTotalBytes: 0 };
  return () => {
    void statfs(directory).then(
      ({ bsize, blocks, bavail }) => {
        disk = { diskUsedBytes: (blocks - bavail) * bsize, diskTotalBytes: blocks * bsize };
      },
      () => {},
    );
    return { memoryBytes: process.memoryUsage.rss(), ...disk };
  };
}
