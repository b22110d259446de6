import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import type { ClusterNode } from './test-cluster.ts';

const RETRY_MS = 50;
const CONNECT_TIMEOUT_MS = 3_000;
const PATIENCE_MS = 30_000;

/** One value, as answers and `dss/watch` describe it. */
export interface Described {
  readonly key?: string;
  readonly version: number;
  readonly time: number;
  readonly expiresAt?: number;
  readonly value?: string;
  readonly base64?: string;
  readonly deleted?: true;
}

/** What comes on `dss/reply/me`; of `docs/MQTT.md`, Asking. */
export interface Answer {
  readonly id: number | string;
  readonly op: string;
  readonly ok: boolean;
  readonly key?: string;
  readonly prefix?: string;
  readonly error?: string;
  readonly version?: number | null;
  readonly time?: number;
  readonly expiresAt?: number;
  readonly value?: string;
  readonly base64?: string;
  readonly keys?: readonly string[];
  readonly items?: readonly Described[];
  readonly more?: boolean;
  readonly next?: string | null;
}

/** An answer, and how often the question was sent: more than once, and an earlier one may have been carried out. */
export interface Answered extends Answer {
  readonly sends: number;
}

export interface Report {
  readonly code: string;
  readonly message: string;
  readonly topic?: string;
  readonly id?: number | string;
}

interface Pending {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly qos: 1 | 2;
  sends: number;
  acknowledged(): void;
}

/**
 * A client that does what `docs/MQTT.md` asks of clients: what is not acknowledged, or not answered, it sends again,
 * at the next node if the connection was lost; it has a client id of its own and an `id` for each question.
 */
export class PatientClient {
  readonly clientId: string;
  /** From `dss/error/me`. */
  readonly reports: Report[] = [];
  /** How often it had to connect again. */
  reconnects = 0;
  readonly #nodes: readonly ClusterNode[];
  /** In the order they were sent. */
  readonly #pending = new Set<Pending>();
  readonly #questions = new Map<number | string, (answer: Answer) => void>();
  #connection: MqttClient | undefined;
  #connected = (): void => {};
  #nodeIndex = 0;
  #lastId = 0;
  #isClosed = false;

  private constructor(nodes: readonly ClusterNode[], clientId: string) {
    this.#nodes = nodes;
    this.clientId = clientId;
  }

  /** Connects to the first of the nodes, and to the next ones in turn when the connection is lost. */
  static async connect(
    nodes: readonly ClusterNode[],
    clientId = `patient-${randomBytes(6).toString('hex')}`,
  ): Promise<PatientClient> {
    const client = new PatientClient(nodes, clientId);
    await new Promise<void>((resolve) => {
      client.#connected = resolve;
      client.#connect();
    });
    return client;
  }

  /** Resolves at the PUBACK or PUBCOMP. */
  publish(topic: string, payload: string | Uint8Array, qos: 1 | 2 = 1): Promise<void> {
    return this.#untilSettled(topic, (settle) => {
      const acknowledged = (): void => {
        this.#pending.delete(pending);
        settle();
      };
      const pending: Pending = { topic, payload, qos, sends: 0, acknowledged };
      this.#send(pending);
    });
  }

  put(key: string, value: string | Uint8Array): Promise<void> {
    return this.publish(`dss/put/${key}`, value);
  }

  /** Publishes `dss/<verb>`; resolves with an answer that is not `UNAVAILABLE`. */
  ask(verb: string, members: Readonly<Record<string, unknown>> = {}): Promise<Answered> {
    const topic = `dss/${verb}`;
    this.#lastId += 1;
    const id = (members.id as number | string | undefined) ?? this.#lastId;
    const payload = JSON.stringify({ ...members, id });
    return this.#untilSettled(topic, (settle) => {
      const pending: Pending = { topic, payload, qos: 1, sends: 0, acknowledged: () => {} };
      this.#questions.set(id, (answer) => {
        this.#pending.delete(pending);
        if (answer.error === 'UNAVAILABLE') {
          setTimeout(() => this.#send(pending), RETRY_MS);
          return;
        }
        this.#questions.delete(id);
        settle({ ...answer, sends: pending.sends });
      });
      this.#send(pending);
    });
  }

  /** Loses the connection without a word, and connects again by itself. */
  breakOff(): void {
    this.#connection?.stream.destroy();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#connection?.endAsync(true);
  }

  #send(pending: Pending): void {
    this.#pending.add(pending);
    if (this.#connection === undefined) return;
    pending.sends += 1;
    this.#connection.publish(
      pending.topic,
      pending.payload as Buffer,
      { qos: pending.qos },
      (error) => {
        if (error || !this.#pending.has(pending)) return;
        pending.acknowledged();
      },
    );
  }

  #connect(): void {
    const node = this.#nodes[this.#nodeIndex % this.#nodes.length] as ClusterNode;
    const { clientId } = this;
    const options = { clientId, reconnectPeriod: 0, connectTimeout: CONNECT_TIMEOUT_MS };
    const connection = mqtt.connect(node.mqttUrl, options);
    connection.on('error', () => {});
    connection.on('message', (topic, payload) => this.#onMessage(topic, payload.toString()));
    connection.once('connect', () => {
      // Else a question waits behind the PUBACK of the answer before: Nagle, and 40 ms of delayed ACK.
      (connection.stream as Socket).setNoDelay(true);
      connection.subscribe(['dss/reply/me', 'dss/error/me'], { qos: 1 });
      this.#connection = connection;
      for (const pending of [...this.#pending]) this.#send(pending);
      this.#connected();
    });
    connection.once('close', () => {
      this.#connection = undefined;
      connection.end(true);
      if (this.#isClosed) return;
      this.#nodeIndex += 1;
      this.reconnects += 1;
      setTimeout(() => this.#connect(), RETRY_MS);
    });
  }

  #onMessage(topic: string, payload: string): void {
    if (topic === 'dss/error/me') {
      this.reports.push(JSON.parse(payload) as Report);
    } else if (topic === 'dss/reply/me') {
      const answer = JSON.parse(payload) as Answer;
      this.#questions.get(answer.id)?.(answer);
    }
  }

  #untilSettled<T>(topic: string, begin: (settle: (result: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const complaint = `${topic}: no outcome within ${PATIENCE_MS} ms`;
      const timer = setTimeout(() => reject(new Error(complaint)), PATIENCE_MS);
      begin((result) => {
        clearTimeout(timer);
        resolve(result);
      });
    });
  }
}
