import type {
  DataPlane,
  GetOutcome,
  HistoricValue,
  HistoryOutcome,
  HistoryQuery,
  ListOutcome,
  ListQuery,
  StoredValue,
  Watch,
  WatchedValue,
  Watcher,
  WriteFailure,
  WriteSink,
} from '../../broker/data-plane.ts';
import { unixMsToVersion } from '../../broker/data-plane.ts';
import { matches } from '../../broker/topics.ts';

export interface FakeWrite {
  readonly sink: WriteSink;
  readonly token: number;
  readonly key: string;
  readonly value: Buffer;
  readonly time: number;
}

interface OpenWatch {
  readonly filter: string;
  readonly watcher: Watcher;
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
  readonly held: FakeWrite[] = [];
  readonly writes: FakeWrite[] = [];
  /** How many values all snapshots together have handed out. */
  snapshotItems = 0;
  readonly forgotten = new Set<WriteSink>();
  readonly watches = new Set<OpenWatch>();
  readonly #values = new Map<string, StoredValue>();
  /** Of all keys, newest first. */
  readonly #history: HistoricValue[] = [];
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
  ): boolean {
    const key = Buffer.from(buffer.subarray(keyStart, keyEnd)).toString();
    const value = Buffer.from(buffer.subarray(valueStart, valueEnd));
    const write = { sink, token, key, value, time };
    this.writes.push(write);
    if (this.hold) this.held.push(write);
    else this.#apply(write);
    return this.room;
  }

  forget(sink: WriteSink): void {
    this.forgotten.add(sink);
    for (let i = this.held.length - 1; i >= 0; i -= 1) {
      if (this.held[i]?.sink === sink) this.held.splice(i, 1);
    }
  }

  async get(key: Uint8Array, at?: number): Promise<GetOutcome> {
    if (this.down) return { kind: 'unavailable' };
    const text = Buffer.from(key).toString();
    const found =
      at === undefined
        ? this.#values.get(text)
        : this.#historyOf(text).find(({ time }) => time <= at);
    if (found === undefined || found.value.length === 0) return { kind: 'not-found' };
    return { kind: 'found', ...found };
  }

  async history({ key, from, to, limit, ascending }: HistoryQuery): Promise<HistoryOutcome> {
    if (this.down) return { kind: 'unavailable' };
    const newestFirst = this.#historyOf(Buffer.from(key).toString());
    const found = newestFirst.filter(({ time }) => time >= from && time < to);
    if (ascending) found.reverse();
    return { kind: 'page', items: found.slice(0, limit), more: found.length > limit };
  }

  async list(query: ListQuery): Promise<ListOutcome> {
    if (this.down) return { kind: 'unavailable' };
    const { prefix, after, from, to, reverse = false, limit, values } = query;
    const within = Buffer.from(prefix).toString();
    const found = this.#sorted().filter(({ key }) => {
      const text = Buffer.from(key).toString();
      const inside = within === '' || text === within || text.startsWith(`${within}/`);
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

  watch(filter: string, watcher: Watcher): Watch {
    const open: OpenWatch = { filter, watcher, snapshotPending: true };
    this.watches.add(open);
    void this.#snapshot(open);
    return { close: () => void this.watches.delete(open) };
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
  store(key: string, value: string | Uint8Array): number {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    this.#version += 4096;
    const stored = {
      key: Buffer.from(key),
      value: bytes,
      version: this.#version,
      time: this.#version,
    };
    if (bytes.length === 0) this.#values.delete(key);
    else this.#values.set(key, stored);
    this.#history.unshift({ ...stored, deleted: bytes.length === 0 });
    const change = { ...stored, deleted: bytes.length === 0, snapshot: false };
    for (const open of [...this.watches]) {
      if (matches(open.filter, key)) this.deliver(open, change);
    }
    return this.#version;
  }

  value(key: string): string | undefined {
    const stored = this.#values.get(key);
    return stored === undefined ? undefined : Buffer.from(stored.value).toString();
  }

  /** Hands any item to a watch; out of order if the test wants so. */
  deliver(open: OpenWatch, item: WatchedValue): void {
    void open.watcher.value(item);
  }

  watchOf(filter: string): OpenWatch {
    for (const open of this.watches) if (open.filter === filter) return open;
    throw new Error(`no watch on ${filter}`);
  }

  #apply(write: FakeWrite): void {
    const version = this.store(write.key, write.value);
    write.sink.writeCommitted(write.token, version);
  }

  async #snapshot(open: OpenWatch): Promise<void> {
    for (const item of this.#sorted()) {
      if (!this.watches.has(open)) return;
      if (!matches(open.filter, Buffer.from(item.key).toString())) continue;
      this.snapshotItems += 1;
      const held = open.watcher.value({ ...item, deleted: false, snapshot: true });
      if (held !== undefined) await held;
    }
    open.snapshotPending = false;
    if (this.watches.has(open)) open.watcher.snapshotDone();
  }

  #historyOf(key: string): HistoricValue[] {
    return this.#history.filter((item) => Buffer.from(item.key).toString() === key);
  }

  #sorted(): StoredValue[] {
    return [...this.#values.values()].sort((a, b) => Buffer.compare(a.key, b.key));
  }
}
