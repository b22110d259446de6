import { parseAddresses } from './addresses.ts';
import type { Write } from './batches.ts';
import type { Change } from './change.ts';
import { Lease, type LeaseWriter } from './lease.ts';
import { Link, type LinkEvent } from './link.ts';
import { checkKey, checkPrefix } from './names.ts';
import type {
  BatchWritten,
  CasOptions,
  CasResult,
  ClientEvents,
  ConnectOptions,
  GetOptions,
  HistoryOptions,
  Options,
  PageOptions,
  PutOptions,
  RangeOptions,
  WriteOptions,
  Written,
} from './options.ts';
import { itemsOf, keysOf } from './pages.ts';
import {
  checkExpected,
  type Item,
  itemOf,
  ttlSeconds,
  unixMs,
  type Value,
  type WireValue,
  wireMembers,
} from './values.ts';
import { Verbs } from './verbs.ts';
import { Watch } from './watch.ts';

const TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 5_000;
const IN_FLIGHT_MAX = 1_000;
const WAITING_MAX = 10_000;
const WATCH_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Connects to the first node that lets it in.
 *
 * @example
 * ```ts
 * import { connect } from 'dss/client';
 *
 * const dss = await connect('mqtt://127.0.0.1:1883');
 * await dss.put('plant1/dev42/temp', 21.5);
 * const temperature = await dss.get('plant1/dev42/temp');
 * console.log(temperature?.json()); // → 21.5
 * await dss.close();
 * ```
 *
 * @throws {DssError} `UNAVAILABLE` when no address lets it in within `connectTimeoutMs`, `BAD_CREDENTIALS`, `NOT_A_NODE`.
 */
export function connect(
  urls: string | readonly string[],
  options: ConnectOptions = {},
): Promise<Client> {
  return Client.connect(urls, options);
}

/** A conversation with a cluster. It goes on at another node when its own is lost. */
export class Client {
  readonly #link: Link;
  readonly #verbs: Verbs;
  readonly #watchBytesMax: number;
  readonly #listeners = new Map<string, Set<(event: never) => void>>();

  private constructor(urls: string | readonly string[], options: ConnectOptions) {
    const name = randomName();
    this.#watchBytesMax = options.watchBytesMax ?? WATCH_BYTES_MAX;
    const { user, password, ca, cert, key } = options;
    this.#link = new Link(
      parseAddresses(urls),
      {
        ...{ user, password, ca, cert, key },
        clientId: options.clientId ?? `dss-client-${name}`,
        timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
        inFlightMax: options.inFlightMax ?? IN_FLIGHT_MAX,
        waitingMax: options.waitingMax ?? WAITING_MAX,
      },
      (event) => this.#emit(event),
    );
    this.#verbs = new Verbs(this.#link, { name, resend: options.resend ?? true });
  }

  /** As `connect`. */
  static async connect(
    urls: string | readonly string[],
    options: ConnectOptions = {},
  ): Promise<Client> {
    const client = new Client(urls, options);
    const { signal, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
    signal?.throwIfAborted();
    await client.#link.open({ signal, timeoutMs: connectTimeoutMs });
    signal?.addEventListener('abort', () => void client.#link.close(0), { once: true });
    return client;
  }

  /** The address of the node that it is connected to; undefined while there is none. */
  get url(): string | undefined {
    return this.#link.url;
  }

  /**
   * Stores a value. Resolves when a majority of the key's replicas has it on disk.
   *
   * @example
   * ```ts
   * const { version } = await dss.put('plant1/dev42/temp', 21.5);
   * await dss.put('plant1/dev42/door', 'open', { ttlMs: 600_000 });
   * await dss.put('plant1/dev42/state', { mode: 'eco', fan: 2 }, { time: Date.now() - 60_000 });
   * await dss.put('plant1/dev42/image', new Uint8Array([0x89, 0x50]));
   * ```
   */
  put(key: string, value: Value, options: PutOptions = {}): Promise<Written> {
    return this.#verbs.put(key, value, options);
  }

  /** The current value, or the one of a time; `undefined` if there is none. */
  async get(key: string, options: GetOptions = {}): Promise<Item | undefined> {
    checkKey(key);
    const { consistency, at } = options;
    const reply = await this.#verbs.ask(
      `dss/get/${key}`,
      {
        ...(consistency === undefined ? {} : { consistency }),
        ...(at === undefined ? {} : { at: unixMs(at) }),
      },
      options,
    );
    return reply.ok ? itemOf(key, reply as unknown as WireValue) : undefined;
  }

  /** Deletes a key; also fine when it has no value. Its history stays. */
  delete(key: string, options: WriteOptions = {}): Promise<Written> {
    return this.#verbs.delete(key, options);
  }

  /**
   * Stores many values, in their order: by far quicker than one after the other. `writes` may be any iterable: it is
   * read as fast as the cluster stores. Not atomic: when this rejects some of them may be stored; send all again.
   *
   * @example
   * ```ts
   * const { count } = await dss.batch([
   *   { key: 'plant1/dev42/temp', value: 21.5, time: Date.now() - 1_000 },
   *   { key: 'plant1/dev42/hum', value: 48, ttlMs: 3_600_000 },
   *   { key: 'plant1/dev42/alarm', delete: true },
   * ]);
   * console.log(count); // → 3
   * ```
   */
  batch(
    writes: Iterable<Write> | AsyncIterable<Write>,
    options: Options & Pick<WriteOptions, 'resend'> = {},
  ): Promise<BatchWritten> {
    return this.#verbs.batch(writes, options);
  }

  /**
   * Current values in the order of their keys, a page at a time. Each page is read when it is needed.
   *
   * @example
   * ```ts
   * for await (const { key, value } of dss.list({ prefix: 'plant1' })) {
   *   console.log(key, value.length);
   * }
   * ```
   */
  list(options: PageOptions = {}): AsyncIterableIterator<Item> {
    const { prefix = '', after, limit } = options;
    const topic = topicBelow('dss/list', prefix);
    const ask = (members: object) => this.#verbs.ask(topic, { ...members, values: true }, options);
    return itemsOf(ask, { after, limit });
  }

  /** The same without values. */
  keys(options: PageOptions = {}): AsyncIterableIterator<string> {
    const { prefix = '', after, limit } = options;
    const topic = topicBelow('dss/list', prefix);
    return keysOf((members) => this.#verbs.ask(topic, members, options), { after, limit });
  }

  /** Current values between two keys, either way. */
  range(options: RangeOptions = {}): AsyncIterableIterator<Item> {
    const { prefix = '', after, limit, from, to, reverse } = options;
    const topic = topicBelow('dss/range', prefix);
    const own = {
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(reverse === undefined ? {} : { reverse }),
    };
    const ask = (members: object) => this.#verbs.ask(topic, { ...own, ...members }, options);
    return itemsOf(ask, { after, limit });
  }

  /**
   * What a key has held, by time; a delete is an item with `deleted`. A key that was never written has no history.
   *
   * @example
   * ```ts
   * const hourAgo = Date.now() - 3_600_000;
   * for await (const item of dss.history('plant1/dev42/temp', { from: hourAgo, order: 'asc' })) {
   *   console.log(new Date(item.time).toISOString(), item.deleted ? 'deleted' : item.text());
   * }
   * ```
   */
  history(key: string, options: HistoryOptions = {}): AsyncIterableIterator<Item> {
    checkKey(key);
    const { from, to, order, limit } = options;
    const own = {
      ...(from === undefined ? {} : { from: unixMs(from) }),
      ...(to === undefined ? {} : { to: unixMs(to) }),
      ...(order === undefined ? {} : { order }),
    };
    const ask = (members: object) =>
      this.#verbs.ask(`dss/history/${key}`, { ...own, ...members }, options);
    return itemsOf(ask, { limit, key });
  }

  /**
   * Compare-and-set: stores a value if the current one has the expected version. Is sent again when its connection is
   * lost; if then somebody else's value is current, nobody can tell whether it had won before: `OUTCOME_UNKNOWN`.
   *
   * @example
   * ```ts
   * for (;;) {
   *   const current = await dss.get('plant1/count');
   *   const count = current?.json<number>() ?? 0;
   *   const { won } = await dss.cas('plant1/count', count + 1, { ifVersion: current?.version ?? null });
   *   if (won) break;
   * }
   * ```
   */
  async cas(key: string, value: Value, options: CasOptions): Promise<CasResult> {
    checkExpected(options?.ifVersion);
    const { ttlMs } = options;
    const ttl = ttlMs === undefined ? {} : { ttl: ttlSeconds(ttlMs) };
    return this.#verbs.compareCertainly(key, { ...wireMembers(value), ...ttl }, options);
  }

  /** Deletes a key if its current value has the expected version. */
  async casDelete(key: string, options: Options & { ifVersion: number }): Promise<CasResult> {
    checkExpected(options?.ifVersion);
    return this.#verbs.compareCertainly(key, { delete: true }, options);
  }

  /**
   * Takes a key for a while, or resolves with `undefined` if somebody else holds it. It renews itself until it is
   * released or lost; `holder` is its value.
   *
   * @example
   * ```ts
   * const lease = await dss.lease('jobs/leader', 'worker1', { ttlMs: 10_000 });
   * if (lease !== undefined) {
   *   lease.signal.addEventListener('abort', () => console.log('no longer leader'));
   *   await dss.put('jobs/report', 'by worker1');
   *   await lease.release();
   * }
   * ```
   */
  async lease(
    key: string,
    holder: string,
    options: Options & { readonly ttlMs: number },
  ): Promise<Lease | undefined> {
    const { ttlMs } = options;
    const held = { ...wireMembers(holder), ttl: ttlSeconds(ttlMs) };
    // Somebody else's value is current, whoever's was before: not held.
    const write: LeaseWriter = async ({ ifVersion, isRelease, timeoutMs = options.timeoutMs }) => {
      const content = isRelease ? { delete: true } : held;
      const { result } = await this.#verbs.compare(key, content, {
        ...options,
        ifVersion,
        timeoutMs,
      });
      if (!result.won) return { kind: 'lost' };
      return { kind: 'won', version: result.version, expiresAt: result.expiresAt };
    };
    return Lease.acquire({ key, holder, ttlMs, write });
  }

  /**
   * Follows the values that match a filter: the current ones, then every change, over all reconnections. Of a key
   * nothing older follows something newer, and the newest always comes; a loop that does not keep up misses values in
   * between. Leaving the loop, aborting `signal` or closing the client ends it.
   *
   * @example
   * ```ts
   * for await (const change of dss.watch('plant1/+/temp')) {
   *   if (change.type === 'value') console.log(change.key, change.item.json());
   *   if (change.type === 'deleted') console.log(change.key, 'is gone');
   *   if (change.type === 'snapshot-complete') break;
   * }
   * ```
   */
  watch(filter: string, options: Pick<Options, 'signal'> = {}): AsyncIterableIterator<Change> {
    return new Watch(this.#link, filter, { ...options, bytesMax: this.#watchBytesMax });
  }

  /** Calls `listener` at each event of a kind. Returns what ends that. */
  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (event: ClientEvents[Name]) => void,
  ): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /**
   * Ends it: watches end, nothing more is taken, what is under way gets so much time for its outcome. `timeoutMs`:
   * 5,000 if it is not given.
   */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#link.close(timeoutMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #emit({ type, ...event }: LinkEvent): void {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      // What it throws is not ours to handle, and must not keep us from connecting.
      queueMicrotask(() => listener(event as never));
    }
  }
}

/** `crypto.randomUUID` is not there in a page that came over plain HTTP. */
function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function topicBelow(topic: string, prefix: string): string {
  checkPrefix(prefix);
  return prefix === '' ? topic : `${topic}/${prefix}`;
}
