import { corruptionEvent } from '../corruption.ts';
import { Db } from '../db.ts';
import type { EngineEvent } from '../engine.ts';
import { openError } from '../errors.ts';
import type { DbOptions } from '../options.ts';
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
  readonly handlers: EventHandlers;
  readonly unlock: () => Promise<void>;
}

/** What the store does about events of its engine; there is no log before it has been read. */
interface EventHandlers {
  positionsFlushed: (positions: Uint8Array) => void;
  diskFull: () => void;
}

/** Takes the directory, opens the engine and brings it up to the end of the log. */
export async function openStore(options: StoreOptions): Promise<StoreParts> {
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
    const handlers = { positionsFlushed: () => {}, diskFull: () => {} } as EventHandlers;
    const db = await Db.open(engineOptions(options, position, handlers));
    opened.push(db);
    const flushed = db.flushedPositions();
    checkPositions(flushed, position.suffixBytes);
    position.applied = recordIn(flushed);
    const { wal, isCleanEnd } = await replayLog(options, db, position);
    opened.push(wal);
    handlers.positionsFlushed = (positions) => {
      // A log that failed says so at the next append.
      wal.removeThrough(recordIn(positions)).catch(() => {});
    };
    if (flushed !== undefined) handlers.positionsFlushed(flushed);
    if (!isCleanEnd) await flushIfThereIsRoom(db, handlers);
    return { db, wal, position, handlers, unlock };
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
    notePositions: () => encodePosition(position),
    onEvent: (event: EngineEvent) => {
      if (event.kind === 'positions-flushed') handlers.positionsFlushed(event.positions);
      if (event.kind === 'disk-full') handlers.diskFull();
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
  const { vfs, directory, logFileBytes, onEvent } = options;
  let isCleanEnd = true;
  const wal = await Wal.open({
    vfs,
    directory,
    after: position.applied,
    onRecord: async (payload, number) => {
      const room = db.waitForRoom();
      if (room !== undefined) await room;
      applyOperations(payload, db);
      position.applied = number;
      isCleanEnd = payload.length === 0;
    },
    ...(logFileBytes === undefined ? {} : { fileBytes: logFileBytes }),
  });
  for (const detail of wal.recovered.damage) onEvent?.(corruptionEvent(detail));
  // Records that are gone cannot be applied; their numbers are used up all the same.
  position.applied = Math.max(position.applied, wal.lastRecord);
  return { wal, isCleanEnd };
}

/**
 * Syncs the log, and says in it that this was done: a record without operations, which nothing else writes. What
 * would take the next `open` long goes into tables now.
 */
export async function endCleanly({ db, wal, position, handlers }: StoreParts): Promise<void> {
  if (position.applied === recordIn(db.flushedPositions())) return;
  const { memtableBytes, frozenMemtables } = db.statistics();
  if (frozenMemtables > 0 || memtableBytes > LEFT_IN_LOG_BYTES) {
    await flushIfThereIsRoom(db, handlers);
  } else if (wal.lastRecord > wal.recovered.lastRecord) {
    await wal.append([], { sync: true });
  }
}

/** About a millisecond of replaying. */
const LEFT_IN_LOG_BYTES = 128 * 1024;

/**
 * A flush waits for room on a full disk, perhaps for ever. What is not in tables is in the log; that has to do then.
 */
async function flushIfThereIsRoom(db: Db, handlers: EventHandlers): Promise<void> {
  if (db.isDiskFull) return;
  const isFull = new Promise<void>((resolve) => {
    handlers.diskFull = resolve;
  });
  await Promise.race([db.flush(), isFull]);
}
