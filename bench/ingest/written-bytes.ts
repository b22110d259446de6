import { setTimeout as delay } from 'node:timers/promises';
import { writtenBytesOf } from '../process-figures.ts';
import { settle } from '../verbs/settle.ts';
import type { Contender } from './contenders.ts';
import type { Scenario } from './scenarios.ts';

/** Bytes written by all processes of a contender together; null: it does not say. */
export interface WrittenBytes {
  readonly log: number | null;
  readonly flush: number | null;
  readonly compaction: number | null;
  /** What the kernel counts for block devices, whoever wrote it. */
  readonly kernel: number;
  readonly rounds: number | null;
}

const LOOK_MS = 500;

/** Waits until flushes and compactions, or whatever else is on its way to the disk, have come to rest. */
export async function readWritten(contender: Contender): Promise<WrittenBytes> {
  const { processes, dss, saveNow } = contender;
  saveNow?.();
  if (dss !== undefined) await settle(dss);
  else await untilNothingIsWritten(contender);
  const statuses = (await dss?.status()) ?? [];
  const sumOf = (part: 'log' | 'storage', counter: string): number | null =>
    dss === undefined
      ? null
      : statuses.reduce((sum, status) => sum + (status[part]?.[counter] ?? 0), 0);
  return {
    log: sumOf('log', 'bytesWritten'),
    flush: sumOf('storage', 'flushedBytes'),
    compaction: sumOf('storage', 'compactedBytes'),
    kernel: processes.reduce((sum, { processId }) => sum + writtenBytesOf(processId), 0),
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
    kernel: difference('kernel'),
    rounds: known('rounds'),
  };
}

/** Key and value of a reading, as its device sent them; a key is `bench/` and six digits. */
export function readingBytes({ valueBytes }: Pick<Scenario, 'valueBytes'>): number {
  return 'bench/000000'.length + valueBytes;
}
