import { clientError, DssError } from './errors.ts';
import { limit } from './limit.ts';
import {
  type Credentials,
  type Message,
  NodeConnection,
  type Reply,
  type WatchedValue,
} from './node-connection.ts';

export interface LinkOptions extends Credentials {
  readonly clientId: string;
  /** How long an operation may take, all connections included; `Infinity`: any time. */
  readonly timeoutMs: number;
  /** What is sent and has no outcome, at most; more waits. */
  readonly inFlightMax: number;
  /** What may wait; more is refused. */
  readonly waitingMax: number;
}

/** What is asked of the cluster. */
export interface Operation {
  readonly topic: string;
  readonly payload: Uint8Array | string;
  readonly userProperties?: Record<string, string> | undefined;
  /** It changes something: when nobody answers, it may have happened. */
  readonly writes: boolean;
  /** It may be sent again after its connection was lost. */
  readonly resend: boolean;
}

export interface OperationOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Outcome {
  readonly reply: Reply;
  /** It was sent more than once: somebody may have carried it out before. */
  readonly repeated: boolean;
}

/** Who hears of the values of a filter. */
export interface FilterSink {
  /** Values are those of a subscription that has just begun. */
  began(): void;
  value(item: WatchedValue): void;
  /** All values that were current when it began have come. */
  complete(): void;
  failed(error: DssError): void;
  /** The connection was lost: nothing comes until it began again. */
  lost(): void;
  /** The client is closed. */
  ended(): void;
}

export type LinkEvent =
  | { readonly type: 'connect'; readonly url: string }
  | { readonly type: 'disconnect'; readonly reason: DssError }
  | { readonly type: 'reconnect'; readonly url: string; readonly attempt: number };

interface Pending extends Message {
  readonly operation: Operation;
  times: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

const WAITING_BYTES_MAX = 64 * 1024 * 1024;
/** A connection that has lasted so long was a good one: the next attempt need not wait. */
const GOOD_CONNECTION_MS = 5_000;
const BACK_OFF_MS = 200;
const BACK_OFF_MAX_MS = 5_000;
/** For how things stand, not for what it is: the same may have been taken before. */
const PASSING_REFUSALS: ReadonlySet<string> = new Set(['STORAGE_FULL', 'NOT_ALLOWED']);

/**
 * The conversation of one client with the cluster, over one connection at a time. When that is lost, it goes on at the
 * next address: what has no outcome is sent again in the order in which it was asked, unless it must not be, and
 * subscriptions begin again.
 */
export class Link {
  readonly #addresses: readonly string[];
  readonly #options: LinkOptions;
  readonly #emit: (event: LinkEvent) => void;
  /** Everything without an outcome, in its order. */
  readonly #pending = new Map<number, Pending>();
  /** Those of it that are still to be sent on this connection. */
  readonly #waiting = new Set<Pending>();
  #waitingBytes = 0;
  readonly #sinks = new Map<string, Set<FilterSink>>();
  #connection: NodeConnection | undefined;
  #lastId = 0;
  /** Attempts since the last good connection. */
  #attempts = 0;
  #address = 0;
  #connectedAtMs = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #problem: DssError | undefined;
  #isClosing = false;
  #isClosed = false;
  #whenIdle: (() => void) | undefined;

  constructor(
    addresses: readonly string[],
    options: LinkOptions,
    emit: (event: LinkEvent) => void,
  ) {
    this.#addresses = addresses;
    this.#options = options;
    this.#emit = emit;
  }

  /** The node that it is connected to. */
  get url(): string | undefined {
    return this.#connection?.url;
  }

  /** Resolves when there is a connection; rejects when time is up, or where trying again would not help. */
  open({ timeoutMs, signal }: OperationOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = limit(timeoutMs ?? this.#options.timeoutMs, signal, (aborted) => {
        this.#shut();
        reject(aborted ? signal?.reason : this.#unreachable());
      });
      const attempt = async (): Promise<void> => {
        try {
          await this.#connect();
          stop();
          resolve();
        } catch (error) {
          if (this.#isClosed) return;
          if (!isPassing(error as DssError)) {
            stop();
            this.#shut();
            reject(error);
          } else {
            this.#later(attempt);
          }
        }
      };
      void attempt();
    });
  }

  /**
   * Resolves with the answer of a node, whatever it says. Rejects with `TIMEOUT`, with `OUTCOME_UNKNOWN` if it was a
   * write and may have happened, with the signal's reason, or with what a node refused it for.
   */
  exchange(operation: Operation, options: OperationOptions = {}): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const { signal, timeoutMs = this.#options.timeoutMs } = options;
      if (this.#isClosing) return reject(clientError('CLIENT_CLOSED', 'the client is closed'));
      if (signal?.aborted) return reject(signal.reason);
      const { topic, payload, userProperties } = operation;
      const bytes = topic.length + payload.length;
      if (this.#isFull(bytes)) return reject(this.#overloaded());
      this.#lastId += 1;
      const stop = limit(timeoutMs, signal, (aborted) => {
        this.#remove(pending);
        pending.reject(aborted ? signal?.reason : this.#late(pending, timeoutMs));
      });
      const pending: Pending = {
        id: this.#lastId,
        topic,
        payload,
        bytes,
        userProperties,
        operation,
        times: 0,
        resolve: (outcome) => {
          stop();
          resolve(outcome);
        },
        reject: (error) => {
          stop();
          reject(error);
        },
      };
      this.#pending.set(pending.id, pending);
      this.#wait(pending);
      this.#pump();
    });
  }

  /** Values of a filter go to `sink` from now on, on this connection and on further ones. */
  subscribe(filter: string, sink: FilterSink): void {
    if (this.#isClosing) return sink.ended();
    const sinks = this.#sinks.get(filter) ?? new Set();
    this.#sinks.set(filter, sinks.add(sink));
    this.#connection?.subscribe(filter);
  }

  /** The current values of a filter come once more. */
  subscribeAgain(filter: string): void {
    this.#connection?.subscribe(filter);
  }

  unsubscribe(filter: string, sink: FilterSink): void {
    const sinks = this.#sinks.get(filter);
    if (!sinks?.delete(sink) || sinks.size > 0) return;
    this.#sinks.delete(filter);
    this.#connection?.unsubscribe(filter);
  }

  /** Takes nothing more, and ends when everything has its outcome, or when time is up. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosing = true;
    for (const sink of this.#allSinks()) sink.ended();
    this.#sinks.clear();
    if (this.#pending.size > 0) {
      await new Promise<void>((resolve) => {
        const stop = limit(timeoutMs, undefined, () => resolve());
        this.#whenIdle = () => {
          stop();
          resolve();
        };
      });
    }
    const connection = this.#connection;
    this.#shut();
    await connection?.end();
  }

  /** At once. */
  #shut(): void {
    this.#isClosing = true;
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#connection = undefined;
    for (const pending of this.#pending.values()) {
      pending.reject(
        unknownIfSent(pending, clientError('CLIENT_CLOSED', 'the client was closed meanwhile')),
      );
    }
    this.#pending.clear();
    this.#waiting.clear();
  }

  async #connect(): Promise<void> {
    const url = this.#addresses[this.#address % this.#addresses.length] as string;
    this.#address += 1;
    this.#attempts += 1;
    this.#emit({ type: 'reconnect', url, attempt: this.#attempts });
    const connection = await NodeConnection.open(url, this.#options, {
      answered: (id, reply) => this.#answered(id, reply),
      refused: (id, error) => this.#refused(id, error),
      subscribed: (filter) => this.#toSinks(filter, (sink) => sink.began()),
      subscriptionRefused: (filter, error) => this.#toSinks(filter, (sink) => sink.failed(error)),
      value: (item) => {
        for (const sink of this.#allSinks()) sink.value(item);
      },
      snapshotComplete: (filter) => this.#toSinks(filter, (sink) => sink.complete()),
      room: () => this.#pump(),
      closed: (why) => this.#lost(why),
    }).catch((error: DssError) => {
      this.#problem = error;
      throw error;
    });
    if (this.#isClosed) return connection.end();
    this.#connection = connection;
    this.#connectedAtMs = performance.now();
    for (const filter of this.#sinks.keys()) connection.subscribe(filter);
    this.#emit({ type: 'connect', url });
    this.#pump();
  }

  #lost(why: string): void {
    const url = this.#connection?.url;
    if (performance.now() - this.#connectedAtMs >= GOOD_CONNECTION_MS) this.#attempts = 0;
    this.#connection = undefined;
    this.#problem = clientError('UNAVAILABLE', `${url}: ${why}`);
    this.#waiting.clear();
    this.#waitingBytes = 0;
    for (const pending of this.#pending.values()) {
      if (pending.times > 0 && !pending.operation.resend) {
        this.#remove(pending);
        pending.reject(unknownIfSent(pending, this.#problem));
      } else {
        this.#wait(pending);
      }
    }
    for (const sink of this.#allSinks()) sink.lost();
    this.#emit({ type: 'disconnect', reason: this.#problem });
    this.#reconnect();
  }

  #reconnect(): void {
    this.#later(() => this.#connect().catch(() => this.#reconnect()));
  }

  /** After a pause that grows with the rounds over all addresses, and that no two clients have alike. */
  #later(attempt: () => Promise<void>): void {
    if (this.#isClosed) return;
    const rounds = Math.floor(this.#attempts / this.#addresses.length);
    const isNextAddress = this.#attempts % this.#addresses.length > 0;
    const longestMs = Math.min(BACK_OFF_MAX_MS, BACK_OFF_MS * 2 ** Math.min(rounds, 10));
    const delayMs = isNextAddress ? 0 : longestMs / 2;
    const spreadMs = isNextAddress ? BACK_OFF_MS : longestMs / 2;
    this.#retry = setTimeout(() => void attempt(), delayMs + Math.random() * spreadMs);
  }

  #pump(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    for (const pending of this.#waiting) {
      if (!connection.hasRoom) return;
      this.#waiting.delete(pending);
      this.#waitingBytes -= pending.bytes;
      pending.times += 1;
      connection.send(pending);
    }
  }

  #answered(id: number, reply: Reply): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#remove(pending);
    const repeated = pending.times > 1;
    const isRefused = !reply.ok && repeated && PASSING_REFUSALS.has(reply.error ?? '');
    if (!isRefused || !pending.operation.writes) pending.resolve({ reply, repeated });
    else pending.reject(unknownIfSent(pending, new DssError(`${reply.error}`, 'it was refused')));
  }

  #refused(id: number, error: DssError): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#remove(pending);
    const isCertain = pending.times === 1 || !PASSING_REFUSALS.has(error.code);
    pending.reject(isCertain ? error : unknownIfSent(pending, error));
  }

  #wait(pending: Pending): void {
    this.#waiting.add(pending);
    this.#waitingBytes += pending.bytes;
  }

  #remove(pending: Pending): void {
    this.#pending.delete(pending.id);
    if (this.#waiting.delete(pending)) this.#waitingBytes -= pending.bytes;
    if (this.#pending.size === 0) this.#whenIdle?.();
  }

  #isFull(bytes: number): boolean {
    return (
      this.#waiting.size >= this.#options.waitingMax ||
      (this.#waiting.size > 0 && this.#waitingBytes + bytes > WAITING_BYTES_MAX)
    );
  }

  #overloaded(): DssError {
    const sentence = `${this.#waiting.size} operations wait to be sent already: await some of them`;
    return clientError('OVERLOADED', sentence);
  }

  #late(pending: Pending, timeoutMs: number): DssError {
    const problem = this.#connection === undefined ? this.#problem : undefined;
    const why = problem === undefined ? '' : `: ${problem.message}`;
    const sentence = `no answer within ${timeoutMs / 1000} s${why}`;
    return unknownIfSent(pending, clientError('TIMEOUT', sentence, problem));
  }

  #unreachable(): DssError {
    const where = this.#addresses.join(' or ');
    const why = this.#problem === undefined ? '' : `: ${this.#problem.message}`;
    return clientError('UNAVAILABLE', `cannot reach ${where}${why}`, this.#problem);
  }

  #toSinks(filter: string, tell: (sink: FilterSink) => void): void {
    for (const sink of [...(this.#sinks.get(filter) ?? [])]) tell(sink);
  }

  #allSinks(): FilterSink[] {
    return [...this.#sinks.values()].flatMap((sinks) => [...sinks]);
  }
}

/** A write that was sent and not answered may have happened. */
function unknownIfSent({ operation, times }: Pending, error: DssError): DssError {
  if (!operation.writes || times === 0) return error;
  const sentence = `it is not known whether it was carried out: ${error.message}`;
  return clientError('OUTCOME_UNKNOWN', sentence, error);
}

/** Somebody else may let us in, or the same node later. */
function isPassing({ code }: DssError): boolean {
  return code !== 'BAD_CREDENTIALS' && code !== 'NOT_A_NODE';
}
