import { type DataPlane, unixMsToVersion, type Watch, type WatchedValue } from '../data-plane.ts';
import type { BrokerEnv } from '../env.ts';
import type { BrokerLimits } from '../limits.ts';
import type { Message } from '../ordinary/message.ts';
import type { MessageStore, QueuedMessage, SessionRecord, StoreEvents } from '../ordinary/store.ts';
import {
  keyBytes,
  keyText,
  ownerOf,
  parseTableKey,
  TABLES_FILTER,
  tableKey,
} from '../reserved-keys.ts';
import { decodeRetained, decodeSession, encodeRetained, encodeSession } from './codec.ts';
import { Queues } from './queues.ts';
import { type LocalValue, Table } from './table.ts';
import { TopicIndex } from './topic-index.ts';
import { orAfter, rest } from './waiting.ts';
import { STORED_BYTES_MAX, WriteBehind, type WriteOutcome } from './write-behind.ts';

/** Nobody waits longer for the store than this. */
const PATIENCE_MS = 1_000;
/** But clients of a node that has just started: it may have to wait for the others, of which a majority tells. */
const START_PATIENCE_MS = 8_000;
/** So much longer than its session a will is kept that waits. */
const WILL_KEPT_MS = 60_000;
/** Between two attempts to read it after a start. */
const TRY_AGAIN_MS = 200;

export interface MessageStoreOptions {
  readonly env: BrokerEnv;
  readonly dataPlane: DataPlane;
  readonly limits: BrokerLimits;
  readonly events: StoreEvents;
}

export function createMessageStore(options: MessageStoreOptions): StoredMessages {
  return new StoredMessages(options);
}

/** What outlives a node of ordinary MQTT, over the data plane: see README.md. */
export class StoredMessages implements MessageStore {
  readonly known: Promise<void>;
  readonly #env: BrokerEnv;
  readonly #dataPlane: DataPlane;
  readonly #writes: WriteBehind;
  readonly #queues: Queues;
  readonly #retained: Table<Message>;
  readonly #topics = new TopicIndex<Message>();
  readonly #sessions: Table<SessionRecord>;
  readonly #watch: Watch;
  /** By owner: who waits until the record is stored that was saved last. */
  readonly #savers = new Map<string, (() => void)[]>();
  /** What the store held when this node started. */
  #knowsAll = false;
  #dropped = 0;

  constructor(options: MessageStoreOptions) {
    const { env, dataPlane, events } = options;
    this.#env = env;
    this.#dataPlane = dataPlane;
    const writes = new WriteBehind(options);
    this.#writes = writes;
    const decoded = <Value>(key: string, decode: () => Value | undefined) =>
      this.#decoded(key, decode);
    const readable = (clientId: string) => events.queueReadable(clientId);
    this.#queues = new Queues({ ...options, writes, decoded, readable });
    this.#retained = new Table({
      decode: (bytes) => decoded('a retained message', () => decodeRetained(bytes)),
      changed: (after, before) => {
        if (after !== undefined) this.#topics.set(after.topic, after);
        else if (before !== undefined) this.#topics.delete(before.topic);
      },
    });
    this.#sessions = new Table({
      decode: (bytes) => decoded('a session', () => decodeSession(bytes)),
      changed: (after, before) => {
        const clientId = (after ?? before)?.clientId as string;
        events.sessionChanged(clientId, after, before);
      },
    });
    let snapshotDone = () => {};
    const telling = new Promise<void>((resolve) => {
      snapshotDone = resolve;
    });
    this.known = orAfter(env, telling, START_PATIENCE_MS);
    this.#watch = dataPlane.watch(TABLES_FILTER, {
      value: (item) => this.#told(item),
      snapshotDone: () => {
        this.#knowsAll = true;
        snapshotDone();
      },
    });
  }

  get state(): 'replicated' | 'memory' {
    return this.#writes.isStoring ? 'replicated' : 'memory';
  }

  get dropped(): number {
    return this.#dropped + this.#queues.dropped;
  }

  retained(filter: string, visit: (message: Message) => void): void {
    const nowMs = this.#env.clock.nowMs();
    this.#topics.visit(filter, (message) => {
      if (message.expiresAtMs === undefined || message.expiresAtMs > nowMs) visit(message);
    });
  }

  get retainedCount(): number {
    return this.#retained.size;
  }

  retainedAt(topic: string): Message | undefined {
    const message = this.#retained.get(ownerOf(topic));
    const isOver =
      message?.expiresAtMs !== undefined && message.expiresAtMs <= this.#env.clock.nowMs();
    return isOver ? undefined : message;
  }

  retain(message: Message): void {
    const { topic, payload, expiresAtMs } = message;
    const owner = ownerOf(topic);
    const encoded = payload.length === 0 ? NOTHING : encodeRetained(message);
    // What it replaces is gone all the same.
    const bytes = this.#fits(encoded, `the retained message of ${topic}`) ? encoded : NOTHING;
    const kept = bytes.length === 0 ? undefined : message;
    const local = this.#retained.set(owner, kept, bytes);
    const key = tableKey('retained', owner);
    const write = { owner, key, name: key, value: bytes, expiresAtMs, isQueued: false };
    this.#writes.add({
      ...write,
      settled: (outcome) => this.#settled(this.#retained, owner, local, outcome),
    });
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  *sessions(): Iterable<SessionRecord> {
    const nowMs = this.#env.clock.nowMs();
    for (const record of this.#sessions.values()) if (endOf(record) > nowMs) yield record;
  }

  session(clientId: string): SessionRecord | undefined {
    return this.#unlessOver(this.#sessions.get(ownerOf(clientId)));
  }

  mayHaveSession(clientId: string): boolean {
    return !this.#knowsAll || this.session(clientId) !== undefined;
  }

  async loadSession(clientId: string, isWanted: () => boolean): Promise<SessionRecord | undefined> {
    const owner = ownerOf(clientId);
    for (;;) {
      if (this.#sessions.isAhead(owner)) break;
      const reading = this.#dataPlane.get(keyBytes(tableKey('session', owner)));
      const outcome = await orAfter(this.#env, reading, PATIENCE_MS);
      if (outcome?.kind === 'found') this.#sessions.told(owner, outcome.value, outcome.version);
      // The watch may not have told yet that it is over.
      if (outcome?.kind === 'not-found' && !this.#sessions.isAhead(owner)) return undefined;
      if (outcome?.kind === 'found' || this.#knowsAll || !isWanted()) break;
      await rest(this.#env, TRY_AGAIN_MS);
    }
    return this.session(clientId);
  }

  saveSession(record: SessionRecord): Promise<void> {
    const { clientId, host, will } = record;
    const owner = ownerOf(clientId);
    // Who publishes the will when the session is over has to find it.
    const endsAtMs = endOf(record) + (will === undefined ? 0 : WILL_KEPT_MS);
    const bytes = encodeSession(record);
    const local = this.#sessions.set(owner, record, bytes);
    if (host === undefined) this.#queues.sessionLeft(clientId);
    if (!this.#fits(bytes, `the session of ${clientId}`)) return Promise.resolve();
    const key = tableKey('session', owner);
    this.#writes.add({
      owner,
      key,
      name: key,
      value: bytes,
      expiresAtMs: Number.isFinite(endsAtMs) ? endsAtMs : undefined,
      isQueued: false,
      settled: (outcome) => this.#sessionSettled(owner, local, outcome),
    });
    const saving = new Promise<void>((resolve) => {
      const others = this.#savers.get(owner) ?? [];
      this.#savers.set(owner, [...others, resolve]);
    });
    return orAfter(this.#env, saving, PATIENCE_MS);
  }

  willIsLeft(clientId: string): void {
    const record = this.#sessions.get(ownerOf(clientId));
    if (record?.host !== undefined || record?.will === undefined) return;
    void this.saveSession({ ...record, will: undefined });
  }

  endSession(clientId: string): void {
    const owner = ownerOf(clientId);
    const endedAt = unixMsToVersion(this.#env.clock.nowMs());
    const local = this.#sessions.set(owner, undefined, NOTHING);
    this.#queues.end(clientId);
    const key = tableKey('session', owner);
    // A later record must not take its place: what is queued is cleared up to where this one stands.
    const name = `${key} ends`;
    const write = { owner, key, name, value: NOTHING, expiresAtMs: undefined, isQueued: false };
    this.#writes.add({
      ...write,
      settled: (outcome) => {
        this.#sessionSettled(owner, local, outcome);
        const version = outcome.kind === 'stored' ? outcome.version : 0;
        void this.#queues.clear(clientId, version === 0 ? endedAt : version);
      },
    });
  }

  enqueue(clientId: string, queued: QueuedMessage): boolean {
    const record = this.#sessions.get(ownerOf(clientId));
    const endsAtMs = record === undefined ? Number.POSITIVE_INFINITY : endOf(record);
    const isHere = record === undefined || record.host !== undefined;
    return this.#queues.enqueue(clientId, queued, { endsAtMs, isHere });
  }

  queueStored(clientId: string): Promise<void> {
    return this.#queues.stored(clientId);
  }

  queued(clientId: string): Promise<readonly QueuedMessage[]> {
    return this.#queues.queued(clientId);
  }

  dequeue(clientId: string, id: string): void {
    this.#queues.dequeue(clientId, id);
  }

  async close(): Promise<void> {
    await orAfter(this.#env, this.#writes.allStored(), PATIENCE_MS);
    this.#watch.close();
    this.#queues.stop();
    this.#writes.stop();
  }

  #told({ key, value, version, deleted }: WatchedValue): undefined {
    const parsed = parseTableKey(keyText(key));
    if (parsed === undefined) return;
    const { table, owner } = parsed;
    const bytes = deleted ? NOTHING : value;
    if (table === 'retained') {
      this.#retained.told(owner, bytes, version);
      return;
    }
    const before = this.#sessions.get(owner);
    this.#sessions.told(owner, bytes, version);
    const after = this.#sessions.get(owner);
    const clientId = (after ?? before)?.clientId;
    // What was saved here is not news.
    if (after === before || clientId === undefined) return;
    if (after === undefined || after.host !== undefined) this.#queues.leftToOthers(clientId);
  }

  #sessionSettled(owner: string, local: LocalValue<SessionRecord>, outcome: WriteOutcome): void {
    this.#settled(this.#sessions, owner, local, outcome);
    if (this.#sessions.isAhead(owner)) return;
    for (const saved of this.#savers.get(owner) ?? []) saved();
    this.#savers.delete(owner);
  }

  #settled<Value>(
    table: Table<Value>,
    owner: string,
    local: LocalValue<Value>,
    outcome: WriteOutcome,
  ): void {
    if (outcome.kind === 'stored') return table.stored(owner, local, outcome.version);
    this.#dropped += 1;
    table.abandon(owner, local);
  }

  #fits(bytes: Uint8Array, what: string): boolean {
    if (bytes.length <= STORED_BYTES_MAX) return true;
    this.#dropped += 1;
    const message = `${what} is too large to be stored: it has more than ${STORED_BYTES_MAX} bytes.`;
    this.#env.events.emit({ level: 'warn', name: 'message-too-large-to-store', message });
    return false;
  }

  #unlessOver(record: SessionRecord | undefined): SessionRecord | undefined {
    return record !== undefined && endOf(record) > this.#env.clock.nowMs() ? record : undefined;
  }

  #decoded<Value>(what: string, decode: () => Value | undefined): Value | undefined {
    let reason = 'its format is not known';
    try {
      const value = decode();
      if (value !== undefined) return value;
    } catch (error) {
      reason = String(error);
    }
    const message = `${what} in the store cannot be read, and is left out: ${reason}`;
    this.#env.events.emit({ level: 'error', name: 'stored-message-unreadable', message });
    return undefined;
  }
}

/** When a session is over that stays as it is: by the wall clock, milliseconds since 1970. */
function endOf({ host, awaySinceMs, expirySeconds }: SessionRecord): number {
  return host === undefined ? awaySinceMs + expirySeconds * 1_000 : Number.POSITIVE_INFINITY;
}

const NOTHING = new Uint8Array(0);
