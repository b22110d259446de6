import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { MqttAddress } from '../addresses.ts';
import type { Security } from '../security.ts';
import { FleetConnection, type PendingReading } from './fleet-connection.ts';
import { type Reading, Sensor, sensorKey } from './sensor.ts';

const TICK_MS = 20;

export interface FleetOptions {
  readonly addresses: readonly MqttAddress[];
  readonly devices: number;
  /** Readings per second and device. */
  readonly rate: number;
  readonly qos: 0 | 1 | 2;
  readonly connections: number;
  readonly prefix: string;
  /** Each reading gets a key of its own, `…/temp/<seq>`, so that every one can be looked for later. */
  readonly distinctKeys: boolean;
  readonly security?: Security | undefined;
  readonly onAcknowledged?: (reading: Reading, sentMs: number) => void;
}

export interface FleetCounts {
  readonly sent: number;
  /** With QoS 0: written to a socket. */
  readonly acknowledged: number;
  /** Not acknowledged when the fleet stopped, or never sent because too many were waiting. */
  readonly failed: number;
  readonly reconnects: number;
}

export interface FleetReport extends FleetCounts {
  readonly latencyMs: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  };
}

/** Simulated sensors, spread evenly over time, over connections and over nodes. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #sensors: readonly Sensor[];
  readonly #connections: readonly FleetConnection[];
  readonly #latencyMicros: RecordableHistogram = createHistogram();
  #sent = 0;
  #acknowledged = 0;
  #skipped = 0;
  #reconnects = 0;
  #timer: NodeJS.Timeout | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#sensors = Array.from(
      { length: options.devices },
      (_, index) => new Sensor(sensorKey(options.prefix, index), Math.random),
    );
    this.#connections = Array.from(
      { length: Math.min(options.connections, options.devices) },
      (_, index) =>
        new FleetConnection({
          addresses: options.addresses,
          first: index,
          qos: options.qos,
          security: options.security,
          nowMs: () => performance.now(),
          onAcknowledged: (reading) => this.#onAcknowledged(reading),
          onReconnect: () => {
            this.#reconnects += 1;
          },
        }),
    );
  }

  get counts(): FleetCounts {
    const sent = this.#sent;
    const acknowledged = this.#acknowledged;
    return { sent, acknowledged, failed: this.#skipped, reconnects: this.#reconnects };
  }

  /** Readings begin at once; those due while there is no connection wait for one. */
  start(seconds = Number.POSITIVE_INFINITY): Promise<void> {
    const { devices, rate } = this.#options;
    const total = Math.round(devices * rate * seconds);
    const startedMs = performance.now();
    let due = 0;
    return new Promise((resolve) => {
      this.#timer = setInterval(() => {
        const elapsedSeconds = (performance.now() - startedMs) / 1000;
        const until = Math.min(total, Math.floor(elapsedSeconds * rate * devices));
        for (; due < until; due += 1) this.#read(due % devices);
        if (due < total) return;
        clearInterval(this.#timer);
        resolve();
      }, TICK_MS);
    });
  }

  /** Waits for what is on its way, at most `graceMs`. */
  async stop(graceMs: number): Promise<FleetReport> {
    clearInterval(this.#timer);
    await this.#idle(graceMs);
    const unacknowledged = this.#pendingCount();
    await Promise.all(this.#connections.map((connection) => connection.close()));
    const milliseconds = (percentile: number): number =>
      Math.round(this.#latencyMicros.percentile(percentile) / 10) / 100;
    const measured = this.#latencyMicros.count > 0;
    return {
      ...this.counts,
      failed: this.#skipped + unacknowledged,
      latencyMs: {
        p50: measured ? milliseconds(50) : 0,
        p90: measured ? milliseconds(90) : 0,
        p99: measured ? milliseconds(99) : 0,
        max: measured ? Math.round(this.#latencyMicros.max / 10) / 100 : 0,
      },
    };
  }

  #read(device: number): void {
    const connection = this.#connections[device % this.#connections.length];
    const reading = this.#sensors[device]?.read(Date.now());
    if (!connection || !reading) return;
    const key = this.#options.distinctKeys ? `${reading.key}/${reading.seq}` : reading.key;
    if (connection.send({ ...reading, key })) this.#sent += 1;
    else this.#skipped += 1;
  }

  #onAcknowledged(reading: PendingReading): void {
    this.#acknowledged += 1;
    const latencyMs = performance.now() - reading.firstSentMs;
    this.#latencyMicros.record(Math.max(1, Math.round(latencyMs * 1000)));
    this.#options.onAcknowledged?.(reading, performance.timeOrigin + reading.firstSentMs);
    if (this.#onIdle && this.#pendingCount() === 0) this.#onIdle();
  }

  #idle(graceMs: number): Promise<void> {
    if (this.#pendingCount() === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #pendingCount(): number {
    return this.#connections.reduce((sum, connection) => sum + connection.pendingCount, 0);
  }
}
