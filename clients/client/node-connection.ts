import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient, type Packet } from 'mqtt';
import { clientError, connackError, type DssError, refusalError } from './errors.ts';
import type { WireValue } from './values.ts';

/** How a client shows itself to nodes. */
export interface Credentials {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** PEM: who signs the certificates of nodes. Not in browsers. */
  readonly ca?: string | Uint8Array | undefined;
  /** PEM: the certificate of this client and its key. Not in browsers. */
  readonly cert?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
}

export interface Message {
  /** What its answer is known by; whole numbers that are not used twice. */
  readonly id: number;
  readonly topic: string;
  readonly payload: Uint8Array | string;
  readonly bytes: number;
  readonly userProperties?: Record<string, string> | undefined;
}

/** JSON on `dss/reply/me`. */
export interface Reply {
  readonly ok: boolean;
  readonly error?: string;
  readonly version?: number | null;
}

/** JSON on `dss/watch/<key>`. */
export interface WatchedValue extends WireValue {
  readonly key: string;
  readonly snapshot: boolean;
}

/** In the order in which things happen on the connection. */
export interface ConnectionListener {
  answered(id: number, reply: Reply): void;
  refused(id: number, error: DssError): void;
  /** From here on values are those of this subscription. */
  subscribed(filter: string): void;
  subscriptionRefused(filter: string, error: DssError): void;
  value(item: WatchedValue): void;
  /** All current values of a subscription have come. */
  snapshotComplete(filter: string): void;
  /** Something more may be sent. */
  room(): void;
  closed(why: string): void;
}

const REPLY_TOPIC = 'dss/reply/me';
const SNAPSHOT_TOPIC = 'dss/snapshot/me';
const WATCH_PREFIX = 'dss/watch/';
/** Nothing is published there. */
const SYSTEM_TOPIC = 'dss/sys/none';
const CONNECT_TIMEOUT_MS = 5_000;
const GOODBYE_TIMEOUT_MS = 500;
/** A node that hangs, or a cable that is cut, is noticed after one and a half times as long. */
const KEEPALIVE_SECONDS = 10;
const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One MQTT connection to one node, from the CONNECT to its end. It does not reconnect. */
export class NodeConnection {
  readonly url: string;
  readonly #client: MqttClient;
  readonly #listener: ConnectionListener;
  readonly #inFlightMax: number;
  #inFlight = 0;
  #inFlightBytes = 0;
  /** One SUBSCRIBE at a time is under way, so that each SUBACK is of the first one. */
  readonly #subscribing: string[] = [];
  #isOpen = true;

  private constructor(
    url: string,
    client: MqttClient,
    listener: ConnectionListener,
    inFlightMax: number,
  ) {
    this.url = url;
    this.#client = client;
    this.#listener = listener;
    this.#inFlightMax = inFlightMax;
    let why = 'the connection was lost';
    client.on('disconnect', ({ properties, reasonCode }) => {
      why = `the node ended the connection: ${properties?.reasonString ?? `reason code ${reasonCode}`}`;
    });
    client.on('packetreceive', (packet) => this.#received(packet));
    client.once('close', () => {
      if (!this.#isOpen) return;
      this.#isOpen = false;
      client.end(true);
      listener.closed(why);
    });
  }

  /** Rejects with a `DssError` that says why nobody let us in. */
  static async open(
    url: string,
    options: Credentials & { readonly clientId: string; readonly inFlightMax: number },
    listener: ConnectionListener,
  ): Promise<NodeConnection> {
    const client = startClient(url, options);
    try {
      const receiveMaximum = await untilAccepted(client);
      // Else a question waits for the TCP acknowledgement of what was sent before: up to 40 ms.
      (client.stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
      await greet(client, url);
      return new NodeConnection(
        url,
        client,
        listener,
        Math.min(options.inFlightMax, receiveMaximum),
      );
    } catch (error) {
      client.end(true);
      throw describe(url, error as Error);
    }
  }

  get hasRoom(): boolean {
    return (
      this.#isOpen &&
      this.#inFlight < this.#inFlightMax &&
      this.#inFlightBytes < IN_FLIGHT_BYTES_MAX
    );
  }

  send({ id, topic, payload, bytes, userProperties }: Message): void {
    this.#inFlight += 1;
    this.#inFlightBytes += bytes;
    const properties = {
      responseTopic: REPLY_TOPIC,
      correlationData: encoder.encode(`${id}`) as Buffer,
      ...(userProperties === undefined ? {} : { userProperties }),
    };
    // MQTT.js sends any bytes, whatever its types say.
    this.#client.publish(topic, payload as Buffer, { qos: 1, properties }, (error, packet) => {
      if (!this.#isOpen) return;
      this.#inFlight -= 1;
      this.#inFlightBytes -= bytes;
      const refusal = error && refusalOf(packet);
      if (refusal) this.#listener.refused(id, refusal);
      this.#listener.room();
    });
  }

  /** Asks for the values of a filter, from the current ones on; again: from the then current ones on. */
  subscribe(filter: string): void {
    this.#subscribing.push(filter);
    if (this.#subscribing.length === 1) this.#subscribeNext();
  }

  unsubscribe(filter: string): void {
    // Those that were not asked for yet; the first one was.
    for (let i = this.#subscribing.length - 1; i > 0; i -= 1) {
      if (this.#subscribing[i] === filter) this.#subscribing.splice(i, 1);
    }
    this.#client.unsubscribe(WATCH_PREFIX + filter);
  }

  /** Says goodbye. Nobody hears of this connection any more. */
  async end(): Promise<void> {
    this.#isOpen = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, GOODBYE_TIMEOUT_MS);
    });
    // It waits for acknowledgements, which a node that hangs does not send.
    await Promise.race([this.#client.endAsync(), patience]);
    clearTimeout(timer);
    this.#client.end(true);
  }

  #subscribeNext(): void {
    const filter = this.#subscribing[0];
    if (filter !== undefined) this.#client.subscribe(WATCH_PREFIX + filter, { qos: 0 }, () => {});
  }

  /** Callbacks of MQTT.js come later than what follows the packet; the order counts here. */
  #received(packet: Packet): void {
    if (!this.#isOpen) return;
    if (packet.cmd === 'publish') this.#delivered(packet);
    else if (packet.cmd === 'suback') {
      const filter = this.#subscribing.shift();
      if (filter === undefined) return;
      const code = Number(packet.granted[0]);
      if (code < 0x80) this.#listener.subscribed(filter);
      else this.#listener.subscriptionRefused(filter, refusalError(wordsOf(packet, code)));
      this.#subscribeNext();
    }
  }

  #delivered({ topic, payload, properties }: IPublishPacket): void {
    const json = decoder.decode(payload as Uint8Array);
    if (topic === REPLY_TOPIC) {
      const id = Number(decoder.decode(properties?.correlationData));
      this.#listener.answered(id, JSON.parse(json) as Reply);
    } else if (topic.startsWith(WATCH_PREFIX)) {
      this.#listener.value(JSON.parse(json) as WatchedValue);
    } else if (topic === SNAPSHOT_TOPIC) {
      const { filter } = JSON.parse(json) as { readonly filter: string };
      this.#listener.snapshotComplete(filter.slice(WATCH_PREFIX.length));
    }
  }
}

function startClient(
  url: string,
  options: Credentials & { readonly clientId: string },
): MqttClient {
  const { user, password = '', ca, cert, key, clientId } = options;
  const given: object = {
    ...(user === undefined ? {} : { username: user, password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  const clientOptions: IClientOptions = {
    ...given,
    clientId,
    protocolVersion: 5,
    keepalive: KEEPALIVE_SECONDS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // The default provider gives an id out again while it is still in flight.
    messageIdProvider: new mqtt.UniqueMessageIdProvider(),
  };
  return mqtt.connect(url, clientOptions);
}

/** Resolves at the CONNACK, with how many messages the node takes without having acknowledged them. */
function untilAccepted(client: MqttClient): Promise<number> {
  return new Promise((resolve, reject) => {
    let problem = new Error('it closed the connection');
    client.once('error', (error) => {
      problem = error;
    });
    client.once('close', () => reject(problem));
    client.once('connect', ({ properties }) => resolve(properties?.receiveMaximum ?? 0xffff));
  });
}

/**
 * Subscribes to our answers, and makes sure that it is a node which gives them: a PUBACK of another broker would
 * mean nothing. A node grants at most QoS 1 in the topics that it answers in, and QoS 2 beside them; other brokers
 * grant what was asked for, or have one limit for all topics.
 */
async function greet(client: MqttClient, url: string): Promise<void> {
  const wanted = {
    [REPLY_TOPIC]: { qos: 0 },
    [SNAPSHOT_TOPIC]: { qos: 2 },
    [SYSTEM_TOPIC]: { qos: 2 },
  } as const;
  const granted = await new Promise<readonly number[]>((resolve, reject) => {
    client.once('close', () => reject(new Error('it closed the connection')));
    client.subscribe(wanted, (error, _grants, suback) => {
      const codes = suback?.granted as readonly number[] | undefined;
      if (codes === undefined) reject(error ?? new Error('it granted nothing'));
      else resolve(codes);
    });
  });
  if (granted.join() === '0,1,2') return;
  const sentence = `what listens at ${url} is an MQTT broker, but not a node of DSS`;
  throw clientError('NOT_A_NODE', sentence);
}

function describe(url: string, problem: Error): DssError {
  if ('code' in problem && problem.name === 'DssError') return problem as DssError;
  const { code } = problem as { readonly code?: unknown };
  const sentence = `${url} did not let us in: ${problem.message || String(code)}`;
  const refusal = typeof code === 'number' ? connackError(code, sentence) : undefined;
  return refusal ?? clientError('UNAVAILABLE', sentence, problem);
}

function refusalOf(packet: Packet | undefined): DssError | undefined {
  if (packet?.cmd !== 'puback') return undefined;
  return refusalError(wordsOf(packet, packet.reasonCode ?? 0));
}

function wordsOf(
  { properties }: { readonly properties?: { reasonString?: string; userProperties?: object } },
  reasonCode: number,
) {
  const { code } = (properties?.userProperties ?? {}) as { readonly code?: string };
  return { reasonCode, reason: properties?.reasonString, code };
}
