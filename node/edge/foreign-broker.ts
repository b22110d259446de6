import type { Socket } from 'node:net';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import type {
  ConnectionEvents,
  ConnectionOptions,
  ForeignBrokers,
  ForeignConnection,
} from '../beside/foreign-broker.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_SECONDS = 15;
/** For ever (MQTT 5 §3.1.2.11.2). */
const SESSION_EXPIRY_SECONDS = 0xffff_ffff;
const PACKET_BYTES_MAX = 16 * 1024 * 1024;
const REFUSED_FROM = 0x80;
/** MQTT 5 §3.14.2.1. */
const SESSION_TAKEN_OVER = 0x8e;

/** Other brokers, with MQTT.js. */
export const MQTT_BROKERS: ForeignBrokers = {
  open: (options, events) => new Connection(options, events),
};

/** MQTT.js acknowledges a message itself unless its handler fails; then it goes on to the next without a word. */
const ACKNOWLEDGED_LATER = new Error('acknowledged later');

class Connection implements ForeignConnection {
  readonly #client: MqttClient;
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  #isHeld = false;
  /** Lets MQTT.js go on to the next packet. */
  #goOn: (() => void) | undefined;
  #isOver = false;
  #reason: string | undefined;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
    const client = connect(options.target.url, clientOptions(options));
    this.#client = client;
    client.handleMessage = (packet, callback) => {
      const { topic, payload, messageId } = packet;
      if (!this.#isOver) {
        events.message({
          topic: topic.toString(),
          payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
          packetId: packet.qos === 0 ? undefined : messageId,
        });
      }
      const goOn = () => callback(ACKNOWLEDGED_LATER);
      if (this.#isHeld) this.#goOn = goOn;
      else goOn();
    };
    client.on('connect', () => {
      // Else a message waits for the TCP acknowledgement of the one before: up to 40 ms.
      (client.stream as Socket).setNoDelay(true);
      this.#subscribe();
    });
    client.on('error', (error) => this.#close(describe(error)));
    client.on('disconnect', ({ reasonCode }) => {
      this.#reason =
        reasonCode === SESSION_TAKEN_OVER
          ? 'another client has connected under our client id'
          : `it disconnected us with reason 0x${(reasonCode ?? 0).toString(16)}`;
    });
    client.on('close', () => this.#close(this.#reason ?? 'the connection was lost'));
  }

  acknowledge(packetId: number): void {
    if (this.#isOver) return;
    // In MQTT 5 too: without a reason code it is 0.
    this.#client.stream.write(Uint8Array.of(0x40, 2, packetId >> 8, packetId & 0xff));
  }

  hold(held: boolean): void {
    this.#isHeld = held;
    if (held) return;
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
  }

  publishRetained(
    topic: string,
    payload: Uint8Array,
    done: (outcome: 'acknowledged' | 'refused') => void,
  ): void {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#client.publish(topic, bytes, { qos: 1, retain: true }, (error) => {
      // Without a connection everything that is under way fails, too.
      if (!this.#isOver && this.#client.connected) done(error ? 'refused' : 'acknowledged');
    });
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#client.end(true);
  }

  #close(reason: string): void {
    if (this.#isOver) return;
    this.close();
    this.#events.closed(reason);
  }

  #subscribe(): void {
    const { filters } = this.#options;
    if (filters.length === 0) return this.#events.connected();
    // Retained messages come with the first subscription only: later ones would undo what was stored since.
    const topics = Object.fromEntries(
      filters.map((filter) => [filter, { qos: 1, rh: 1 } as const]),
    );
    this.#client.subscribe(topics, (error, asked, packet) => {
      if (this.#isOver) return;
      if (error === null) return this.#events.connected();
      const refused = packet?.granted.findIndex((code) => Number(code) >= REFUSED_FROM) ?? -1;
      const filter = asked?.[refused]?.topic;
      this.#close(
        filter === undefined
          ? `it did not answer the subscription: ${describe(error)}`
          : `it does not let us subscribe to ${filter}`,
      );
    });
  }
}

function clientOptions(options: ConnectionOptions): IClientOptions {
  const { target, clientId, session, inflightMax } = options;
  const { user, password, ca, protocolVersion } = target;
  const isKept = session === 'kept';
  const properties = {
    ...(isKept ? { sessionExpiryInterval: SESSION_EXPIRY_SECONDS } : {}),
    receiveMaximum: inflightMax,
    maximumPacketSize: PACKET_BYTES_MAX,
  };
  return {
    protocolVersion,
    clientId,
    clean: !isKept,
    ...(protocolVersion === 5 ? { properties } : {}),
    keepalive: KEEPALIVE_SECONDS,
    // Whoever wants another connection opens one.
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    resubscribe: false,
    queueQoSZero: false,
    // 7 MiB of numbers as bytes, each in a Buffer of its own.
    writeCache: false,
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
  };
}

/** One line. An AggregateError, of several addresses that were tried, has no message of its own. */
function describe(error: Error & { errors?: readonly Error[] }): string {
  const { message } = error.message === '' ? (error.errors?.[0] ?? error) : error;
  return (message.split('\n')[0] ?? '').replace(/\.$/, '');
}
