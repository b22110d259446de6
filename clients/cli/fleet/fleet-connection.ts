import { randomBytes } from 'node:crypto';
import type { MqttClient } from 'mqtt';
import type { MqttAddress } from '../addresses.ts';
import { openMqttClient } from '../mqtt-client.ts';
import type { Security } from '../security.ts';
import type { Reading } from './sensor.ts';

/** Beyond this many unacknowledged readings a connection takes no more: a real gateway has bounds too. */
const PENDING_MAX = 5_000;
const RECONNECT_MS_MIN = 100;
const RECONNECT_MS_SPREAD = 400;
const CONNECT_TIMEOUT_MS = 3_000;

export interface PendingReading extends Reading {
  readonly firstSentMs: number;
}

export interface FleetConnectionOptions {
  readonly addresses: readonly MqttAddress[];
  /** Which of them is tried first. */
  readonly first: number;
  readonly qos: 0 | 1 | 2;
  readonly security?: Security | undefined;
  readonly nowMs: () => number;
  readonly onAcknowledged: (reading: PendingReading) => void;
  readonly onReconnect: () => void;
}

/**
 * A gateway that speaks for some of the sensors. What was not acknowledged is sent again, in order, after
 * a reconnection to the next node: the retry that a missing PUBACK asks for (DESIGN §1).
 */
export class FleetConnection {
  readonly #options: FleetConnectionOptions;
  readonly #pending = new Map<number, PendingReading>();
  #order = 0;
  #attempt = 0;
  #client: MqttClient | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: FleetConnectionOptions) {
    this.#options = options;
    this.#connect();
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Returns false when there is no room: the reading is not taken. */
  send(reading: Reading): boolean {
    if (this.#pending.size >= PENDING_MAX) return false;
    const order = this.#order++;
    this.#pending.set(order, { ...reading, firstSentMs: this.#options.nowMs() });
    if (this.#client?.connected) this.#publish(this.#client, order);
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    // MQTT.js would wait for every acknowledgement, and without a quorum there is none.
    await this.#client?.endAsync(!this.#client.connected || this.#pending.size > 0);
  }

  #connect(): void {
    const { addresses, first, security } = this.#options;
    const address = addresses[(first + this.#attempt) % addresses.length] as MqttAddress;
    this.#attempt += 1;
    const clientId = `dss-fleet-${randomBytes(6).toString('hex')}`;
    const client = openMqttClient(address, {
      clientId,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      security,
    });
    this.#client = client;
    client.once('connect', () => {
      for (const order of [...this.#pending.keys()]) this.#publish(client, order);
    });
    client.once('close', () => this.#onClose());
  }

  #publish(client: MqttClient, order: number): void {
    const reading = this.#pending.get(order);
    if (!reading) return;
    client.publish(
      `dss/put/${reading.key}`,
      reading.payload,
      { qos: this.#options.qos },
      (error) => {
        if (error || !this.#pending.delete(order)) return;
        this.#options.onAcknowledged(reading);
      },
    );
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#options.onReconnect();
    const delayMs = RECONNECT_MS_MIN + Math.random() * RECONNECT_MS_SPREAD;
    this.#retry = setTimeout(() => this.#connect(), delayMs);
  }
}
