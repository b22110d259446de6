import type { DataPlane, Watch, WatchedValue } from '../../broker/data-plane.ts';
import { utf8Text } from '../../broker/json.ts';
import { Signal } from '../../broker/signal.ts';
import type { Env } from '../env.ts';
import type { ForeignBrokers, ForeignConnection } from './foreign-broker.ts';
import { KeptConnection, type Session } from './kept-connection.ts';
import type { LinkProgress, SinkLink } from './link.ts';
import { NewestValues } from './newest-values.ts';

/** Not acknowledged yet; at most one of a key. */
const INFLIGHT_MAX = 100;
/** So many keys may wait before the snapshot does. */
const WAITING_KEYS_MAX = 1_000;
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** Keys deleted while the other broker is away: their current values are not there to be published later. */
const DELETED_KEYS_MAX = 10_000;

export interface SinkOptions {
  readonly env: Env;
  readonly brokers: ForeignBrokers;
  readonly link: SinkLink;
  readonly clientId: string;
  readonly dataPlane: DataPlane;
}

/**
 * Keeps another broker's retained messages as the values here are. Each connection begins with the current values,
 * since nobody can tell what that broker has forgotten; then every change follows, of each key the newest.
 */
export class Sink {
  readonly #options: SinkOptions;
  readonly #kept: KeptConnection;
  readonly #waiting = new NewestValues();
  /** Keys whose publication is under way, with what it is. */
  readonly #inflight = new Map<string, WatchedValue>();
  readonly #deletedMeanwhile = new Map<string, WatchedValue>();
  #connection: ForeignConnection | undefined;
  #watch: Pick<Watch, 'close'> | undefined;
  #room: Signal | undefined;
  #messages = 0;
  /** What the other broker does not let us publish. */
  #ignored = 0;

  constructor(options: SinkOptions) {
    this.#options = options;
    this.#kept = new KeptConnection({
      ...options,
      connection: {
        clientId: options.clientId,
        session: 'none',
        filters: [],
        inflightMax: INFLIGHT_MAX,
      },
      begin: (connection) => this.#begin(connection),
    });
  }

  get progress(): LinkProgress {
    const { isConnected, error } = this.#kept;
    return {
      connected: isConnected,
      messages: this.#messages,
      ignored: this.#ignored,
      error,
    };
  }

  start(): void {
    this.#kept.start();
  }

  stop(): void {
    this.#kept.stop();
    this.#watch?.close();
    this.#watch = undefined;
  }

  #begin(connection: ForeignConnection): Session {
    return {
      connected: () => this.#connected(connection),
      message: () => {},
      ended: () => this.#ended(),
    };
  }

  #connected(connection: ForeignConnection): void {
    this.#connection = connection;
    for (const [key, item] of this.#deletedMeanwhile) this.#waiting.put(key, item);
    this.#deletedMeanwhile.clear();
    this.#watch?.close();
    let isCurrent = true;
    const watch = this.#options.dataPlane.watch(this.#options.link.filter, {
      value: (item) => (isCurrent ? this.#value(item) : undefined),
      snapshotDone: () => {},
    });
    this.#watch = {
      close: () => {
        isCurrent = false;
        watch.close();
      },
    };
    this.#pump();
  }

  /** The watch goes on: what is deleted from now on would be missing in the next snapshot. */
  #ended(): void {
    this.#connection = undefined;
    for (const [key, item] of [...this.#inflight, ...this.#waiting.entries()]) {
      this.#remember(key, item);
    }
    this.#inflight.clear();
    this.#waiting.clear();
    this.#giveRoom();
  }

  #value(item: WatchedValue): Promise<void> | undefined {
    const key = utf8Text(item.key);
    if (this.#connection === undefined) {
      this.#remember(key, item);
      return undefined;
    }
    this.#waiting.put(key, item);
    if (this.#waiting.bytes > WAITING_BYTES_MAX) {
      this.#kept.fail('it takes values more slowly than they change');
      return undefined;
    }
    this.#pump();
    if (!item.snapshot || this.#waiting.size < WAITING_KEYS_MAX) return undefined;
    this.#room ??= new Signal();
    return this.#room.happened;
  }

  #remember(key: string, item: WatchedValue): void {
    const isNoted = this.#deletedMeanwhile.has(key);
    if (!item.deleted) this.#deletedMeanwhile.delete(key);
    else if (isNoted || this.#deletedMeanwhile.size < DELETED_KEYS_MAX) {
      this.#deletedMeanwhile.set(key, item);
    }
  }

  #pump(): void {
    for (const [key, item] of this.#waiting.entries()) {
      const connection = this.#connection;
      if (connection === undefined || this.#inflight.size >= INFLIGHT_MAX) break;
      if (this.#inflight.has(key)) continue;
      this.#waiting.delete(key);
      this.#inflight.set(key, item);
      const topic = this.#options.link.topicPrefix + key;
      const payload = item.deleted ? new Uint8Array(0) : item.value;
      connection.publishRetained(topic, payload, (outcome) => {
        if (connection === this.#connection) this.#done(key, outcome);
      });
    }
    if (this.#waiting.size < WAITING_KEYS_MAX) this.#giveRoom();
  }

  #done(key: string, outcome: 'acknowledged' | 'refused'): void {
    this.#inflight.delete(key);
    if (outcome === 'acknowledged') this.#messages += 1;
    else this.#ignored += 1;
    this.#pump();
  }

  #giveRoom(): void {
    this.#room?.give();
    this.#room = undefined;
  }
}
