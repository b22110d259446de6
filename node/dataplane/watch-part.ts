import type { WatchedValue, Watcher } from '../../broker/data-plane.ts';
import type { Replica } from '../shard/replica.ts';
import type { ToldValue, WatchBatch, WatchSink } from '../shard/watch-feed.ts';

/** Below every version, and yet not "none before": what was deleted is told as well. */
const FIRST_VERSION = 1;

/** One shard's part of a watch. */
export class WatchPart implements WatchSink {
  readonly group: number;
  closed = false;
  /** The node that serves it, if that is not this one. */
  servedBy: string | undefined;
  remoteId = 0;
  heardAtMs = 0;
  /** The replica on this node that could not read what the watch begins with. */
  unreadable: Replica | undefined;
  /** The log up to here has been told. */
  coveredIndex = 0;
  /** Of this conversation: messages of the snapshot, and bytes that were delivered, modulo 2^32. */
  snapshotMessages = 0;
  consumedBytes = 0;
  readonly #filter: string;
  readonly #watcher: Watcher;
  readonly #snapshotDone: () => void;
  readonly #unserved: (part: WatchPart) => void;
  /** Nodes that were asked to serve it since a snapshot was whole, and the one that told that. */
  readonly #tried = new Set<string>();
  #hadSnapshot = false;
  #hadValues = false;
  /** Everything up to this version has been delivered; a part that is opened again goes on from here. */
  #deliveredVersion: number;
  #closeFeed: (() => void) | undefined;

  constructor(options: {
    readonly group: number;
    readonly filter: string;
    readonly watcher: Watcher;
    /** Everything up to this version has been delivered by an earlier watch; 0: nothing. */
    readonly after?: number | undefined;
    /** The first snapshot has been told; called once. */
    readonly snapshotDone: () => void;
    /** The replica on this node serves it no longer. */
    readonly unserved: (part: WatchPart) => void;
  }) {
    this.group = options.group;
    this.#filter = options.filter;
    this.#watcher = options.watcher;
    this.#deliveredVersion = options.after ?? 0;
    this.#snapshotDone = options.snapshotDone;
    this.#unserved = options.unserved;
  }

  get deliveredVersion(): number {
    return this.#deliveredVersion;
  }

  /** After an unfinished snapshot everything is told again, and what was deleted since with it. */
  request(): { filter: string; after: number } {
    const told = this.#hadValues ? FIRST_VERSION : 0;
    return { filter: this.#filter, after: Math.max(told, this.#deliveredVersion) };
  }

  /** A watcher may have closed it while its first values were told. */
  openedLocally(handle: { close(): void }): void {
    if (this.closed) handle.close();
    else this.#closeFeed = handle.close;
  }

  get isServed(): boolean {
    return this.#closeFeed !== undefined || this.servedBy !== undefined;
  }

  feedClosed(): void {
    this.#closeFeed = undefined;
    this.#unserved(this);
  }

  leaveHere(): void {
    this.#closeFeed?.();
    this.#closeFeed = undefined;
  }

  /** Whom to ask next of these nodes, the likeliest first: each once, before any is asked again. */
  nextOf(nodes: readonly string[]): string | undefined {
    let next = nodes.find((node) => !this.#tried.has(node));
    if (next === undefined) {
      this.#tried.clear();
      next = nodes[0];
    }
    if (next !== undefined) this.#tried.add(next);
    return next;
  }

  /** More is known than when they were asked. */
  forgetTried(): void {
    this.#tried.clear();
  }

  openedRemotely(node: string, id: number, nowMs: number): void {
    this.servedBy = node;
    this.remoteId = id;
    this.heardAtMs = nowMs;
    this.coveredIndex = 0;
    this.snapshotMessages = 0;
    this.consumedBytes = 0;
  }

  deliver(batch: WatchBatch): Promise<void> | undefined {
    if (this.closed) return undefined;
    const isFirst = batch.snapshot && !this.#hadSnapshot;
    const held = this.#tell(batch.items, isFirst);
    if (batch.snapshot && !batch.snapshotDone) return held;
    this.coveredIndex = batch.toIndex;
    this.#deliveredVersion = Math.max(this.#deliveredVersion, batch.highestVersion);
    if (batch.snapshotDone) this.#servedWell();
    if (isFirst) {
      this.#hadSnapshot = true;
      this.#snapshotDone();
    }
    return held;
  }

  close(): void {
    this.closed = true;
    this.#closeFeed?.();
  }

  #servedWell(): void {
    this.#tried.clear();
    if (this.servedBy !== undefined) this.#tried.add(this.servedBy);
  }

  #tell(items: readonly ToldValue[], snapshot: boolean): Promise<void> | undefined {
    const holds: Promise<void>[] = [];
    if (items.length > 0) this.#hadValues = true;
    for (const item of items) {
      const held = this.#watcher.value(watchedValue(item, snapshot && !item.deleted));
      if (held !== undefined) holds.push(held);
    }
    return holds.length === 0 ? undefined : Promise.all(holds).then(() => {});
  }
}

function watchedValue(item: ToldValue, snapshot: boolean): WatchedValue {
  return item.snapshot === snapshot ? (item as WatchedValue) : { ...item, snapshot };
}
