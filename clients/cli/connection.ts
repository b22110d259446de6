import { randomBytes } from 'node:crypto';
import type { MqttClient } from 'mqtt';
import { type MqttAddress, parseNodeAddresses } from './addresses.ts';
import { deferred } from './deferred.ts';
import { CliError, ExitCode, namingAdvice, unreachableError } from './errors.ts';
import { openMqttClient, untilAccepted, whyNotConnected } from './mqtt-client.ts';
import { type Reply, replyError } from './reply.ts';
import type { Security } from './security.ts';

const RECONNECT_MS = 300;
const CONNECT_TIMEOUT_MS = 5_000;

export interface ConnectionOptions {
  /** `--node`, in the order they are tried. */
  readonly nodes: readonly string[];
  /** How long one request may take, reconnections included. */
  readonly timeoutMs: number;
  readonly security?: Security;
  /** What the cluster knows this client by, over connections and processes; drawn if it is not given. */
  readonly clientId?: string;
}

export type WatchListener = (key: string, payload: Buffer, snapshot: boolean) => void;

type MessageListener = (topic: string, payload: Buffer, retained: boolean) => void;

/** What has been asked for: sent now, and on every further connection until it has an outcome. */
interface Operation {
  readonly send: (client: MqttClient) => void;
  /** What a report of its refusal names: the topic that it published or subscribed to; of a request, the id. */
  readonly topic: string;
  readonly id?: string;
  readonly answer?: (reply: Reply) => void;
  readonly receive?: MessageListener;
  /** Goes on after its outcome: a subscription. */
  readonly lasts?: true;
}

type Pending = Operation & { readonly refuse: (refusal: CliError) => void };

const REPLY_TOPIC = 'dss/reply/me';
const ERROR_TOPIC = 'dss/error/me';
const VALUE_PREFIX = 'dss/value/';
/** Nothing is published there. */
const SYSTEM_TOPIC = 'dss/sys/none';

/**
 * One command's conversation with the cluster, over MQTT 3.1.1 like any device. When the connection is lost it
 * goes on at the next address, as soon as that node would tell us of a refusal: what has no outcome is sent again,
 * so it should be something that may arrive twice, and a watch starts with a fresh snapshot.
 */
export class NodeConnection {
  readonly #addresses: readonly MqttAddress[];
  readonly #options: ConnectionOptions;
  readonly #clientId: string;
  readonly #pending = new Set<Pending>();
  #client: MqttClient | undefined;
  /** The same, once it is known to lead to a node and hears of refusals. */
  #ready: MqttClient | undefined;
  #attempts = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  /** Something may still wait for its acknowledgement. */
  #failed = false;
  #lastProblem = 'the node does not answer';

  private constructor(options: ConnectionOptions) {
    this.#addresses = parseNodeAddresses(options.nodes);
    this.#options = options;
    this.#clientId = options.clientId ?? `dss-cli-${randomBytes(6).toString('hex')}`;
  }

  /** Connects to the first address that answers: as long as nobody has, one round is all we try. */
  static async open(options: ConnectionOptions): Promise<NodeConnection> {
    const connection = new NodeConnection(options);
    let problem: unknown;
    for (const _address of connection.#addresses) {
      try {
        await connection.#connect();
        return connection;
      } catch (error) {
        if (error instanceof CliError) throw error;
        problem = error;
      }
    }
    const sentence = describe(connection.#addresses, problem as Error);
    throw unreachableError(sentence, '--node', problem);
  }

  /** Resolves when a quorum has stored the value (QoS 1 and 2), or when it was written to the socket (QoS 0). */
  put(key: string, value: Uint8Array, qos: 0 | 1 | 2 = 1): Promise<void> {
    return this.publish(`dss/put/${key}`, value, qos);
  }

  delete(key: string): Promise<void> {
    return this.publish(`dss/delete/${key}`, Buffer.alloc(0));
  }

  /**
   * Resolves when it is acknowledged and was not refused. Of several publications to one topic only one may be
   * under way: a report of a refusal names no more than the topic.
   */
  publish(topic: string, payload: Uint8Array, qos: 0 | 1 | 2 = 1): Promise<void> {
    // A write that can never be valid is acknowledged and reported, one that is not allowed now is reported and
    // not acknowledged (DESIGN §7). The report was sent before whatever is answered to what is asked afterwards.
    return this.#operate((done) => ({
      topic,
      send: (client) => {
        client.publish(topic, Buffer.from(payload), { qos }, (failed) => {
          if (!failed) client.subscribe(REPLY_TOPIC, { qos: 0 }, (lost) => lost ?? done());
        });
      },
    }));
  }

  /** Asks a question and waits for its answer; a refusal is thrown, `ok: false` is returned. */
  request(topic: string, body: Readonly<Record<string, unknown>>): Promise<Reply> {
    const { id = randomBytes(6).toString('hex') } = body as { readonly id?: string };
    const question = JSON.stringify({ id, ...body });
    return this.#operate((done) => ({
      topic,
      id,
      answer: done,
      send: (client) => void client.publish(topic, question, { qos: 0 }),
    }));
  }

  /** As `request`, where nothing but an answer of its kind will do: `ok: false` is thrown too. */
  async ask<T>(topic: string, body: Readonly<Record<string, unknown>>): Promise<T> {
    const reply = await this.request(topic, body);
    if (!reply.ok) throw replyError(reply);
    return reply as unknown as T;
  }

  /** Calls `listener` with the current values that match and then with every change. */
  watch(filter: string, listener: WatchListener): Promise<void> {
    return this.#subscribe(VALUE_PREFIX + filter, 1, (topic, payload, retained) => {
      if (topic.startsWith(VALUE_PREFIX)) {
        listener(topic.slice(VALUE_PREFIX.length), payload, retained);
      }
    });
  }

  /** Subscribes to ordinary topics, one after the other, until `isEnough` has seen what it wants. */
  async follow(
    filters: readonly string[],
    isEnough: (topic: string, payload: Buffer) => boolean,
  ): Promise<void> {
    const { promise: seen, resolve } = deferred();
    for (const filter of filters) {
      await this.#subscribe(filter, 0, (topic, payload) => {
        if (isEnough(topic, payload)) resolve();
      });
    }
    await this.#withinTimeout(seen);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    // MQTT.js would wait for every acknowledgement.
    await this.#client?.endAsync(this.#failed || !this.#client.connected);
  }

  #subscribe(topic: string, qos: 0 | 1, receive: MessageListener): Promise<void> {
    return this.#operate((done, refuse) => ({
      topic,
      receive,
      lasts: true,
      send: (client) => {
        client.subscribe(topic, { qos }, (error, _granted, suback) => {
          if (!error) return done();
          // Without a SUBACK the connection was lost, and it is asked for again.
          if (suback === undefined) return;
          const sentence = `the node refused to subscribe to '${topic}'`;
          refuse(new CliError(ExitCode.failure, 'REFUSED', sentence, { cause: error }));
        });
      },
    }));
  }

  async #operate<T = void>(
    start: (done: (result: T) => void, refuse: (refusal: CliError) => void) => Operation,
  ): Promise<T> {
    const { promise, resolve, reject } = deferred<T>();
    const operation: Pending = { ...start(resolve, reject), refuse: reject };
    this.#pending.add(operation);
    if (this.#ready) operation.send(this.#ready);
    try {
      const result = await this.#withinTimeout(promise);
      if (!operation.lasts) this.#pending.delete(operation);
      return result;
    } catch (error) {
      this.#failed = true;
      this.#pending.delete(operation);
      throw error;
    }
  }

  /** One attempt, at the next address. Rejects with a `CliError` where another one should not be tried. */
  async #connect(): Promise<void> {
    const address = this.#nextAddress;
    this.#attempts += 1;
    const { timeoutMs, security } = this.#options;
    const connectTimeoutMs = Math.min(CONNECT_TIMEOUT_MS, timeoutMs);
    const client = openMqttClient(address, {
      clientId: this.#clientId,
      connectTimeoutMs,
      security,
    });
    this.#client = client;
    client.on('message', (topic, payload, packet) =>
      this.#onMessage(topic, payload as Buffer, packet.retain),
    );
    try {
      await untilAccepted(client);
      await this.#withinTimeout(greet(client, address));
    } catch (error) {
      client.end(true);
      throw error;
    }
    client.once('close', () => this.#onClose());
    this.#ready = client;
    for (const operation of this.#pending) operation.send(client);
  }

  get #nextAddress(): MqttAddress {
    return this.#addresses[this.#attempts % this.#addresses.length] as MqttAddress;
  }

  #onClose(): void {
    this.#ready = undefined;
    this.#lastProblem = 'the node closed the connection without acknowledging';
    this.#connectLater();
  }

  #connectLater(): void {
    if (this.#closed) return;
    this.#retry = setTimeout(() => {
      const address = this.#nextAddress;
      this.#connect().catch((error: Error) => {
        this.#lastProblem = error instanceof CliError ? error.message : describe([address], error);
        this.#connectLater();
      });
    }, RECONNECT_MS);
  }

  #onMessage(topic: string, payload: Buffer, retained: boolean): void {
    if (topic === REPLY_TOPIC) {
      const reply = JSON.parse(payload.toString('utf8')) as Reply;
      for (const { id, answer } of this.#pending) if (id === reply.id) answer?.(reply);
    } else if (topic === ERROR_TOPIC) {
      const report = JSON.parse(payload.toString('utf8')) as RefusalReport;
      const refusal = new CliError(ExitCode.failure, report.code, report.message);
      for (const operation of this.#pending)
        if (concerns(report, operation)) operation.refuse(refusal);
    } else {
      for (const { receive } of this.#pending) receive?.(topic, payload, retained);
    }
  }

  async #withinTimeout<T>(promise: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const sentence = `no answer within ${this.#options.timeoutMs / 1000} s: ${this.#lastProblem}`;
        reject(new CliError(ExitCode.unavailable, 'TIMEOUT', sentence));
      }, this.#options.timeoutMs);
    });
    try {
      return await Promise.race([promise, expired]);
    } finally {
      clearTimeout(timer);
    }
  }
}

interface RefusalReport {
  readonly code: string;
  readonly message: string;
  /** Missing: it was a write, and the node does not know any more which. */
  readonly topic?: string;
  readonly id?: string;
}

function concerns(report: RefusalReport, { topic, id }: Operation): boolean {
  if (id === undefined) return report.topic === undefined || report.topic === topic;
  return report.id === undefined ? report.topic === topic : report.id === id;
}

/**
 * Subscribes to our answers, and makes sure that it is a node which gives them: a PUBACK of another broker would
 * mean nothing. A node grants at most QoS 1 in the topics that it answers in (DESIGN §7), and QoS 2 beside them;
 * other brokers grant what was asked for, or have one limit for all topics. Asking does not make a node complain.
 */
async function greet(client: MqttClient, { host, port }: MqttAddress): Promise<void> {
  const granted = await client
    .subscribeAsync({
      [REPLY_TOPIC]: { qos: 0 },
      [ERROR_TOPIC]: { qos: 2 },
      [SYSTEM_TOPIC]: { qos: 2 },
    })
    .then(
      (grants) => grants.map(({ qos }) => qos as number),
      (error: Error & { packet?: { granted?: number[] } }) => {
        // MQTT.js calls it an error when any of several is refused.
        if (error.packet?.granted === undefined) throw error;
        return error.packet.granted;
      },
    );
  if (granted.join() === '0,1,2') return;
  const sentence = `what listens on ${host}:${port} is an MQTT broker, but not a node of DSS`;
  throw new CliError(ExitCode.failure, 'NOT_A_NODE', sentence, { advice: namingAdvice('--node') });
}

function describe(addresses: readonly MqttAddress[], problem: Error): string {
  const where = addresses.map(({ url }) => url).join(' or ');
  return `cannot reach ${where}: ${whyNotConnected(problem)}`;
}
