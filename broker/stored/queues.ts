import type { DataPlane, StoredValue } from '../data-plane.ts';
import type { BrokerEnv } from '../env.ts';
import type { BrokerLimits } from '../limits.ts';
import type { QueuedMessage } from '../ordinary/store.ts';
import { keyBytes, ownerOf, queueKey, queuePrefix } from '../reserved-keys.ts';
import { decodeQueued, encodeQueued } from './codec.ts';
import { type Place, SessionQueue } from './session-queue.ts';
import { orAfter, rest } from './waiting.ts';
import { STORED_BYTES_MAX, type WriteBehind, type WriteOutcome } from './write-behind.ts';

const PAGE_MESSAGES = 1_000;
/** A client that connects waits no longer for what the store holds. */
const READ_PATIENCE_MS = 1_000;
const TRY_AGAIN_MS = 1_000;

/** What waits for sessions, each queue below a key prefix of its own. */
export class Queues {
  /** Messages that found no room. */
  dropped = 0;
  readonly #env: BrokerEnv;
  readonly #dataPlane: DataPlane;
  readonly #limits: BrokerLimits;
  readonly #writes: WriteBehind;
  readonly #decoded: <Value>(key: string, decode: () => Value | undefined) => Value | undefined;
  readonly #readable: (clientId: string) => void;
  readonly #queues = new Map<string, SessionQueue>();
  /** By client: who waits until its queue is stored. */
  readonly #waiting = new Map<string, (() => void)[]>();
  /** Clients that were given less than the store may hold. */
  readonly #unread = new Set<string>();
  #isStopped = false;

  constructor(options: {
    readonly env: BrokerEnv;
    readonly dataPlane: DataPlane;
    readonly limits: BrokerLimits;
    readonly writes: WriteBehind;
    /** Reports what cannot be decoded, and goes on without it. */
    readonly decoded: <Value>(key: string, decode: () => Value | undefined) => Value | undefined;
    readonly readable: (clientId: string) => void;
  }) {
    this.#env = options.env;
    this.#dataPlane = options.dataPlane;
    this.#limits = options.limits;
    this.#writes = options.writes;
    this.#decoded = options.decoded;
    this.#readable = options.readable;
  }

  /**
   * `endsAtMs`: the message is worth nothing from then on, by the wall clock, since the session is over. `isHere`: its
   * client may be connected to this node.
   */
  enqueue(
    clientId: string,
    queued: QueuedMessage,
    { endsAtMs, isHere }: { readonly endsAtMs: number; readonly isHere: boolean },
  ): boolean {
    const { id, expiresAtMs = Number.POSITIVE_INFINITY } = queued.message;
    const { queuedMessagesMax, queuedBytesMax, queuedSecondsMax } = this.#limits;
    const nowMs = this.#env.clock.nowMs();
    const untilMs = Math.min(expiresAtMs, endsAtMs, nowMs + queuedSecondsMax * 1_000);
    if (untilMs <= nowMs) return true;
    const queue = this.#open(clientId);
    const value = encodeQueued(queued, queue.orderOf(id));
    const limits = { count: queuedMessagesMax, bytes: queuedBytesMax };
    if (value.length > STORED_BYTES_MAX || !queue.hasRoomFor(id, value.length, limits)) {
      this.dropped += 1;
      this.#tidy(clientId);
      return false;
    }
    const place = queue.put(queued, value.length, { isHere });
    this.#write(clientId, id, place, value, untilMs);
    return true;
  }

  dequeue(clientId: string, id: string): void {
    const queue = this.#queues.get(clientId);
    // What was delivered as it came has never been in the store.
    if (queue?.has(id) !== true) return;
    queue.takeOut(id);
    this.#write(clientId, id, undefined, NOTHING, undefined);
  }

  /** Resolves when the store has all that was put in or taken out here, or never will. */
  stored(clientId: string): Promise<void> {
    if (this.#queues.get(clientId)?.isStored !== false) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.set(clientId, [...(this.#waiting.get(clientId) ?? []), resolve]);
    });
  }

  async queued(clientId: string): Promise<readonly QueuedMessage[]> {
    const queue = this.#open(clientId);
    const changes = queue.startReading();
    const listing = this.#list(clientId);
    const listed = await orAfter(this.#env, listing, READ_PATIENCE_MS);
    if (listed === undefined) void this.#tellWhenReadable(clientId, listing);
    const places = listed?.flatMap((item) => this.#placeOf(item, queue) ?? []);
    const nowMs = this.#env.clock.nowMs();
    const merged = queue.merged(changes, places);
    this.#tidy(clientId);
    return merged.filter(({ message }) => (message.expiresAtMs ?? nowMs + 1) > nowMs);
  }

  /** The session is connected at another node, which sees to what is queued, or it is over. */
  leftToOthers(clientId: string): void {
    this.#queues.get(clientId)?.forget();
    this.#tidy(clientId);
  }

  /** The session was here and is away now. */
  sessionLeft(clientId: string): void {
    this.#queues.get(clientId)?.forgetIds();
  }

  /** The session is over. Call `clear` when that is stored. */
  end(clientId: string): void {
    this.#open(clientId).end();
    this.#unread.delete(clientId);
    this.#tellIfStored(clientId);
  }

  /** Removes what was queued before this version, and may take its time. */
  async clear(clientId: string, beforeVersion: number): Promise<void> {
    const queue = this.#open(clientId);
    queue.endedBefore = beforeVersion;
    let listed = await this.#list(clientId, false);
    while (listed === undefined && !this.#isStopped) {
      await rest(this.#env, TRY_AGAIN_MS);
      listed = await this.#list(clientId, false);
    }
    if (this.#isStopped || queue.endedBefore !== beforeVersion) return;
    const prefixLength = keyBytes(`${queuePrefix(ownerOf(clientId))}/`).length;
    for (const { key, version } of listed ?? []) {
      if (version >= beforeVersion) continue;
      const id = decoder.decode(key.subarray(prefixLength));
      queue.takeOut(id);
      this.#write(clientId, id, undefined, NOTHING, undefined);
    }
    queue.endedBefore = 0;
    this.#tidy(clientId);
  }

  stop(): void {
    this.#isStopped = true;
  }

  #write(
    clientId: string,
    id: string,
    place: Place | undefined,
    value: Uint8Array,
    expiresAtMs: number | undefined,
  ): void {
    const owner = ownerOf(clientId);
    const key = queueKey(owner, id);
    const settled = (outcome: WriteOutcome) => {
      const queue = this.#queues.get(clientId);
      if (outcome.kind === 'stored') {
        queue?.stored(id, place, outcome.version);
      } else {
        if (place !== undefined) this.dropped += 1;
        queue?.lost(id, place);
      }
      this.#tellIfStored(clientId);
      this.#tidy(clientId);
    };
    this.#writes.add({ owner, key, name: key, value, expiresAtMs, isQueued: true, settled });
  }

  /** All keys of a queue; undefined: the store does not answer. */
  async #list(clientId: string, values = true): Promise<readonly StoredValue[] | undefined> {
    const prefix = keyBytes(queuePrefix(ownerOf(clientId)));
    const items: StoredValue[] = [];
    for (;;) {
      const after = items.at(-1)?.key ?? NOTHING;
      const query = { prefix, after, limit: PAGE_MESSAGES, values };
      const page = await this.#dataPlane.list(query);
      if (page.kind === 'unavailable') return undefined;
      items.push(...page.items);
      if (!page.more) return items;
    }
  }

  #placeOf({ key, value, version }: StoredValue, queue: SessionQueue): Place | undefined {
    if (version < queue.endedBefore) return undefined;
    const entry = this.#decoded(decoder.decode(key), () => decodeQueued(value));
    if (entry === undefined) return undefined;
    const { queued, order } = entry;
    return { queued, bytes: value.length, order: order === 0 ? version : order };
  }

  async #tellWhenReadable(clientId: string, listing: Promise<unknown>): Promise<void> {
    if (this.#unread.has(clientId)) return;
    this.#unread.add(clientId);
    while ((await listing) === undefined) {
      await rest(this.#env, TRY_AGAIN_MS);
      if (this.#isStopped || !this.#unread.has(clientId)) return;
      listing = this.#list(clientId, false);
    }
    if (this.#unread.delete(clientId) && !this.#isStopped) this.#readable(clientId);
  }

  #tellIfStored(clientId: string): void {
    if (this.#queues.get(clientId)?.isStored === false) return;
    const waiting = this.#waiting.get(clientId) ?? [];
    this.#waiting.delete(clientId);
    for (const tell of waiting) tell();
  }

  #open(clientId: string): SessionQueue {
    let queue = this.#queues.get(clientId);
    if (queue === undefined) this.#queues.set(clientId, (queue = new SessionQueue()));
    return queue;
  }

  #tidy(clientId: string): void {
    if (this.#queues.get(clientId)?.isIdle === true) this.#queues.delete(clientId);
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const NOTHING = new Uint8Array(0);
