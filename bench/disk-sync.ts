import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LatencyHistogram } from './load/latency-histogram.ts';

/** What the machine itself takes to make 4 KiB durable: below that no acknowledged write can be. */
export interface DiskSync {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const WRITES = 200;
const WRITE_BYTES = 4096;

/** Appends to a file in `directory`, one write and one `fdatasync` after the other. */
export async function measureDiskSync(directory: string): Promise<DiskSync> {
  const path = join(directory, 'disk-sync');
  const latencies = new LatencyHistogram();
  const bytes = new Uint8Array(WRITE_BYTES).fill(1);
  const file = await open(path, 'w');
  try {
    for (let write = 0; write < WRITES; write += 1) {
      const startedMs = performance.now();
      await file.write(bytes);
      await file.datasync();
      latencies.record((performance.now() - startedMs) * 1000);
    }
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
  return { p50Ms: latencies.percentileMs(50), p99Ms: latencies.percentileMs(99) };
}
