import { randomBytes } from 'node:crypto';
import mqtt, { type MqttClient } from 'mqtt';
import { type MqttAddress, parseNodeAddresses } from './addresses.ts';
import { type ConnectionOptions, NodeConnection, type Reply } from './connection.ts';
import { CliError, ExitCode } from './errors.ts';
import { mqttSecurity, NO_SECURITY, type Security } from './security.ts';

const RECONNECT_MS = 300;
const CONNECT_TIMEOUT_MS = 5_000;
const REPLY_TOPIC = 'dss/reply/me';
const ERROR_TOPIC = 'dss/error/me';

export interface DeviceOptions extends ConnectionOptions {
  /** What the cluster knows this client by, over connections and processes; drawn if it is not given. */
  readonly clientId?: string;
}

/** What has been asked for and has no outcome yet. */
interface Operation {
  /** Of the request, to know a report of its refusal by; undefined where nothing can be refused. */
  readonly topic: string | undefined;
  readonly send: (client: MqttClient) => void;
  /** Returns true when this message is what was waited for. */
  readonly isOutcome: (topic: string, payload: Buffer) => boolean;
  readonly settle: (error?: CliError) => void;
}

/**
 * A client that speaks as a device does: under a client id of its own, to whatever topic. What has no outcome
 * when the connection is lost is sent again at the next node, as soon as that node would tell us of a refusal;
 * so it should be something that may arrive twice.
 */
export class DeviceConnection {
  readonly #addresses: readonly MqttAddress[];
  readonly #clientId: string;
  readonly #timeoutMs: number;
  readonly #security: Security;
  readonly #operations = new Set<Operation>();
  #client: MqttClient | undefined;
  /** The same, once it hears of refusals. */
  #ready: MqttClient | undefined;
  #attempt = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  /** Something may still wait for its acknowledgement. */
  #failed = false;

  private constructor(options: DeviceOptions) {
    this.#addresses = parseNodeAddresses(options.nodes);
    this.#clientId = options.clientId ?? `dss-cli-${randomBytes(6).toString('hex')}`;
    this.#timeoutMs = options.timeoutMs;
    this.#security = options.security ?? NO_SECURITY;
  }

  /** Fails like `NodeConnection.open` when no node answers, or another broker does. */
  static async open(options: DeviceOptions): Promise<DeviceConnection> {
    const probe = await NodeConnection.open(options);
    await probe.close({ force: true });
    const connection = new DeviceConnection(options);
    connection.#connect();
    return connection;
  }

  /**
   * Resolves when it is acknowledged and was not refused. Of several publications to one topic only one may be
   * under way: a report of a refusal names no more than the topic.
   */
  publish(topic: string, payload: Uint8Array): Promise<void> {
    return this.#operate(topic, (client, done) => {
      client.publish(topic, Buffer.from(payload), { qos: 1 }, (error) => {
        // The report of a refusal was sent before whatever is answered to what is asked after the PUBACK.
        if (!error) client.subscribe(ERROR_TOPIC, { qos: 0 }, (failed) => failed ?? done());
      });
    });
  }

  /** Asks a question under an id of the caller's own. `ok: false` is returned, a refusal is thrown. */
  async ask(topic: string, body: { readonly id: string } & Record<string, unknown>) {
    let reply: Reply | undefined;
    const question = JSON.stringify(body);
    const send = (client: MqttClient) => void client.publish(topic, question, { qos: 0 });
    await this.#operate(topic, send, (from, payload) => {
      if (from !== REPLY_TOPIC) return false;
      const candidate = JSON.parse(payload.toString('utf8')) as Reply;
      if (candidate.id === body.id) reply = candidate;
      return reply !== undefined;
    });
    return reply as Reply;
  }

  /** Subscribes to ordinary topics, one after the other, until `isEnough` has seen what it wants. */
  async follow(
    filters: readonly string[],
    isEnough: (topic: string, payload: Buffer) => boolean,
  ): Promise<void> {
    const subscribe = (client: MqttClient, [filter, ...others]: readonly string[]): void => {
      if (filter === undefined) return;
      client.subscribe(filter, { qos: 0 }, (error) => error ?? subscribe(client, others));
    };
    await this.#operate(undefined, (client) => subscribe(client, filters), isEnough);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#client?.endAsync(this.#failed || !this.#client.connected);
  }

  async #operate(
    topic: string | undefined,
    send: (client: MqttClient, done: () => void) => void,
    isOutcome: Operation['isOutcome'] = () => false,
  ): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let operation: Operation | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const settle = (error?: CliError) => (error ? reject(error) : resolve());
        timer = setTimeout(() => settle(this.#timeout()), this.#timeoutMs);
        operation = { topic, send: (client) => send(client, settle), isOutcome, settle };
        this.#operations.add(operation);
        if (this.#ready) operation.send(this.#ready);
      });
    } catch (error) {
      this.#failed = true;
      throw error;
    } finally {
      clearTimeout(timer);
      if (operation) this.#operations.delete(operation);
    }
  }

  #connect(): void {
    const address = this.#addresses[this.#attempt % this.#addresses.length] as MqttAddress;
    this.#attempt += 1;
    const client = mqtt.connect(address.url, {
      ...mqttSecurity(address, this.#security),
      clientId: this.#clientId,
      reconnectPeriod: 0,
      connectTimeout: Math.min(CONNECT_TIMEOUT_MS, this.#timeoutMs),
    });
    this.#client = client;
    client.on('error', () => {});
    client.on('message', (topic, payload) => this.#onMessage(topic, payload as Buffer));
    client.once('connect', () => {
      client.subscribe([REPLY_TOPIC, ERROR_TOPIC], { qos: 0 }, (error) => {
        if (error) return void client.end(true);
        this.#ready = client;
        for (const operation of this.#operations) operation.send(client);
      });
    });
    client.once('close', () => this.#onClose(client));
  }

  #onClose(client: MqttClient): void {
    this.#ready = undefined;
    if (this.#closed) return;
    client.end(true);
    this.#retry = setTimeout(() => this.#connect(), RECONNECT_MS);
  }

  #onMessage(topic: string, payload: Buffer): void {
    if (topic === ERROR_TOPIC) return this.#onRefusal(payload);
    for (const operation of this.#operations) {
      if (operation.isOutcome(topic, payload)) operation.settle();
    }
  }

  #onRefusal(payload: Buffer): void {
    const { code, message, topic } = JSON.parse(payload.toString('utf8')) as {
      code: string;
      message: string;
      topic: string;
    };
    for (const operation of this.#operations) {
      if (operation.topic !== topic) continue;
      operation.settle(new CliError(ExitCode.failure, code, message));
    }
  }

  #timeout(): CliError {
    const why = this.#ready
      ? 'the node does not answer'
      : 'the node closed the connection without acknowledging';
    const sentence = `no answer within ${this.#timeoutMs / 1000} s: ${why}`;
    return new CliError(ExitCode.unavailable, 'TIMEOUT', sentence);
  }
}
