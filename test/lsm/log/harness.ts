import { expect } from 'vitest';
import { Log, type OpenedLog } from '../../../lsm/log/log.ts';
import type { GroupState, LogEntry } from '../../../lsm/log/types.ts';
import type { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { utf8 as bytes, text } from '../../support/text.ts';

export { bytes };

export const directory = '/data/log';

export function openLog(
  vfs: CrashableMemVfs,
  segmentBytes = 1024 * 1024,
  logId: Uint8Array = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  zerosAheadBytes = 0,
): Promise<OpenedLog> {
  return Log.open({
    vfs,
    directory,
    newLogId: () => logId,
    segmentBytes,
    zerosAheadBytes,
  });
}

/** A new replica of `group`, replica id `group × 10 + 1`, with an empty log. */
export function newGroup(group: number, changes: Partial<GroupState> = {}): GroupState {
  return {
    group,
    replicaId: group * 10 + 1,
    hardState: { term: 0, vote: 0, commit: 0 },
    configuration: bytes(`configuration of ${group}`),
    logStart: { index: 0, term: 0 },
    ...changes,
  };
}

/** Entries `firstIndex` to `lastIndex`, whose data say where they come from. */
export function entries(
  firstIndex: number,
  lastIndex: number,
  term: number,
  note = '',
): LogEntry[] {
  return Array.from({ length: lastIndex - firstIndex + 1 }, (_, at) => {
    const index = firstIndex + at;
    return { term, index, kind: 1, data: bytes(`${term}/${index}${note}`) };
  });
}

/** Stages entries of one group and writes them as a round. */
export async function commit(log: Log, group: number, ...staged: LogEntry[]): Promise<void> {
  log.stage(group, undefined, staged);
  await log.commitRound();
}

export function readAll(log: Log, group: number, firstIndex = 1): Promise<LogEntry[]> {
  return log.read(group, firstIndex, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY);
}

/** The data of a group's entries as strings. */
export async function texts(log: Log, group: number, firstIndex = 1): Promise<string[]> {
  return (await readAll(log, group, firstIndex)).map(({ data }) => text(data));
}

export function path(segment: number): string {
  return `${directory}/${String(segment).padStart(10, '0')}.log`;
}

export function suspects({ groups }: OpenedLog): number[] {
  return groups.filter(({ suspect }) => suspect !== undefined).map(({ group }) => group);
}

/** The first round of a log that has written so much into its first segment starts here. */
export function nextRoundOffset(log: Log): number {
  return log.statistics().bytesWritten;
}

export async function expectCode(promise: Promise<unknown>, code: string): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'LsmError', code });
}
