import type { FlushInput } from './compaction/job.ts';
import type { TableFormat } from './compaction/outputs.ts';
import { type Deferred, deferred } from './deferred.ts';
import { type DiskRoom, diskFullError, isDiskFull } from './disk-full.ts';
import type { EngineEvent } from './engine.ts';
import type { LsmError } from './errors.ts';
import type { Memtable } from './memtable/memtable.ts';
import type { FrozenMemtable } from './memtables.ts';
import type { Offload } from './offload/offload.ts';
import type { TableMeta } from './sstable/table-meta.ts';
import type { VersionSet } from './version/version-set.ts';

export interface FlushQueueOptions {
  readonly versions: VersionSet;
  readonly offload: Offload;
  readonly tableFormat: TableFormat;
  readonly diskRoom: DiskRoom;
  readonly pause: ((milliseconds: number) => Promise<void>) | undefined;
  /** Whether those who wait hear of a full disk, also when it is tried again. Without `pause` they always do. */
  readonly failsOnFullDisk: boolean;
  readonly onEvent: (event: EngineEvent) => void;
  /** Awaited before each flush: holds it back while level 0 is too full. */
  readonly beforeFlush: () => Promise<void> | undefined;
  readonly onFlushed: (frozen: FrozenMemtable) => void;
  /** Nothing is written after it. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Frozen memtables on their way into tables of level 0, one after the other, so that positions never run ahead of
 * the tables. What a full disk refuses stays in the queue and is tried again; any other failure is final.
 */
export class FlushQueue {
  readonly #options: FlushQueueOptions;
  /** Oldest first. */
  readonly #items: (FrozenMemtable | Link)[] = [];
  #isRunning = false;
  #running: Promise<void> = Promise.resolve();
  #progress: Deferred | undefined;
  #end: LsmError | undefined;
  /** There is one pause at a time: each failure would begin another, and each end of one brings another failure. */
  #isPausing = false;
  readonly #waits: boolean;
  #flushedBytes = 0;

  constructor(options: FlushQueueOptions) {
    this.#options = options;
    this.#waits = options.pause !== undefined && !options.failsOnFullDisk;
  }

  get flushedBytes(): number {
    return this.#flushedBytes;
  }

  /** Oldest first. */
  frozen(): FrozenMemtable[] {
    return this.#items.filter((item) => 'memtable' in item);
  }

  add(item: FrozenMemtable): FrozenMemtable {
    this.#items.push(item);
    this.#start();
    return item;
  }

  /**
   * Carries out work when everything queued before is flushed, while nothing else is. Rejects with what it rejects
   * with; and with what keeps the queue from coming to it, and then it is never carried out.
   */
  async exclusively(work: () => Promise<void>): Promise<void> {
    const link: Link = { work, done: deferred(), isBegun: false };
    this.#items.push(link);
    this.#start();
    try {
      await this.#progressUntilGone(link);
    } catch (error) {
      if (!link.isBegun) {
        this.#items.splice(this.#items.indexOf(link), 1);
        throw error;
      }
    }
    await link.done.promise;
  }

  /** Resolves when a frozen memtable is in a table. */
  async flushed(item: FrozenMemtable): Promise<void> {
    await this.#progressUntilGone(item);
  }

  /** Resolves when something has left the queue. Rejects when the queue has ended, and with DISK_FULL (`failsOnFullDisk`). */
  progress(): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const progress = this.#progress ?? deferred();
    this.#progress = progress;
    // Whoever is to hear of a full disk hears how it is now.
    if (this.#isPausing && !this.#waits) this.#start();
    return progress.promise;
  }

  /** Tries again what a full disk refused, unless that happens by itself soon: it writes until it fails. */
  retry(): void {
    if (this.#items.length > 0 && !this.#isPausing) this.#start();
  }

  /** Nothing more is flushed; whoever waits gets `error`. Resolves when what is under way is over. */
  async stop(error: LsmError): Promise<void> {
    this.#end ??= error;
    this.#rejectProgress(error);
    await this.#running;
  }

  #start(): void {
    if (this.#isRunning || this.#end !== undefined) return;
    this.#isRunning = true;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const item = this.#items[0];
        if (item === undefined || this.#end !== undefined) break;
        if ('memtable' in item) await this.#flush(item);
        else await this.#carryOut(item);
        this.#items.shift();
        this.#progress?.resolve();
        this.#progress = undefined;
      }
      this.#isRunning = false;
    } catch (error) {
      this.#isRunning = false;
      if (isDiskFull(error)) this.#waitForRoomOnDisk(error);
      else this.#options.onFailure(error);
    }
  }

  /** In this order: the table is durable, the manifest names it and the positions, then they are announced. */
  async #flush(frozen: FrozenMemtable): Promise<void> {
    const { memtable, positions, lastSeq } = frozen;
    const { versions, onEvent, onFlushed, diskRoom, beforeFlush } = this.#options;
    if (memtable.entryCount > 0) {
      await beforeFlush();
      const bytes = memtable.sizeBytes;
      onEvent({ kind: 'flush-begin', bytes });
      const table = await this.#writeTable(memtable);
      const added = [{ level: 0, table }];
      await versions.commit({ added, lastSeq, positions }, [table]);
      this.#flushedBytes += table.bytes;
      onEvent({ kind: 'flush-end', bytes: table.bytes, table: table.fileNumber });
    } else {
      await versions.commit({ positions });
    }
    diskRoom.worked();
    onFlushed(frozen);
    onEvent({ kind: 'positions-flushed', positions });
  }

  async #writeTable(memtable: Memtable): Promise<TableMeta> {
    const { offload, versions, tableFormat } = this.#options;
    const fileNumber = versions.allocateFileNumbers(1);
    const input: FlushInput = { ...tableFormat, memtable: memtable.transfer(), fileNumber };
    return (await offload.run('flush', input)) as TableMeta;
  }

  /** What goes wrong in it is told to who asked for it; it decides itself what is final. */
  async #carryOut(link: Link): Promise<void> {
    const { work, done } = link;
    link.isBegun = true;
    try {
      await work();
      done.resolve();
    } catch (error) {
      done.reject(error as Error);
    }
  }

  #waitForRoomOnDisk(error: unknown): void {
    this.#options.diskRoom.full(error);
    void this.#retryLater();
    if (!this.#waits)
      this.#rejectProgress(diskFullError('what is in memory cannot be flushed', error));
  }

  async #retryLater(): Promise<void> {
    const { pause } = this.#options;
    if (pause === undefined || this.#isPausing) return;
    this.#isPausing = true;
    await pause(RETRY_MS);
    this.#isPausing = false;
    this.retry();
  }

  #rejectProgress(error: LsmError): void {
    this.#progress?.reject(error);
    this.#progress = undefined;
  }

  async #progressUntilGone(item: FrozenMemtable | Link): Promise<void> {
    while (this.#items.includes(item)) await this.progress();
  }
}

/** Something that has a place in the order of flushes. */
interface Link {
  readonly work: () => Promise<void>;
  readonly done: Deferred;
  isBegun: boolean;
}

const RETRY_MS = 1000;
