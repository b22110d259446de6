import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import { eventually } from '../../support/eventually.ts';
import type { ClusterNode } from './test-cluster.ts';

const TICK_MS = 10;
const RECONNECT_MS = 50;
const CONNECT_TIMEOUT_MS = 2_000;
/** A put that waits longer makes its connection go to another node: longer than any election takes. */
const PATIENCE_MS = 3_000;

export interface FleetOptions {
  /** Nodes to connect to; asked at each connection, as there may be others by then. */
  readonly nodes: () => readonly ClusterNode[];
  readonly prefix: string;
  readonly keys?: number;
  readonly connections?: number;
  /** Of all connections together. */
  readonly putsPerSecond?: number;
}

/** A put whose PUBACK came. Its value is its number, which counts up with each put of the key. */
export interface Acknowledged {
  readonly key: string;
  readonly number: number;
  /** When it was sent first, and when its PUBACK came; of `performance.now()`. */
  readonly sentMs: number;
  readonly acknowledgedMs: number;
}

/** What a key of the fleet has got. */
export interface FleetKey {
  readonly key: string;
  /** The last number that was sent, acknowledged or not. */
  sent: number;
  acknowledged: number;
  /** Numbers that were sent more than once: the cluster may have stored them twice. */
  readonly repeated: Set<number>;
}

export interface FleetTimes {
  readonly acknowledged: number;
  readonly repeated: number;
  /** The longest time in which no put of any key was acknowledged. */
  readonly silenceMs: number;
  /** From the first sending to the PUBACK. */
  readonly p99Ms: number;
  readonly waitMs: number;
}

/**
 * Connections spread over the nodes that put one number after the other into keys of their own, each key when
 * its last put is acknowledged. What is not acknowledged they repeat, at the next node if the connection was lost
 * or nothing comes back for long.
 */
export class PublishingFleet {
  readonly keys: readonly FleetKey[];
  readonly acknowledged: Acknowledged[] = [];
  readonly prefix: string;
  readonly #publishers: readonly Publisher[];
  readonly #putsPerTick: number;
  readonly #startedMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #allowance = 0;

  constructor(options: FleetOptions) {
    const { prefix, nodes, keys = 2_000, connections = 6, putsPerSecond = 1_000 } = options;
    this.prefix = prefix;
    this.keys = Array.from({ length: keys }, (_, index) => ({
      key: `${prefix}/dev${index}`,
      sent: 0,
      acknowledged: 0,
      repeated: new Set<number>(),
    }));
    this.#putsPerTick = (putsPerSecond * TICK_MS) / 1_000;
    this.#publishers = Array.from({ length: connections }, (_, first) => {
      const own = this.keys.filter((_, index) => index % connections === first);
      return new Publisher(own, nodes, first, (put) => this.acknowledged.push(put));
    });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Resolves when every put that was sent is acknowledged. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#publishers.map((publisher) => publisher.finish()));
  }

  /** Resolves when every key has got a new value from now on: no shard is left out. */
  async allAcknowledgedAgain(): Promise<void> {
    const sinceMs = performance.now();
    await eventually('every key is acknowledged again', () =>
      this.#hasAllSince(sinceMs) ? true : undefined,
    );
  }

  times(sinceMs = this.#startedMs): FleetTimes {
    const puts = this.acknowledged.filter(({ acknowledgedMs }) => acknowledgedMs >= sinceMs);
    const waits = puts.map(({ sentMs, acknowledgedMs }) => acknowledgedMs - sentMs);
    waits.sort((a, b) => a - b);
    let silenceMs = 0;
    let lastMs = sinceMs;
    for (const { acknowledgedMs } of puts) {
      silenceMs = Math.max(silenceMs, acknowledgedMs - lastMs);
      lastMs = acknowledgedMs;
    }
    return {
      acknowledged: puts.length,
      repeated: this.keys.reduce((sum, { repeated }) => sum + repeated.size, 0),
      silenceMs: Math.round(silenceMs),
      p99Ms: Math.round(waits[Math.floor(waits.length * 0.99)] ?? 0),
      waitMs: Math.round(waits.at(-1) ?? 0),
    };
  }

  #hasAllSince(sinceMs: number): boolean {
    const heard = new Set<string>();
    for (let index = this.acknowledged.length - 1; index >= 0; index -= 1) {
      const { key, sentMs, acknowledgedMs } = this.acknowledged[index] as Acknowledged;
      if (acknowledgedMs < sinceMs) break;
      if (sentMs >= sinceMs) heard.add(key);
    }
    return heard.size === this.keys.length;
  }

  #tick(): void {
    this.#allowance += this.#putsPerTick;
    const share = Math.floor(this.#allowance / this.#publishers.length);
    this.#allowance -= share * this.#publishers.length;
    for (const publisher of this.#publishers) publisher.tick(share);
  }
}

/** One connection and its keys. */
class Publisher {
  readonly #keys: readonly FleetKey[];
  readonly #nodes: () => readonly ClusterNode[];
  readonly #onAcknowledged: (put: Acknowledged) => void;
  /** When the put that waits for its PUBACK was first sent, oldest first. */
  readonly #waiting = new Map<FleetKey, number>();
  #attempt: number;
  #next = 0;
  #connection: MqttClient | undefined;
  #heardMs = performance.now();
  #onFinished: (() => void) | undefined;

  constructor(
    keys: readonly FleetKey[],
    nodes: () => readonly ClusterNode[],
    first: number,
    onAcknowledged: (put: Acknowledged) => void,
  ) {
    this.#keys = keys;
    this.#nodes = nodes;
    this.#attempt = first;
    this.#onAcknowledged = onAcknowledged;
    this.#connect();
  }

  tick(puts: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const [oldestMs] = this.#waiting.values();
    const silentSinceMs = Math.max(oldestMs ?? Number.POSITIVE_INFINITY, this.#heardMs);
    if (performance.now() - silentSinceMs > PATIENCE_MS) return void connection.end(true);
    for (let asked = 0; asked < this.#keys.length && puts > 0; asked += 1) {
      const key = this.#keys[this.#next % this.#keys.length] as FleetKey;
      this.#next += 1;
      if (this.#waiting.has(key)) continue;
      puts -= 1;
      key.sent += 1;
      this.#waiting.set(key, performance.now());
      this.#put(connection, key);
    }
  }

  async finish(): Promise<void> {
    const watch = setInterval(() => this.tick(0), TICK_MS);
    if (this.#waiting.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onFinished = resolve;
      });
    }
    clearInterval(watch);
    this.#onFinished = () => {};
    await this.#connection?.endAsync(true);
  }

  #put(connection: MqttClient, key: FleetKey): void {
    const number = key.sent;
    connection.publish(`dss/put/${key.key}`, String(number), { qos: 1 }, (error) => {
      const sentMs = this.#waiting.get(key);
      if (error || sentMs === undefined || key.sent !== number) return;
      this.#waiting.delete(key);
      key.acknowledged = number;
      this.#heardMs = performance.now();
      this.#onAcknowledged({ key: key.key, number, sentMs, acknowledgedMs: this.#heardMs });
      if (this.#waiting.size === 0) this.#onFinished?.();
    });
  }

  #connect(): void {
    const nodes = this.#nodes();
    const node = nodes[this.#attempt % nodes.length] as ClusterNode;
    this.#attempt += 1;
    const connection = mqtt.connect(node.mqttUrl, {
      clientId: `fleet-${randomBytes(6).toString('hex')}`,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      messageIdProvider: new mqtt.UniqueMessageIdProvider(),
    });
    connection.on('error', () => {});
    connection.once('connect', () => {
      (connection.stream as Socket).setNoDelay(true);
      this.#connection = connection;
      this.#heardMs = performance.now();
      for (const key of this.#waiting.keys()) {
        key.repeated.add(key.sent);
        this.#put(connection, key);
      }
    });
    connection.once('close', () => {
      this.#connection = undefined;
      connection.end(true);
      const isFinished = this.#onFinished !== undefined && this.#waiting.size === 0;
      if (!isFinished) setTimeout(() => this.#connect(), RECONNECT_MS);
    });
  }
}
