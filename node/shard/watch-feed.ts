import {
  isReserved,
  isReservedText,
  keyBytes,
  keyText,
  reaches,
} from '../../broker/reserved-keys.ts';
import type { EngineSnapshot } from '../../lsm/engine.ts';
import { slotOf } from '../ring/slots.ts';
import type { WriteObserver } from './apply-writes.ts';
import { isExpired } from './condition.ts';
import { type CurrentValue, type Pause, readCurrent, scanCurrent } from './current-values.ts';

/** Some of what a watch has to tell: everything of the log in `(fromIndex, toIndex]` that matches. */
export interface WatchBatch {
  readonly fromIndex: number;
  readonly toIndex: number;
  /** Current values as of `toIndex`; else changes. */
  readonly snapshot: boolean;
  /** The last batch of the snapshot. Carries the shard's highest version as of `toIndex`. */
  readonly snapshotDone: boolean;
  readonly highestVersion: number;
  readonly items: readonly ToldValue[];
}

/** A change is one object for all who watch it: `snapshot` is false in it, and nobody need make a copy to say so. */
export interface ToldValue extends CurrentValue {
  readonly snapshot?: false;
}

export interface WatchSink {
  /** A promise holds a snapshot back until it resolves; changes do not wait. */
  deliver(batch: WatchBatch): Promise<void> | undefined;
  /** Nothing more comes from here: the replica is gone, has halted, or its content is that of a snapshot now. */
  feedClosed(): void;
}

export interface WatchRequest {
  readonly filter: string;
  /** Highest version delivered before: only what is newer is told, deletions included. 0: all current values. */
  readonly after: number;
  readonly sink: WatchSink;
}

const SNAPSHOT_BATCH_ITEMS = 256;
/** A batch ends when it has grown to this: it is one message to another node, and those have a limit. */
const BATCH_BYTES_MAX = 256 * 1024;
/** Changes that arrive while a snapshot is sent wait here; beyond this only the newest of each key does. */
const PENDING_ITEMS_MAX = 10_000;

/**
 * The watches that one replica serves (DESIGN §6, Watches). A watch begins with an engine snapshot at applied
 * index A and goes on with every entry after A, so nothing is missed and nothing goes back.
 */
export class WatchFeed implements WriteObserver {
  readonly #watches = new Set<ShardWatch>();
  readonly #reservedWatches = new Set<ShardWatch>();
  readonly #touched = new Set<ShardWatch>();
  /** Of the entry that is being applied, those that somebody watches. */
  #changesToTell = 0;

  get changesToTell(): number {
    return this.#changesToTell;
  }

  get wantsWrites(): boolean {
    return this.#watches.size > 0;
  }

  get wantsReservedWrites(): boolean {
    return this.#reservedWatches.size > 0;
  }

  written(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    version: number,
    time: number,
    isDelete: boolean,
    expiresAt: number,
  ): void {
    const key = bytes.slice(keyStart, keyEnd);
    const text = keyText(key);
    let item: ToldValue | undefined;
    // Where many watch the same, they come one after the other: the filter is looked at once.
    let filter: string | undefined;
    let isReached = false;
    for (const watch of isReserved(key) ? this.#reservedWatches : this.#watches) {
      if (watch.filter !== filter) {
        filter = watch.filter;
        isReached = reaches(filter, text);
      }
      if (!isReached) continue;
      item ??= {
        key,
        value: bytes.slice(valueStart, valueEnd),
        version,
        time,
        deleted: isDelete,
        snapshot: false,
        ...(expiresAt === 0 ? {} : { expiresAt }),
      };
      watch.collect(item);
      this.#touched.add(watch);
    }
    if (item !== undefined) this.#changesToTell += 1;
  }

  /** The entry at `index` is applied: what it changed may leave. */
  entryApplied(index: number): void {
    this.#changesToTell = 0;
    for (const watch of this.#touched) watch.flush(index);
    this.#touched.clear();
  }

  /**
   * Opens a watch at the state that `snapshot` shows; call it between entries. The sink hears nothing before this has
   * returned: reading may find damage, which ends the replica and all its watches at once.
   */
  open(
    request: WatchRequest,
    at: {
      readonly snapshot: EngineSnapshot;
      readonly appliedIndex: number;
      readonly highestVersion: number;
      /** Of deletes before this version the tombstones may be gone. */
      readonly tombstoneCutoff: number;
      readonly firstSlot: number;
      readonly slotCount: number;
      readonly pause: Pause;
    },
  ): { close(): void; done: Promise<void> } {
    // Whoever has missed that much begins afresh: nobody can tell any more what was deleted since.
    const after = request.after < at.tombstoneCutoff ? Math.min(request.after, 1) : request.after;
    const watch = new ShardWatch({ ...request, after }, at.appliedIndex);
    const watches = isReservedText(request.filter) ? this.#reservedWatches : this.#watches;
    watches.add(watch);
    const done = Promise.resolve()
      .then(() => sendSnapshot(watch, at))
      .catch((error: unknown) => {
        if (!watch.closed) throw error;
      })
      .finally(() => at.snapshot.close());
    return {
      done,
      close: () => {
        watch.closed = true;
        watches.delete(watch);
        this.#touched.delete(watch);
      },
    };
  }

  /** Ends all watches. Those that follow them go on elsewhere, or begin anew here. */
  closeAll(): void {
    const watches = [...this.#watches, ...this.#reservedWatches];
    this.#watches.clear();
    this.#reservedWatches.clear();
    this.#touched.clear();
    for (const watch of watches) watch.closed = true;
    for (const { sink } of watches) sink.feedClosed();
  }
}

interface PendingChange {
  readonly item: CurrentValue;
  /** Of its entry; 0 while that is being applied. */
  index: number;
}

class ShardWatch {
  readonly filter: string;
  readonly after: number;
  readonly sink: WatchSink;
  closed = false;
  #live = false;
  /** Everything of the log up to here has been told. */
  #coveredIndex: number;
  /** In log order. */
  #pending: PendingChange[] = [];
  #conflateAt = PENDING_ITEMS_MAX;

  constructor(request: WatchRequest, appliedIndex: number) {
    this.filter = request.filter;
    this.after = request.after;
    this.sink = request.sink;
    this.#coveredIndex = appliedIndex;
  }

  collect(item: CurrentValue): void {
    this.#pending.push({ item, index: 0 });
    if (!this.#live && this.#pending.length > this.#conflateAt) this.#conflate();
  }

  /** Tells what was collected up to `index`, or keeps it until the snapshot is out. */
  flush(index: number): void {
    for (let i = this.#pending.length - 1; i >= 0; i--) {
      const change = this.#pending[i] as PendingChange;
      if (change.index !== 0) break;
      change.index = index;
    }
    if (this.#live && !this.closed) this.#sendPending();
  }

  /** The snapshot is out: from here on changes leave as they come. */
  goLive(): void {
    this.#live = true;
    this.#sendPending();
  }

  /** Cut between entries only, so that every batch can say which part of the log it covers. */
  #sendPending(): void {
    const pending = this.#pending;
    this.#pending = [];
    let items: CurrentValue[] = [];
    let bytes = 0;
    for (const [i, { item, index }] of pending.entries()) {
      items.push(item);
      bytes += item.key.length + item.value.length;
      const next = pending[i + 1];
      if (next !== undefined && (next.index === index || bytes < BATCH_BYTES_MAX)) continue;
      this.#send(items, index);
      items = [];
      bytes = 0;
    }
  }

  #send(items: readonly CurrentValue[], toIndex: number): void {
    const fromIndex = this.#coveredIndex;
    this.#coveredIndex = toIndex;
    const highestVersion = items.at(-1)?.version ?? 0;
    void this.sink.deliver({
      fromIndex,
      toIndex,
      snapshot: false,
      snapshotDone: false,
      highestVersion,
      items,
    });
  }

  #conflate(): void {
    const newest = new Map<string, PendingChange>();
    for (const change of this.#pending) {
      const key = keyText(change.item.key);
      newest.delete(key);
      newest.set(key, change);
    }
    this.#pending = [...newest.values()];
    // Where nearly every key is a new one, going over all of them for each would take for ever.
    this.#conflateAt = Math.max(PENDING_ITEMS_MAX, this.#pending.length * 2);
  }
}

async function sendSnapshot(
  watch: ShardWatch,
  at: Parameters<WatchFeed['open']>[1],
): Promise<void> {
  const batchOf = (items: CurrentValue[], snapshotDone: boolean): WatchBatch => ({
    fromIndex: 0,
    toIndex: at.appliedIndex,
    snapshot: true,
    snapshotDone,
    highestVersion: at.highestVersion,
    items,
  });
  let items: CurrentValue[] = [];
  let bytes = 0;
  const visit = async (item: CurrentValue): Promise<boolean> => {
    if (watch.closed) return false;
    if (
      !isNews(item, watch.after) ||
      isExpired(item.expiresAt ?? 0, at.highestVersion) ||
      !reaches(watch.filter, keyText(item.key))
    )
      return true;
    items.push(item);
    bytes += item.key.length + item.value.length;
    if (items.length < SNAPSHOT_BATCH_ITEMS && bytes < BATCH_BYTES_MAX) return true;
    await watch.sink.deliver(batchOf(items, false));
    items = [];
    bytes = 0;
    return true;
  };
  await scanMatching(watch.filter, at, visit);
  if (watch.closed) return;
  await watch.sink.deliver(batchOf(items, true));
  watch.goLive();
}

async function scanMatching(
  filter: string,
  at: Parameters<WatchFeed['open']>[1],
  visit: (item: CurrentValue) => Promise<boolean>,
): Promise<void> {
  const prefix = keyBytes(literalPrefix(filter));
  if (isLiteral(filter)) {
    const item = await readCurrent(at.snapshot, slotOf(prefix, 0, prefix.length), prefix);
    if (item !== undefined) await visit(item);
    return;
  }
  for (let slot = at.firstSlot; slot < at.firstSlot + at.slotCount; slot++) {
    await scanCurrent(at.snapshot, slot, { prefix, after: NOTHING }, at.pause, visit);
  }
}

/** A first watch is told what exists; one that is opened again also what was deleted since. */
function isNews(item: CurrentValue, after: number): boolean {
  return after === 0 ? !item.deleted : item.version > after;
}

export function isLiteral(filter: string): boolean {
  return !filter.includes('+') && !filter.includes('#');
}

/** The whole levels before the first wildcard: every key that matches is this key or lies below it. */
function literalPrefix(filter: string): string {
  const levels = filter.split('/');
  const wildcard = levels.findIndex((level) => level === '+' || level === '#');
  return wildcard < 0 ? filter : levels.slice(0, wildcard).join('/');
}

const NOTHING = new Uint8Array(0);
