import { readFileSync, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

// What the kernel counts of this process with all its threads, native ones too. NaN where there is no Linux.

/** What was given to write calls (proc(5), wchar): whatever file system it is, and whether it was synced or not. */
export function writtenBytes(): number {
  return readField('/proc/self/io', /^wchar: (\d+)/m);
}

export function peakMemoryBytes(): number {
  return readField('/proc/self/status', /^VmHWM:\s*(\d+) kB/m) * 1024;
}

/** proc(5): 5 sets the peak to what is resident now. */
export function forgetPeakMemory(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Then the peak is that of the process since it began.
  }
}

function readField(path: string, pattern: RegExp): number {
  try {
    return Number(pattern.exec(readFileSync(path, 'utf8'))?.[1] ?? Number.NaN);
  } catch {
    return Number.NaN;
  }
}

/** What the files below take on the disk, in whole blocks of the file system. */
export async function diskBytes(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).blocks * 512;
  }
  return bytes;
}

const SAMPLE_MS = 100;
const QUIET_SAMPLES = 5;
const QUIET_MAX_MS = 120_000;
/** The process does next to nothing: its engine has no compaction under way. */
const IDLE_CPU_SHARE = 0.05;
const IDLE_WRITTEN_BYTES = 4096;

/** Resolves when this process has used no processor and has written nothing for half a second. */
export async function untilQuiet(): Promise<void> {
  const endsMs = performance.now() + QUIET_MAX_MS;
  let quiet = 0;
  let cpu = process.cpuUsage();
  let written = writtenBytes();
  while (quiet < QUIET_SAMPLES) {
    if (performance.now() > endsMs) throw new Error('the engine does not come to rest');
    await delay(SAMPLE_MS);
    const used = process.cpuUsage(cpu);
    const cpuMs = (used.user + used.system) / 1000;
    const grown = writtenBytes() - written;
    const idle = cpuMs < SAMPLE_MS * IDLE_CPU_SHARE && !(grown > IDLE_WRITTEN_BYTES);
    quiet = idle ? quiet + 1 : 0;
    cpu = process.cpuUsage();
    written = writtenBytes();
  }
}
