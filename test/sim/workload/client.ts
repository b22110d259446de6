import type { HistoricValue, StoredValue } from '../../../broker/data-plane.ts';
import type { SeededRandom } from '../../support/random.ts';
import type { Operation, Outcome, Request } from '../checkers/history.ts';
import { decode, encode } from '../cluster.ts';
import { Connection, type WriteAnswer } from './connection.ts';
import { padded, unpadded } from './values.ts';
import type { Workload } from './workload.ts';

const UNKNOWN: Outcome = { kind: 'unknown' };
const FAILED: Outcome = { kind: 'failed' };
const EVERYTHING = { from: 0, to: Number.MAX_SAFE_INTEGER };

/** How long a client waits for an answer; then it hangs up, and does not know what became of its request. */
const PATIENCE_MS = [400, 1_500, 5_000, 12_000] as const;
const REPEATS_MAX = 3;

/**
 * One sequential process: it asks for something through one node, waits for the answer or loses patience, and goes
 * on, often with the same request where it was told nothing.
 */
export class Client {
  readonly #workload: Workload;
  readonly #name: string;
  readonly #random: SeededRandom;
  #connection: Connection | undefined;
  /** Versions it has heard of: what its next conditions will name. */
  readonly #heard = new Map<string, number | null>();
  #step = 0;
  #isIdle = false;

  constructor(workload: Workload, name: string) {
    this.#workload = workload;
    this.#name = name;
    this.#random = workload.random;
  }

  start(): void {
    this.#later(this.#workload.options.thinkMs);
  }

  /** It has stopped for good. */
  get isIdle(): boolean {
    return this.#isIdle;
  }

  #later(thinkMs: number): void {
    this.#workload.cluster.world.at(1 + this.#random.below(thinkMs), () => this.#next());
  }

  #next(): void {
    if (!this.#workload.running) {
      this.#connection?.close();
      this.#isIdle = true;
      return;
    }
    const connection = this.#connect();
    if (connection === undefined) return this.#later(500);
    const key = this.#random.pick(this.#workload.keys);
    const choice = this.#random.below(100);
    if (choice < 36) this.#request(key, { kind: 'put', value: this.#workload.newValue(key) });
    else if (choice < 42) this.#request(key, { kind: 'put', value: '' });
    else if (choice < 58) this.#request(key, this.#comparison(key));
    else if (choice < 84) this.#request(key, { kind: 'get' });
    else if (choice < 88) this.#readHistory(connection, key);
    else if (choice < 91) this.#list(connection);
    else if (choice < 94) this.#readEventually(connection, key);
    else if (choice < 97) this.#batch(connection);
    else this.#writeFleeting(connection);
  }

  /** Stays with its node, mostly. */
  #connect(): Connection | undefined {
    if (this.#connection?.isUsable === true && !this.#random.chance(0.05)) return this.#connection;
    this.#connection?.close();
    const usable = this.#workload.usable();
    this.#connection =
      usable.length === 0
        ? undefined
        : new Connection(this.#workload.cluster, this.#random.pick(usable), this.#random);
    return this.#connection;
  }

  #comparison(key: string): Request {
    const heard = this.#heard.get(key) ?? null;
    const ifVersion = this.#random.chance(0.1) ? null : heard;
    const value = this.#random.chance(0.1) ? '' : this.#workload.newValue(key);
    return { kind: 'cas', ifVersion, value, token: `${this.#name}-${this.#step}` };
  }

  /** Sends it until it has an answer, or enough of it. */
  #request(key: string, request: Request, repeats = 0): void {
    const connection = this.#connection as Connection;
    const operation = this.#workload.history.call(this.#name, key, request);
    this.#send(
      connection,
      operation,
      this.#until(connection, (outcome: Outcome) => {
        // The acknowledgement is on its way, and the connection breaks.
        const isLost = this.#random.chance(0.02);
        if (isLost) connection.close();
        const told = isLost && request.kind !== 'get' ? UNKNOWN : outcome;
        this.#settle(operation, told);
        if (told.kind !== 'unknown' || repeats === REPEATS_MAX || this.#random.chance(0.5))
          return this.#later(this.#workload.options.thinkMs);
        this.#workload.cluster.world.at(1 + this.#random.below(300), () => {
          if (this.#workload.running && this.#connect() !== undefined)
            this.#request(key, request, repeats + 1);
          else this.#next();
        });
      }),
    );
  }

  #send(connection: Connection, { key, request }: Operation, done: (outcome: Outcome) => void) {
    if (request.kind === 'get') {
      connection.ask(
        (dataPlane) => dataPlane.get(encode(key)),
        (answer) => {
          if (answer.kind === 'unavailable') done(FAILED);
          else if (answer.kind === 'found') done(found(answer));
          else done({ kind: 'not-found' });
        },
      );
    } else if (request.kind === 'put') {
      this.#write(connection, key, request.value, 0, (answer) => done(outcomeOf(answer)));
    } else {
      const { ifVersion, token } = request;
      const value = encode(this.#pad(request.value));
      const question = { key: encode(key), value, ifVersion, ttlMs: 0, token: tokenBytes(token) };
      connection.ask(
        (dataPlane) => dataPlane.compareAndSet(question),
        (answer) => done(answer.kind === 'failed' ? outcomeOf(answer) : answer),
      );
    }
  }

  /** Several keys at once: operations that overlap. */
  #batch(connection: Connection): void {
    const { keys, history } = this.#workload;
    const operations = keys
      .filter(() => this.#random.chance(0.4))
      .map((key) =>
        history.call(this.#name, key, { kind: 'put', value: this.#workload.newValue(key) }),
      );
    let left = operations.length;
    const over = this.#until(connection, () => this.#later(this.#workload.options.thinkMs));
    if (left === 0) return over(UNKNOWN);
    for (const operation of operations) {
      this.#send(connection, operation, (outcome) => {
        this.#settle(operation, outcome);
        left -= 1;
        if (left === 0) over(UNKNOWN);
      });
    }
  }

  /** The newest of a key's history is its current value. */
  #readHistory(connection: Connection, key: string): void {
    const operation = this.#workload.history.call(this.#name, key, { kind: 'get' });
    const over = this.#until(connection, (outcome: Outcome) => {
      this.#settle(operation, outcome);
      this.#later(this.#workload.options.thinkMs);
    });
    const query = { key: encode(key), ...EVERYTHING, limit: 5, ascending: false };
    connection.ask(
      (dataPlane) => dataPlane.history(query),
      (answer) => {
        if (answer.kind === 'unavailable') return over(FAILED);
        this.#hear(answer.items, `history for ${this.#name}`);
        const newest = answer.items[0];
        over(newest === undefined || newest.deleted ? { kind: 'not-found' } : found(newest));
      },
    );
  }

  /** A read of every key at once: each by itself is linearizable. */
  #list(connection: Connection): void {
    const { keys, history } = this.#workload;
    const operations = keys.map((key) => history.call(this.#name, key, { kind: 'get' }));
    const over = this.#until(connection, (outcome: Outcome | ReadonlyMap<string, StoredValue>) => {
      for (const operation of operations) {
        if ('kind' in outcome) {
          this.#settle(operation, FAILED);
          continue;
        }
        const item = outcome.get(operation.key);
        this.#settle(operation, item === undefined ? { kind: 'not-found' } : found(item));
      }
      this.#later(this.#workload.options.thinkMs);
    });
    const nothing = new Uint8Array(0);
    connection.ask(
      (dataPlane) =>
        dataPlane.list({ prefix: encode('k'), after: nothing, limit: 1_000, values: true }),
      (answer) => {
        if (answer.kind === 'unavailable') over(FAILED);
        else over(new Map(answer.items.map((item) => [decode(item.key), item])));
      },
    );
  }

  /** It may be old, but never made up. */
  #readEventually(connection: Connection, key: string): void {
    const over = this.#until(connection, () => this.#later(this.#workload.options.thinkMs));
    connection.ask(
      (dataPlane) => dataPlane.get(encode(key), { eventual: true }),
      (answer) => {
        if (answer.kind === 'found')
          this.#hear([{ ...answer, deleted: false }], 'an eventual read');
        over(UNKNOWN);
      },
    );
  }

  #writeFleeting(connection: Connection): void {
    const key = this.#random.pick(this.#workload.fleetingKeys);
    const ttlMs = 200 + this.#random.below(5_000);
    const over = this.#until(connection, () => this.#later(this.#workload.options.thinkMs));
    const value = this.#workload.newValue(key);
    if (this.#random.chance(0.5))
      return this.#write(connection, key, value, ttlMs, () => over(UNKNOWN));
    const question = { key: encode(key), value: encode(value), ifVersion: null, ttlMs };
    connection.ask(
      (dataPlane) => dataPlane.compareAndSet({ ...question, token: undefined }),
      () => over(UNKNOWN),
    );
  }

  #write(
    connection: Connection,
    key: string,
    value: string,
    ttlMs: number,
    answered: (answer: WriteAnswer) => void,
  ): void {
    const bytes = encode(key + this.#pad(value));
    connection.write(bytes, encode(key).length, ttlMs, answered);
  }

  #pad(value: string): string {
    const { valueBytesMax } = this.#workload.options;
    return padded(value, this.#random.chance(0.5) ? 0 : this.#random.below(valueBytesMax));
  }

  /** Calls `over` once: with the answer, or with an unknown outcome when patience has run out. */
  #until<T>(connection: Connection, over: (outcome: T | Outcome) => void) {
    const step = ++this.#step;
    const end = (outcome: T | Outcome) => {
      if (step !== this.#step) return;
      this.#step += 1;
      over(outcome);
    };
    this.#workload.cluster.world.at(this.#random.pick(PATIENCE_MS), () => {
      if (step !== this.#step) return;
      connection.close();
      end(UNKNOWN);
    });
    return end;
  }

  #settle(operation: Operation, outcome: Outcome): void {
    this.#workload.settle(operation, outcome);
    if (outcome.kind === 'not-found') this.#heard.set(operation.key, null);
    else if ('version' in outcome && outcome.version !== 0)
      this.#heard.set(operation.key, outcome.version);
  }

  #hear(items: readonly HistoricValue[], teller: string): void {
    const { guard, versions } = this.#workload;
    guard(() => {
      for (const { key, version, value } of items)
        versions.told(decode(key), version, unpadded(decode(value)), teller);
    });
  }
}

export function found({ value, version }: StoredValue): Outcome {
  return { kind: 'found', value: unpadded(decode(value)), version };
}

/** Only where nothing of it was stored is it certain that it never will be. */
export function outcomeOf(
  answer: WriteAnswer | { readonly kind: 'failed'; readonly failure: string },
): Outcome {
  if (answer.kind === 'committed') return { kind: 'written', version: answer.version };
  return answer.failure === 'storage-full' ? FAILED : UNKNOWN;
}

function tokenBytes(token: string): Uint8Array {
  return encode(token.padEnd(16).slice(0, 16));
}
