import { randomBytes } from 'node:crypto';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { IClientOptions, MqttClient } from 'mqtt';
import { type MqttAddress, parseNodeAddresses } from './addresses.ts';
import { deferred } from './deferred.ts';
import { CliError, ExitCode, unavailableError, whyUnreachable } from './errors.ts';
import { NO_SECURITY, type Security } from './security.ts';

const RECONNECT_MS = 300;
const CONNECT_TIMEOUT_MS = 5_000;

export interface ConnectionOptions {
  /** `--node`, in the order they are tried. */
  readonly nodes: readonly string[];
  /** How long one request may take, reconnections included. */
  readonly timeoutMs: number;
  readonly security?: Security;
}

/** What a node publishes on `dss/reply/me` (DESIGN §7). */
export interface Reply {
  readonly id: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly value?: unknown;
  readonly base64?: unknown;
  readonly message?: string;
  readonly [field: string]: unknown;
}

export type WatchListener = (key: string, payload: Buffer, snapshot: boolean) => void;

interface PendingRequest {
  readonly topic: string;
  readonly payload: string;
  readonly settle: (result: Reply | CliError) => void;
}

interface PendingWrite {
  readonly topic: string;
  readonly refuse: (refusal: CliError) => void;
}

const REPLY_TOPIC = 'dss/reply/me';
const ERROR_TOPIC = 'dss/error/me';
const VALUE_PREFIX = 'dss/value/';
/** Nodes refuse subscriptions to a verb (DESIGN §7); any other broker grants this one. */
const NODE_PROBE = 'dss/put/#';

/**
 * One command's conversation with the cluster, over MQTT 3.1.1 like any device. When the connection is lost
 * it goes on at the next address: MQTT.js sends unacknowledged puts again, questions are asked again here,
 * and a watch starts with a fresh snapshot.
 */
export class NodeConnection {
  readonly #client: MqttClient;
  readonly #timeoutMs: number;
  readonly #requests = new Map<string, PendingRequest>();
  readonly #watches = new Map<string, WatchListener>();
  readonly #writes = new Set<PendingWrite>();
  #lastProblem = 'the node does not answer';

  private constructor(client: MqttClient, timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    client.on('message', (topic, payload, packet) =>
      this.#onMessage(topic, payload as Buffer, packet.retain),
    );
    client.on('error', (error) => {
      this.#lastProblem = error.message;
    });
    client.on('close', () => {
      this.#lastProblem = 'the node closed the connection without acknowledging';
    });
  }

  /** Connects to the first address that answers; fails when none does. */
  static async open(options: ConnectionOptions): Promise<NodeConnection> {
    const addresses = parseNodeAddresses(options.nodes);
    const client = await connectToAny(addresses, options);
    const connection = new NodeConnection(client, options.timeoutMs);
    try {
      await connection.#subscribeAgain();
    } catch (error) {
      client.end(true);
      throw error;
    }
    client.on('connect', () => void connection.#subscribeAgain().catch(() => {}));
    return connection;
  }

  /** Resolves when a quorum has stored the value (QoS 1 and 2), or when it was written to the socket (QoS 0). */
  async put(key: string, value: Uint8Array, qos: 0 | 1 | 2 = 1): Promise<void> {
    await this.#publish(`dss/put/${key}`, value, qos);
  }

  async delete(key: string): Promise<void> {
    await this.#publish(`dss/delete/${key}`, Buffer.alloc(0), 1);
  }

  /** Asks a question and waits for its answer; a refusal is thrown, `ok: false` is returned. */
  request(topic: string, body: Readonly<Record<string, unknown>>): Promise<Reply> {
    const id = randomBytes(6).toString('hex');
    const answer = new Promise<Reply>((resolve, reject) => {
      const settle = (result: Reply | CliError): void =>
        result instanceof CliError ? reject(result) : resolve(result);
      const request = { topic, payload: JSON.stringify({ id, ...body }), settle };
      this.#requests.set(id, request);
      this.#ask(request);
    });
    return this.#withinTimeout(answer).finally(() => this.#requests.delete(id));
  }

  /** Calls `listener` with the current values that match and then with every change. */
  async watch(filter: string, listener: WatchListener): Promise<void> {
    const topic = VALUE_PREFIX + filter;
    this.#watches.set(topic, listener);
    await this.#withinTimeout(this.#subscribe(topic));
  }

  /** `force` does not wait for what is still unacknowledged. */
  async close(options: { readonly force: boolean }): Promise<void> {
    await this.#client.endAsync(options.force || !this.#client.connected);
  }

  async #publish(topic: string, payload: Uint8Array, qos: 0 | 1 | 2): Promise<void> {
    // A write that can never be valid is acknowledged and reported, one that is not allowed now is reported and
    // not acknowledged (DESIGN §7).
    const { promise: refused, reject } = deferred<never>();
    const write = { topic, refuse: reject };
    this.#writes.add(write);
    try {
      const published = this.#client.publishAsync(topic, Buffer.from(payload), { qos });
      await this.#withinTimeout(Promise.race([published, refused]));
      // The report was sent on this connection, so an answer to something asked later comes after it.
      await this.#withinTimeout(Promise.race([this.#greet(), refused]));
    } finally {
      this.#writes.delete(write);
    }
  }

  #ask(request: PendingRequest): void {
    if (this.#client.connected) this.#client.publish(request.topic, request.payload, { qos: 0 });
  }

  async #subscribeAgain(): Promise<void> {
    await this.#withinTimeout(this.#greet());
    for (const topic of this.#watches.keys()) await this.#subscribe(topic);
    for (const request of this.#requests.values()) this.#ask(request);
  }

  /**
   * Subscribes to our answers, and makes sure that it is a node which gives them: a PUBACK of another broker
   * would mean nothing.
   */
  async #greet(): Promise<void> {
    const topics = [REPLY_TOPIC, ERROR_TOPIC, NODE_PROBE];
    const granted = await this.#client.subscribeAsync(topics, { qos: 0 }).then(
      (grants) => grants.map((grant) => grant.qos as number),
      (error: Error & { packet?: { granted?: number[] } }) => {
        // MQTT.js calls it an error when any of several is refused.
        if (error.packet?.granted === undefined) throw error;
        return error.packet.granted;
      },
    );
    const [reply = 128, errors = 128, probe = 0] = granted;
    if (reply < 128 && errors < 128 && probe >= 128) return;
    const { host, port } = this.#client.options;
    const sentence = `what listens on ${host}:${port} is an MQTT broker, but not a node of DSS. ${ADVICE}.`;
    throw new CliError(ExitCode.failure, 'NOT_A_NODE', sentence);
  }

  async #subscribe(topic: string): Promise<void> {
    const refused = (cause?: unknown): CliError =>
      new CliError(ExitCode.failure, 'REFUSED', `the node refused to subscribe to '${topic}'`, {
        cause,
      });
    const qos = topic.startsWith(VALUE_PREFIX) ? 1 : 0;
    const granted = await this.#client.subscribeAsync(topic, { qos }).catch((error: Error) => {
      throw error.name === 'ErrorWithSubackPacket' ? refused(error) : error;
    });
    if (granted.some((grant) => grant.qos >= 128)) throw refused();
  }

  #onMessage(topic: string, payload: Buffer, retain: boolean): void {
    if (topic === REPLY_TOPIC) this.#onReply(payload);
    else if (topic === ERROR_TOPIC) this.#onRefusal(payload);
    else if (topic.startsWith(VALUE_PREFIX)) {
      const key = topic.slice(VALUE_PREFIX.length);
      for (const listener of this.#watches.values()) listener(key, payload, retain);
    }
  }

  #onReply(payload: Buffer): void {
    const reply = JSON.parse(payload.toString('utf8')) as Reply;
    this.#requests.get(reply.id)?.settle(reply);
  }

  #onRefusal(payload: Buffer): void {
    const report = JSON.parse(payload.toString('utf8')) as {
      code: string;
      message: string;
      /** Missing: it was a write, and the node does not know any more which. */
      topic?: string;
      id?: string;
    };
    const refused = new CliError(ExitCode.failure, report.code, report.message);
    for (const { topic, refuse } of this.#writes) {
      if (report.topic === undefined || report.topic === topic) refuse(refused);
    }
    for (const [id, request] of this.#requests) {
      const ours = report.id === undefined ? request.topic === report.topic : id === report.id;
      if (ours) request.settle(refused);
    }
  }

  async #withinTimeout<T>(promise: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const seconds = this.#timeoutMs / 1000;
        const sentence = `no answer within ${seconds} s: ${this.#lastProblem}`;
        reject(new CliError(ExitCode.unavailable, 'TIMEOUT', sentence));
      }, this.#timeoutMs);
    });
    try {
      return await Promise.race([promise, expired]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const ADVICE = "Start a cluster with 'dss up', or name a node with --node or DSS_NODE";

/** As long as nobody has answered, one round of the addresses is all we try. */
async function connectToAny(
  addresses: readonly MqttAddress[],
  { timeoutMs, security = NO_SECURITY }: ConnectionOptions,
): Promise<MqttClient> {
  const client = await createClient(addresses, security, {
    clientId: `dss-cli-${randomBytes(6).toString('hex')}`,
    reconnectPeriod: RECONNECT_MS,
    connectTimeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
    resubscribe: false,
  });
  return new Promise((resolve, reject) => {
    let attempts = 0;
    let problem: Error | undefined;
    const onError = (error: Error): void => {
      problem ??= error;
    };
    const onClose = (): void => {
      attempts += 1;
      const unknown = badCredentials(problem);
      if (unknown === undefined && attempts < addresses.length) {
        problem = undefined;
        return;
      }
      client.end(true);
      reject(unknown ?? notReachable(addresses, problem));
    };
    client.on('error', onError);
    client.on('close', onClose);
    client.once('connect', () => {
      client.off('error', onError);
      client.off('close', onClose);
      resolve(client);
    });
  });
}

/**
 * A client that goes round the addresses. MQTT.js could do that by itself, but would check every certificate
 * against the name of the first.
 */
async function createClient(
  addresses: readonly MqttAddress[],
  security: Security,
  options: IClientOptions,
): Promise<MqttClient> {
  const { default: mqtt } = await import('mqtt');
  let attempts = 0;
  const openStream = (client: MqttClient) => {
    const { host, port, secure } = addresses[attempts++ % addresses.length] as MqttAddress;
    Object.assign(client.options, { host, port });
    if (!secure) return connectTcp({ host, port });
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const stream = connectTls({ host, port, ...servername, ...security.tls });
    // Of a stream's errors MQTT.js passes on only the network's.
    stream.once('error', (error) => client.emit('error', error));
    return stream;
  };
  const { user, password } = security;
  const credentials = user === undefined ? {} : { username: user, password: password ?? '' };
  const client = new mqtt.MqttClient(openStream, { ...options, ...credentials });
  client.on('error', () => {});
  return client;
}

/** CONNACK 4 and 5 (MQTT 3.1.1 §3.2.2.3): trying again, or elsewhere, would not help. */
function badCredentials(problem: Error | undefined): CliError | undefined {
  const code = (problem as { code?: unknown } | undefined)?.code;
  if (code !== 4 && code !== 5) return undefined;
  const sentence =
    'the node wants a user that it knows, with the right password: give --user and DSS_PASSWORD';
  return new CliError(ExitCode.failure, 'BAD_CREDENTIALS', sentence, { cause: problem });
}

function notReachable(addresses: readonly MqttAddress[], problem: Error | undefined): CliError {
  const where = addresses.map((address) => address.url).join(' or ');
  // Of MQTT.js' errors only those of its parser have neither a system's code nor a CONNACK's.
  const unparsed = problem !== undefined && !('code' in problem) && problem.name === 'Error';
  const other = unparsed && problem.message !== 'connack timeout';
  const why = other
    ? 'what listens there does not speak MQTT'
    : whyUnreachable(problem ?? 'closed');
  return unavailableError(`cannot reach ${where}: ${why}. ${ADVICE}.`, problem);
}
