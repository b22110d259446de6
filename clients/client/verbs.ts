import { type Batch, batchesOf, type Write } from './batches.ts';
import { clientError, DssError } from './errors.ts';
import type { Link, Outcome } from './link.ts';
import { checkKey } from './names.ts';
import type { Reply } from './node-connection.ts';
import type {
  BatchWritten,
  CasResult,
  Options,
  PutOptions,
  WriteOptions,
  Written,
} from './options.ts';
import { bytesOf, type Time, ttlSeconds, unixMs, type Value } from './values.ts';

/** Messages of one batch of any length that are under way at a time. */
const BATCHES_IN_FLIGHT_MAX = 4;
/** A value, or the payload of a request (docs/MQTT.md, Limits). */
const MESSAGE_BYTES_MAX = 1024 * 1024;
const NOTHING = new Uint8Array(0);

const WORDS: Readonly<Record<string, string>> = {
  UNAVAILABLE: 'no quorum answered in time; ask again',
  STORAGE_FULL: 'the storage of the cluster is full; deletes are still taken',
  NOT_ALLOWED: 'the user may not do that',
};

/** What clients publish (docs/MQTT.md), and what becomes of it. */
export class Verbs {
  readonly #link: Link;
  /** Differs from that of every other client, and from that of this one's earlier processes. */
  readonly #name: string;
  readonly #resend: boolean;
  #casCount = 0;

  constructor(link: Link, options: { readonly name: string; readonly resend: boolean }) {
    this.#link = link;
    this.#name = options.name;
    this.#resend = options.resend;
  }

  async put(key: string, value: Value, options: PutOptions): Promise<Written> {
    checkKey(key);
    const { time, ttlMs } = options;
    const payload = bytesOf(value);
    const ttl = ttlMs === undefined ? undefined : `${ttlSeconds(ttlMs)}`;
    return this.#write({ topic: `dss/put/${key}`, payload, time, ttl }, options);
  }

  async delete(key: string, options: WriteOptions): Promise<Written> {
    checkKey(key);
    const { time } = options;
    return this.#write({ topic: `dss/delete/${key}`, payload: NOTHING, time }, options);
  }

  /** Stops at the first one that fails, and rejects when the others have their outcome. */
  async batch(
    writes: Iterable<Write> | AsyncIterable<Write>,
    options: WriteOptions,
  ): Promise<BatchWritten> {
    const underWay = new Set<Promise<void>>();
    let failure: { readonly error: unknown } | undefined;
    let count = 0;
    let version = 0;
    for await (const part of batchesOf(writes, MESSAGE_BYTES_MAX)) {
      const settled = this.#store(part, options).then(
        (written) => {
          count += 'payload' in part ? part.count : 1;
          version = Math.max(version, written.version);
        },
        (error: unknown) => {
          failure ??= { error };
        },
      );
      const tracked = settled.finally(() => underWay.delete(tracked));
      underWay.add(tracked);
      if (underWay.size >= BATCHES_IN_FLIGHT_MAX) await Promise.race(underWay);
      if (failure !== undefined) break;
    }
    await Promise.all(underWay);
    if (failure !== undefined) throw failure.error;
    return { count, version };
  }

  /** Resolves with `ok: false` only where that means that there is nothing. */
  async ask(topic: string, body: object, { timeoutMs, signal }: Options): Promise<Reply> {
    const operation = { topic, payload: JSON.stringify(body), writes: false, resend: true };
    const { reply } = await this.#link.exchange(operation, { timeoutMs, signal });
    if (reply.ok || reply.error === 'NOT_FOUND') return reply;
    throw answerError(reply.error, topic);
  }

  /**
   * Compare-and-set. A repetition wins as long as its value is current, as a node knows it by its `id`; one that loses
   * says that now somebody else's is, or none, and nothing about the first time.
   */
  async compare(
    key: string,
    content: object,
    options: Options & { readonly ifVersion: number | null },
  ): Promise<{ readonly result: CasResult; readonly repeated: boolean }> {
    checkKey(key);
    const { ifVersion, timeoutMs, signal } = options;
    this.#casCount += 1;
    const id = `${this.#name}/${this.#casCount}`;
    const payload = JSON.stringify({ id, if: ifVersion, ...content });
    const operation = { topic: `dss/cas/${key}`, payload, writes: true, resend: true };
    const { reply, repeated } = await this.#link.exchange(operation, { timeoutMs, signal });
    return { result: casResult(reply, operation.topic), repeated };
  }

  /** The same, where only an outcome that is certain will do. */
  async compareCertainly(...what: Parameters<Verbs['compare']>): Promise<CasResult> {
    const { result, repeated } = await this.compare(...what);
    if (result.won || !repeated) return result;
    const sentence =
      'it was sent again after its connection was lost, and lost: it may have won before, and been overwritten';
    throw clientError('OUTCOME_UNKNOWN', sentence);
  }

  #store(part: Batch | Write, options: WriteOptions): Promise<Written> {
    if ('payload' in part) {
      const { payload, isIdempotent } = part;
      return this.#write({ topic: 'dss/batch', payload, isIdempotent }, options);
    }
    const own = { ...options, time: part.time };
    if ('delete' in part) return this.delete(part.key, own);
    return this.put(part.key, part.value, { ...own, ttlMs: part.ttlMs });
  }

  async #write(
    write: {
      readonly topic: string;
      readonly payload: Uint8Array | string;
      readonly time?: Time | undefined;
      readonly ttl?: string | undefined;
      readonly isIdempotent?: boolean;
    },
    options: WriteOptions,
  ): Promise<Written> {
    const { topic, payload, time, ttl, isIdempotent = time !== undefined } = write;
    const named = {
      ...(time === undefined ? {} : { time: `${unixMs(time)}` }),
      ...(ttl === undefined ? {} : { ttl }),
    };
    // Of an empty one MQTT.js makes a packet that is none.
    const userProperties = Object.keys(named).length === 0 ? undefined : named;
    const resend = isIdempotent || (options.resend ?? this.#resend);
    const operation = { topic, payload, userProperties, writes: true, resend };
    const { timeoutMs, signal } = options;
    const { reply }: Outcome = await this.#link.exchange(operation, { timeoutMs, signal });
    if (!reply.ok) throw answerError(reply.error, topic);
    return { version: reply.version ?? 0 };
  }
}

function casResult(reply: Reply & { readonly expiresAt?: number }, topic: string): CasResult {
  const { ok, error, version = null, expiresAt } = reply;
  if (ok) return { won: true, version: version ?? 0, expiresAt };
  if (error === 'VERSION_MISMATCH') return { won: false, version };
  throw answerError(error, topic);
}

function answerError(code = 'UNAVAILABLE', topic: string): DssError {
  return new DssError(code, `${topic}: ${WORDS[code] ?? code}`);
}
