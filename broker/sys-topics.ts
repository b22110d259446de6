import type { Counters } from './counters.ts';
import type { BrokerEnv } from './env.ts';

/** As Mosquitto's `sys_interval`. */
const INTERVAL_MS = 10_000;
const MINUTE_MS = 60_000;
const LOADS = { '1min': 1, '5min': 5, '15min': 15 } as const;

/** What is counted elsewhere, as it is now. */
export interface BrokerFacts {
  /** Sessions whose clients are connected here. */
  readonly clientsConnected: number;
  /** Sessions of the whole cluster whose clients are away. */
  readonly clientsDisconnected: number;
  readonly subscriptions: number;
  readonly retainedMessages: number;
  /** For clients that are connected here, beyond what they have room for. */
  readonly messagesWaiting: number;
  /** What sessions leave is in the store of the cluster; else for the time being in this node's memory. */
  readonly isStoreReplicated: boolean;
}

/**
 * `$SYS/broker/…` as people know it from Mosquitto (mosquitto(8), Broker Status): how this node's broker is doing, told
 * again every ten seconds where it has changed.
 */
export class SysTopics {
  readonly #env: BrokerEnv;
  readonly #counters: Counters;
  readonly #facts: () => BrokerFacts;
  readonly #publish: (topic: string, text: string) => void;
  readonly #version: string;
  readonly #startedAtMs: number;
  readonly #told = new Map<string, string>();
  readonly #loads = new Map<string, number>();
  #before: Counters;
  #clientsMaximum = 0;
  #stop = () => {};

  constructor(options: {
    readonly env: BrokerEnv;
    readonly counters: Counters;
    readonly version: string;
    readonly facts: () => BrokerFacts;
    readonly publish: (topic: string, text: string) => void;
  }) {
    this.#env = options.env;
    this.#counters = options.counters;
    this.#before = { ...options.counters };
    this.#version = options.version;
    this.#facts = options.facts;
    this.#publish = options.publish;
    this.#startedAtMs = options.env.clock.monotonicMs();
  }

  start(): void {
    this.#tell();
    this.#stop = this.#env.timers.after(INTERVAL_MS, () => this.start());
  }

  stop(): void {
    this.#stop();
  }

  #tell(): void {
    this.#measureLoads();
    const values = { ...this.#state(), ...this.#totals(), ...Object.fromEntries(this.#loads) };
    for (const [name, value] of Object.entries(values)) {
      const text = typeof value === 'number' ? String(value) : value;
      if (this.#told.get(name) === text) continue;
      this.#told.set(name, text);
      this.#publish(`$SYS/broker/${name}`, text);
    }
  }

  #state(): Record<string, string | number> {
    const { clientsConnected, clientsDisconnected, subscriptions, retainedMessages } =
      this.#facts();
    const clientsTotal = clientsConnected + clientsDisconnected;
    this.#clientsMaximum = Math.max(this.#clientsMaximum, clientsConnected);
    const uptimeMs = this.#env.clock.monotonicMs() - this.#startedAtMs;
    return {
      version: `dss version ${this.#version}`,
      uptime: `${Math.floor(uptimeMs / 1_000)} seconds`,
      'clients/total': clientsTotal,
      'clients/connected': clientsConnected,
      'clients/active': clientsConnected,
      'clients/disconnected': clientsDisconnected,
      'clients/inactive': clientsDisconnected,
      'clients/maximum': this.#clientsMaximum,
      'subscriptions/count': subscriptions,
      'retained messages/count': retainedMessages,
    };
  }

  #totals(): Record<string, number> {
    const counters = this.#counters;
    return {
      'messages/received': counters.packetsReceived,
      'messages/sent': counters.packetsSent,
      'publish/messages/received': counters.publishesReceived,
      'publish/messages/sent': counters.deliveries,
      'publish/messages/dropped': counters.messagesDropped,
      'bytes/received': counters.bytesReceived,
      'bytes/sent': counters.bytesSent,
    };
  }

  /** Per minute, smoothed over one, five and fifteen of them, as a load average is. */
  #measureLoads(): void {
    const now = { ...this.#counters };
    const rates = {
      'load/connections': now.connectionsAccepted - this.#before.connectionsAccepted,
      'load/messages/received': now.packetsReceived - this.#before.packetsReceived,
      'load/messages/sent': now.packetsSent - this.#before.packetsSent,
      'load/publish/received': now.publishesReceived - this.#before.publishesReceived,
      'load/publish/sent': now.deliveries - this.#before.deliveries,
      'load/publish/dropped': now.messagesDropped - this.#before.messagesDropped,
      'load/bytes/received': now.bytesReceived - this.#before.bytesReceived,
      'load/bytes/sent': now.bytesSent - this.#before.bytesSent,
    };
    this.#before = now;
    for (const [name, count] of Object.entries(rates)) {
      const perMinute = (count * MINUTE_MS) / INTERVAL_MS;
      for (const [span, minutes] of Object.entries(LOADS)) {
        const keeps = Math.exp(-INTERVAL_MS / (minutes * MINUTE_MS));
        const earlier = this.#loads.get(`${name}/${span}`) ?? 0;
        const load = perMinute + keeps * (earlier - perMinute);
        this.#loads.set(`${name}/${span}`, Math.round(load * 100) / 100);
      }
    }
  }
}
