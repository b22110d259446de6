import type {
  CompareAndSet,
  CompareAndSetOutcome,
  DataPlane,
  GetOptions,
  GetOutcome,
  HistoricValue,
  HistoryOutcome,
  HistoryQuery,
  ListOutcome,
  ListQuery,
  Watch,
  WatchedValue,
  Watcher,
  WatchPosition,
  WriteFailure,
  WriteSink,
} from '../../broker/data-plane.ts';
import { unixMsToVersion } from '../../broker/data-plane.ts';
import {
  isReserved,
  isReservedText,
  keyBytes,
  keyText,
  reaches,
} from '../../broker/reserved-keys.ts';

export interface FakeWrite {
  readonly sink: WriteSink;
  readonly token: number;
  readonly key: string;
  readonly value: Buffer;
  readonly time: number;
  readonly ttlMs: number;
}

/** What the newest write of a key has left. */
interface Stored extends HistoricValue {
  readonly token: string | undefined;
}

interface OpenWatch {
  readonly filter: string;
  readonly watcher: Watcher;
  readonly after: number;
  /** Changes of a key wait until its snapshot was delivered. */
  snapshotPending: boolean;
}

/**
 * A store in memory behind the broker's port. It commits writes when they come, or holds them until the test
 * says so, or fails them.
 */
export class FakeDataPlane implements DataPlane {
  /** `true`: writes wait in `held` for `commit` or `fail`. */
  hold = false;
  /** What `write` returns: `false` asks the connection to stop reading. */
  room = true;
  /** Every answer is `unavailable`. */
  down = false;
  /** Only deletes are taken. */
  full = false;
  /** The options of every `get`. */
  readonly gets: (GetOptions | undefined)[] = [];
  readonly held: FakeWrite[] = [];
  readonly writes: FakeWrite[] = [];
  /** How many values all snapshots together have handed out. */
  snapshotItems = 0;
  readonly forgotten = new Set<WriteSink>();
  readonly watches = new Set<OpenWatch>();
  readonly #newest = new Map<string, Stored>();
  /** Of each key, oldest first. */
  readonly #history = new Map<string, HistoricValue[]>();
  #version = unixMsToVersion(Date.UTC(2024, 0, 1));

  write(
    sink: WriteSink,
    token: number,
    buffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    time = 0,
    ttlMs = 0,
  ): boolean {
    const key = keyText(buffer.subarray(keyStart, keyEnd));
    const value = Buffer.from(buffer.subarray(valueStart, valueEnd));
    const write = { sink, token, key, value, time, ttlMs };
    this.writes.push(write);
    if (this.hold) this.held.push(write);
    else this.#apply(write);
    return this.room;
  }

  async compareAndSet(request: CompareAndSet): Promise<CompareAndSetOutcome> {
    const { key, value, ifVersion, ttlMs } = request;
    if (this.down) return { kind: 'failed', failure: 'no-quorum' };
    const isDelete = value.length === 0;
    if (this.full && !isDelete) return { kind: 'failed', failure: 'storage-full' };
    const text = keyText(key);
    const token = request.token && Buffer.from(request.token).toString('hex');
    const newest = this.#newest.get(text);
    const current = newest === undefined || newest.deleted ? null : newest.version;
    if (current !== ifVersion) {
      const isRepetition = current !== null && token !== undefined && newest?.token === token;
      if (!isRepetition) return { kind: 'lost', version: current };
      return { kind: 'won', version: current, expiresAt: newest?.expiresAt };
    }
    const stored = this.#put(text, value, ttlMs, token);
    return { kind: 'won', version: stored.version, expiresAt: stored.expiresAt };
  }

  forget(sink: WriteSink): void {
    this.forgotten.add(sink);
    for (let i = this.held.length - 1; i >= 0; i -= 1) {
      if (this.held[i]?.sink === sink) this.held.splice(i, 1);
    }
  }

  async get(key: Uint8Array, options?: GetOptions): Promise<GetOutcome> {
    this.gets.push(options);
    if (this.down) return { kind: 'unavailable' };
    const { at } = options ?? {};
    const text = keyText(key);
    const found =
      at === undefined
        ? this.#newest.get(text)
        : this.#historyOf(text).findLast(({ time }) => time <= at);
    if (found === undefined || found.deleted) return { kind: 'not-found' };
    return { kind: 'found', ...found };
  }

  async history({ key, from, to, limit, ascending }: HistoryQuery): Promise<HistoryOutcome> {
    if (this.down) return { kind: 'unavailable' };
    const oldestFirst = this.#historyOf(keyText(key));
    const found = oldestFirst.filter(({ time }) => time >= from && time < to);
    if (!ascending) found.reverse();
    return { kind: 'page', items: found.slice(0, limit), more: found.length > limit };
  }

  async list(query: ListQuery): Promise<ListOutcome> {
    if (this.down) return { kind: 'unavailable' };
    const { prefix, after, from, to, reverse = false, limit, values } = query;
    const within = keyText(prefix);
    const found = this.#sorted().filter(({ key }) => {
      const text = keyText(key);
      const inside =
        isReservedText(within) === isReserved(key) &&
        (within === '' || text === within || text.startsWith(`${within}/`));
      const order = Buffer.compare(key, after);
      const isNext = after.length === 0 || (reverse ? order < 0 : order > 0);
      const isFrom = from === undefined || Buffer.compare(key, from) >= 0;
      return inside && isNext && isFrom && (to === undefined || Buffer.compare(key, to) < 0);
    });
    if (reverse) found.reverse();
    const items = found
      .slice(0, limit)
      .map((item) => (values ? item : { ...item, value: new Uint8Array(0) }));
    return { kind: 'page', items, more: found.length > limit };
  }

  /** All keys are in shard 0. */
  watch(filter: string, watcher: Watcher, after?: WatchPosition): Watch {
    const open = { filter, watcher, after: after?.get(0) ?? 0, snapshotPending: true };
    this.watches.add(open);
    void this.#snapshot(open);
    return {
      position: () => new Map(open.snapshotPending ? [] : [[0, this.#version]]),
      close: () => void this.watches.delete(open),
    };
  }

  /** Commits the oldest held write, or the one given. */
  commit(write: FakeWrite | undefined = this.held[0]): void {
    if (write === undefined) throw new Error('no write is held');
    this.held.splice(this.held.indexOf(write), 1);
    this.#apply(write);
  }

  commitAll(): void {
    while (this.held.length > 0) this.commit();
  }

  fail(failure: WriteFailure, write: FakeWrite | undefined = this.held[0]): void {
    if (write === undefined) throw new Error('no write is held');
    this.held.splice(this.held.indexOf(write), 1);
    write.sink.writeFailed(write.token, failure);
  }

  /** Stores a value as if it had come from another node. An empty one deletes. */
  store(key: string, value: string | Uint8Array, ttlMs = 0): number {
    return this.#put(key, typeof value === 'string' ? Buffer.from(value) : value, ttlMs).version;
  }

  /** The time of a value that was to expire has come. */
  expire(key: string): number {
    if (this.#newest.get(key)?.expiresAt === undefined) throw new Error(`${key} does not expire`);
    return this.store(key, '');
  }

  /** Gives back the memory of a long test: what was asked and written, and all but the newest values. */
  forgetPast(): void {
    this.writes.length = 0;
    this.gets.length = 0;
    this.forgotten.clear();
    this.#history.clear();
  }

  value(key: string): string | undefined {
    const stored = this.#newest.get(key);
    return stored === undefined || stored.deleted
      ? undefined
      : Buffer.from(stored.value).toString();
  }

  /** Hands any item to a watch; out of order if the test wants so. */
  deliver(open: OpenWatch, item: WatchedValue): void {
    void open.watcher.value(item);
  }

  watchOf(filter: string): OpenWatch {
    for (const open of this.watches) if (open.filter === filter) return open;
    throw new Error(`no watch on ${filter}`);
  }

  #apply({ sink, token, key, value, ttlMs }: FakeWrite): void {
    if (this.full && value.length > 0) sink.writeFailed(token, 'storage-full');
    else sink.writeCommitted(token, this.#put(key, value, ttlMs).version);
  }

  #put(key: string, value: Uint8Array, ttlMs: number, token?: string): Stored {
    this.#version += 4096;
    const version = this.#version;
    const stored: Stored = {
      key: keyBytes(key),
      value,
      version,
      time: version,
      expiresAt: ttlMs === 0 ? undefined : version + ttlMs * 4096,
      deleted: value.length === 0,
      token,
    };
    this.#newest.set(key, stored);
    const history = this.#history.get(key) ?? [];
    history.push(stored);
    this.#history.set(key, history);
    const change = { ...stored, snapshot: false };
    for (const open of [...this.watches]) {
      if (reaches(open.filter, key)) this.deliver(open, change);
    }
    return stored;
  }

  async #snapshot(open: OpenWatch): Promise<void> {
    const isNews = (item: Stored) => (open.after === 0 ? !item.deleted : item.version > open.after);
    for (const item of this.#sorted(isNews)) {
      if (!this.watches.has(open)) return;
      if (!reaches(open.filter, keyText(item.key))) continue;
      this.snapshotItems += 1;
      const held = open.watcher.value({ ...item, snapshot: !item.deleted });
      if (held !== undefined) await held;
    }
    open.snapshotPending = false;
    if (this.watches.has(open)) open.watcher.snapshotDone();
  }

  /** A copy. */
  #historyOf(key: string): HistoricValue[] {
    return [...(this.#history.get(key) ?? [])];
  }

  #sorted(isWanted: (item: Stored) => boolean = ({ deleted }) => !deleted): Stored[] {
    const current = [...this.#newest.values()].filter(isWanted);
    return current.sort((a, b) => Buffer.compare(a.key, b.key));
  }
}
