import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { writtenBytesOf } from '../process-figures.ts';
import { settle } from '../verbs/settle.ts';
import type { Contender } from './contenders.ts';
import type { Scenario } from './scenarios.ts';

/** Bytes written by all processes of a contender together; null: it does not say. */
export interface WrittenBytes {
  readonly log: number | null;
  readonly flush: number | null;
  readonly compaction: number | null;
  /** What the device was given, by whomever. */
  readonly device: number;
  readonly rounds: number | null;
}

const LOOK_MS = 500;

/** Waits until flushes and compactions, or whatever else is on its way to the disk, have come to rest. */
export async function readWritten(contender: Contender, directory: string): Promise<WrittenBytes> {
  const { dss, saveNow } = contender;
  saveNow?.();
  if (dss !== undefined) await settle(dss);
  else await untilNothingIsWritten(contender);
  // What the page cache still has is written, too, and nothing of it counts for what comes next.
  await promisify(execFile)('sync');
  const statuses = (await dss?.status()) ?? [];
  const sumOf = (part: 'log' | 'storage', counter: string): number | null =>
    dss === undefined
      ? null
      : statuses.reduce((sum, status) => sum + (status[part]?.[counter] ?? 0), 0);
  return {
    log: sumOf('log', 'bytesWritten'),
    flush: sumOf('storage', 'flushedBytes'),
    compaction: sumOf('storage', 'compactedBytes'),
    device: writtenBytesOfDevice(directory),
    rounds: sumOf('log', 'rounds'),
  };
}

async function untilNothingIsWritten({ processes }: Contender): Promise<void> {
  const bytes = () => processes.map(({ processId }) => writtenBytesOf(processId)).join();
  for (let before = ''; before !== bytes(); await delay(LOOK_MS)) before = bytes();
}

export function writtenSince(before: WrittenBytes, after: WrittenBytes): WrittenBytes {
  const difference = (counter: keyof WrittenBytes) =>
    (after[counter] ?? 0) - (before[counter] ?? 0);
  const known = (counter: keyof WrittenBytes) =>
    after[counter] === null ? null : difference(counter);
  return {
    log: known('log'),
    flush: known('flush'),
    compaction: known('compaction'),
    device: difference('device'),
    rounds: known('rounds'),
  };
}

/** Key and value of a reading, as its device sent them; a key is `bench/` and six digits. */
export function readingBytes({ valueBytes }: Pick<Scenario, 'valueBytes'>): number {
  return 'bench/000000'.length + valueBytes;
}

/**
 * What the block device of a folder was given to write, by whomever: /sys/dev/block/<device>/stat, with sectors of 512 bytes.
 * Who writes 4 KiB over what is in the page cache as 256 KiB has 256 KiB counted in `write_bytes`, though 4 KiB are written.
 * NaN where the folder is on no such device.
 */
function writtenBytesOfDevice(directory: string): number {
  try {
    const { dev } = statSync(directory);
    const major = (dev >> 8) & 0xfff;
    const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
    const fields = readFileSync(`/sys/dev/block/${major}:${minor}/stat`, 'utf8')
      .trim()
      .split(/\s+/);
    return Number(fields[SECTORS_WRITTEN]) * SECTOR_BYTES;
  } catch {
    return Number.NaN;
  }
}

/** Documentation/block/stat.rst. */
const SECTORS_WRITTEN = 6;
const SECTOR_BYTES = 512;
