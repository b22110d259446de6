import { readFileSync, writeFileSync } from 'node:fs';

// What the kernel counts of a process with all its threads, which costs the process nothing. NaN where there is no Linux.

/** CPU time used so far, user and system: proc(5), fields 14 and 15 of /proc/<pid>/stat, in ticks of 10 ms. */
export function cpuMicrosOf(processId: number | string): number {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return Number.NaN;
  }
}

export function residentBytesOf(processId: number): number {
  return readBytes(processId, 'VmRSS');
}

export function peakBytesOf(processId: number): number {
  return readBytes(processId, 'VmHWM');
}

/** proc(5): 5 sets the peak to what is resident now. */
export function forgetPeakBytesOf(processId: number): void {
  try {
    writeFileSync(`/proc/${processId}/clear_refs`, '5');
  } catch {
    // Then the peak is that of the process since it began.
  }
}

/** By the kernel's count; NaN where there is no Linux. */
export function readBytes(processId: number, field: 'VmRSS' | 'VmHWM' | 'RssAnon'): number {
  try {
    const status = readFileSync(`/proc/${processId}/status`, 'utf8');
    const kibibytes = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(status)?.[1];
    return Number(kibibytes ?? Number.NaN) * 1024;
  } catch {
    return Number.NaN;
  }
}

/** As `cpuMicrosOf`, of the main thread alone. */
export function mainThreadCpuMicrosOf(processId: number): number {
  return cpuMicrosOf(`${processId}/task/${processId}`);
}

/** What it had the kernel write to block devices: proc(5), write_bytes of /proc/<pid>/io. */
export function writtenBytesOf(processId: number): number {
  try {
    const text = readFileSync(`/proc/${processId}/io`, 'utf8');
    return Number(/^write_bytes: (\d+)/m.exec(text)?.[1] ?? Number.NaN);
  } catch {
    return Number.NaN;
  }
}
