import { corruptionEvent } from '../corruption.ts';
import { Db } from '../db.ts';
import { isDiskFull } from '../disk-full.ts';
import type { EngineEvent } from '../engine.ts';
import { openError } from '../errors.ts';
import { checkOptions } from '../option-rules.ts';
import { type DbOptions, harmless } from '../options.ts';
import { Wal } from '../wal/wal.ts';
import { applyOperations } from './operations.ts';
import type { StoreOptions } from './options.ts';
import { findPlace } from './place.ts';
import { checkPositions, encodePosition, type Position, recordIn } from './position.ts';

/** What a store is made of. */
export interface StoreParts {
  readonly db: Db;
  readonly wal: Wal;
  readonly position: Position;
  readonly unlock: () => Promise<void>;
}

/** What the store does about events of its engine; there is no log before it has been read. */
interface EventHandlers {
  positionsFlushed: (positions: Uint8Array) => void;
}

/** Takes the directory, opens the engine and brings it up to the end of the log. */
export async function openStore(given: StoreOptions): Promise<StoreParts> {
  checkOptions(given, ['vfs', 'directory', 'offload']);
  const options = { ...given, onEvent: harmless(given.onEvent) };
  try {
    return await openParts(options, await takeDirectory(options));
  } catch (error) {
    throw openError(options.directory, error);
  }
}

/** Returns what gives it free again. */
async function takeDirectory(options: StoreOptions): Promise<StoreParts['unlock']> {
  const { vfs, directory } = options;
  if (!(await findPlace(options))) await vfs.makeDirectory(directory);
  return vfs.lock(directory);
}

async function openParts(options: StoreOptions, unlock: StoreParts['unlock']): Promise<StoreParts> {
  const opened: { close(): Promise<void> }[] = [];
  try {
    const position = { applied: 0, suffixBytes: options.seriesSuffixBytes ?? 0 };
    const handlers: EventHandlers = { positionsFlushed: () => {} };
    const db = await Db.open(engineOptions(options, position, handlers));
    opened.push(db);
    const flushed = db.flushedPositions();
    position.applied = recordIn(flushed);
    const { wal, isCleanEnd } = await replayLog(options, db, position);
    opened.push(wal);
    handlers.positionsFlushed = (positions) => {
      // A log that failed says so at the next append.
      wal.removeThrough(recordIn(positions)).catch(() => {});
    };
    if (flushed !== undefined) handlers.positionsFlushed(flushed);
    if (!isCleanEnd) await unlessFull(db.flush());
    return { db, wal, position, unlock };
  } catch (error) {
    for (const part of opened.reverse()) await part.close().catch(() => {});
    await unlock();
    throw error;
  }
}

function engineOptions(
  options: StoreOptions,
  position: Position,
  handlers: EventHandlers,
): DbOptions {
  return {
    ...options,
    checkTablesAtOpen: false,
    // It is tried again all the same; but whoever calls hears of it, and may have something to remove.
    failsOnFullDisk: true,
    notePositions: () => encodePosition(position),
    // What the suffix is must be known before there is a record: it is replayed into tables that go by it.
    initialPositions: encodePosition(position),
    acceptPositions: (flushed) => checkPositions(flushed, position.suffixBytes),
    onEvent: (event: EngineEvent) => {
      if (event.kind === 'positions-flushed') handlers.positionsFlushed(event.positions);
      options.onEvent?.(event);
    },
  };
}

interface ReplayedLog {
  readonly wal: Wal;
  /** Whether nothing was replayed, or all of it is known to be durable where it is. */
  readonly isCleanEnd: boolean;
}

/**
 * What a process that was killed, or a failing disk, has left in the page cache need not be on the disk, and a sync
 * that succeeds does not say that it is (an earlier one may have failed). Only after a clean end is the log
 * believed; else the caller writes what it gave into tables.
 */
async function replayLog(options: StoreOptions, db: Db, position: Position): Promise<ReplayedLog> {
  const { vfs, directory, logFileBytes, memtableBytes, onEvent } = options;
  let isCleanEnd = true;
  let hasRoom = true;
  const wal = await Wal.open({
    vfs,
    directory,
    after: position.applied,
    onRecord: async (payload, number) => {
      if (hasRoom) hasRoom = await unlessFull(db.waitForRoom());
      applyOperations(payload, db);
      position.applied = number;
      isCleanEnd = payload.length === 0;
    },
    fileBytes: logFileBytes ?? logFileBytesFor(memtableBytes),
  });
  for (const detail of wal.recovered.damage) {
    onEvent?.(corruptionEvent(detail, undefined));
  }
  // Records that are gone cannot be applied; their numbers are used up all the same.
  position.applied = Math.max(position.applied, wal.lastRecord);
  return { wal, isCleanEnd };
}

/**
 * Whether it was done. A full disk keeps nobody from opening or closing: what has no room in tables stays in memory,
 * where it was before, and in the log.
 */
async function unlessFull(work: Promise<void> | undefined): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (isDiskFull(error)) return false;
    throw error;
  }
}

/**
 * What is in tables leaves the log by whole files: one that is much larger than a memtable would hold many of them
 * for nothing. Very small ones would be made and removed all the time.
 */
export function logFileBytesFor(memtableBytes = LOG_FILE_BYTES_MAX): number {
  return Math.min(LOG_FILE_BYTES_MAX, Math.max(LOG_FILE_BYTES_MIN, memtableBytes));
}

const LOG_FILE_BYTES_MIN = 1024 * 1024;
const LOG_FILE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Syncs the log, and says in it that this was done: a record without operations, which nothing else writes. What
 * would take the next `open` long goes into tables now.
 */
export async function endCleanly({ db, wal, position }: StoreParts): Promise<void> {
  if (position.applied === recordIn(db.flushedPositions())) return;
  const { memtableBytes, frozenMemtables } = db.statistics();
  if (frozenMemtables > 0 || memtableBytes > LEFT_IN_LOG_BYTES) {
    await unlessFull(db.flush());
  } else if (wal.lastRecord > wal.recovered.lastRecord) {
    await wal.append([], { sync: true });
  }
}

/** About a millisecond of replaying. */
const LEFT_IN_LOG_BYTES = 128 * 1024;
