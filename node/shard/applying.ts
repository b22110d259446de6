import type { Stages } from '../../broker/stages.ts';
import type { StorageEngine } from '../../lsm/engine.ts';
import type { Entry } from '../raft/types.ts';
import type { Replica } from './replica.ts';

/** Entries that everybody has stay in memory up to here, so that a follower a little behind needs no disk. */
const CACHED_ENTRIES_MAX = 256;
/** And of each group no more than this: while a node is away nobody's entries are what everybody has. */
const CACHED_BYTES_MAX = 256 * 1024;

const OF_EVERY_REPLICA = ['replicate', 'append', 'sync', 'commit', 'apply'] as const;

/** Applies what is committed, one replica after the other. */
export class Applying {
  readonly #engine: StorageEngine;
  readonly #stages: Stages | undefined;
  /** `complaint` says why an entry could not be understood, or applied. */
  readonly #onEntry: (replica: Replica, entry: Entry, complaint: string | undefined) => void;
  readonly #onApplied: (replica: Replica) => void;
  readonly #onFailed: (error: unknown) => void;
  /** Those that have something to apply. */
  readonly #waiting = new Set<Replica>();
  #running = false;
  /** Whose entries are being applied. */
  #current: Replica | undefined;
  readonly #whenDone: (() => void)[] = [];
  #stopped = false;

  constructor(options: {
    readonly engine: StorageEngine;
    readonly stages: Stages | undefined;
    readonly onEntry: (replica: Replica, entry: Entry, complaint: string | undefined) => void;
    readonly onApplied: (replica: Replica) => void;
    readonly onFailed: (error: unknown) => void;
  }) {
    this.#engine = options.engine;
    this.#stages = options.stages;
    this.#onEntry = options.onEntry;
    this.#onApplied = options.onApplied;
    this.#onFailed = options.onFailed;
  }

  /**
   * Its queue is not empty, or may have been held back. While something has to wait, as for a disk that is full, the
   * group goes on without this replica: what comes meanwhile is in the log, and need not be in memory, too.
   */
  add(replica: Replica): void {
    this.#waiting.add(replica);
    if (this.#running) replica.raft.unloadCommitted(CACHED_BYTES_MAX);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Waits only where an entry has to: for room in the engine, or for values that it depends on. */
  async run(): Promise<void> {
    if (this.#running || this.#waiting.size === 0) return;
    this.#running = true;
    try {
      for (const replica of this.#waiting) {
        this.#waiting.delete(replica);
        this.#current = replica;
        for (let next = this.#apply(replica); next; next = this.#apply(replica)) await next;
        if (this.#stopped) return;
        this.#end();
      }
    } catch (error) {
      this.#onFailed(error);
    } finally {
      this.#running = false;
      this.#end();
    }
  }

  /** Resolves when nothing of this replica is being applied, now that nothing new reaches it. */
  async whenIdle(replica: Replica): Promise<void> {
    while (this.#current === replica && !this.#stopped) {
      await new Promise<void>((resolve) => this.#whenDone.push(resolve));
    }
  }

  #end(): void {
    this.#current = undefined;
    if (this.#whenDone.length === 0) return;
    for (const resolve of this.#whenDone.splice(0)) resolve();
  }

  #apply(replica: Replica): Promise<void> | undefined {
    const { state } = replica;
    const writesBefore = state.appliedWrites;
    const outer = this.#stages?.enter('apply');
    try {
      return this.#applySome(replica);
    } finally {
      this.#stages?.leave(outer);
      const writes = state.appliedWrites - writesBefore;
      // Each is applied once, after it has passed all of these.
      for (const stage of OF_EVERY_REPLICA) this.#stages?.count(stage, writes);
    }
  }

  /** Returns what the next entry has to wait for; undefined: all are applied that may be. */
  #applySome(replica: Replica): Promise<void> | undefined {
    const queue = replica.applyQueue;
    let applied = 0;
    let waiting: Promise<void> | undefined;
    while (applied < queue.length && replica.mayApply && !this.#stopped) {
      const entry = queue[applied] as Entry;
      waiting = this.#engine.waitForRoom() ?? replica.prepare(entry);
      if (waiting !== undefined) break;
      applied += 1;
      this.#onEntry(replica, entry, replica.apply(entry));
    }
    if (applied > 0 && !this.#stopped) this.#applied(replica, applied);
    return waiting;
  }

  #applied(replica: Replica, count: number): void {
    const queue = replica.applyQueue;
    if (count === queue.length) queue.length = 0;
    else queue.splice(0, count);
    const { raft, state } = replica;
    const { appliedIndex } = state;
    raft.applied(appliedIndex);
    const cachedFrom = Math.max(raft.releasableIndex, appliedIndex - CACHED_ENTRIES_MAX);
    raft.releaseMemory(Math.min(appliedIndex, cachedFrom));
    raft.shrinkMemory(CACHED_BYTES_MAX);
    this.#onApplied(replica);
  }
}
