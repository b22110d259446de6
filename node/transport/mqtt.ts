import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { connect, type MqttClient } from 'mqtt';
import { encodePublish } from '../../broker/frame-encoder.ts';
import type { TlsMaterial } from '../config/tls.ts';
import type { Channel, Transport } from './transport.ts';

const CLUSTER_PREFIX = Buffer.from('dss/cluster/');
const QOS_0 = { qos: 0, retain: false } as const;
const RECONNECT_MS = 500;
const CONNECT_TIMEOUT_MS = 5_000;
const KEEPALIVE_SECONDS = 5;
/** The return code of a CONNACK (MQTT 3.1.1, table 3.1). */
const NOT_AUTHORIZED = 5;
/** What may wait in a socket before more is dropped; consensus sends again what it misses. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;

/** The other nodes' brokers, reached with MQTT.js; three connections to each (DESIGN §6). */
export class MqttTransport implements Transport {
  onClosed: ((address: string) => void) | undefined;
  onOpened: ((address: string) => void) | undefined;
  onRefused: ((address: string) => void) | undefined;
  readonly #node: string;
  readonly #credentials: () => { username: string; password: string };
  readonly #tls: ReturnType<typeof peerTls> | undefined;
  readonly #clients = new Map<string, Readonly<Record<Channel, MqttClient>>>();

  constructor(options: {
    readonly node: string;
    readonly credentials: () => { username: string; password: string };
    readonly tls?: TlsMaterial | undefined;
  }) {
    this.#node = options.node;
    this.#credentials = options.credentials;
    this.#tls = options.tls === undefined ? undefined : peerTls(options.tls);
  }

  connect(address: string): void {
    if (this.#clients.has(address)) return;
    this.#clients.set(address, {
      consensus: this.#open(address, 'consensus'),
      bulk: this.#open(address, 'bulk'),
      messages: this.#open(address, 'messages'),
    });
  }

  disconnect(address: string): void {
    const clients = this.#clients.get(address);
    this.#clients.delete(address);
    for (const client of Object.values(clients ?? {})) client.end(true);
  }

  send(address: string, channel: Channel, topic: string, payload: Uint8Array): boolean {
    const client = this.#clients.get(address)?.[channel];
    if (client === undefined || !client.connected) return false;
    if (client.stream.writableLength > WAITING_BYTES_MAX) return false;
    // By way of `publish` it costs four buffers, a writev and some callbacks, for each message of each turn.
    const { bytes } = encodePublish(CLUSTER_PREFIX, Buffer.from(topic), payload, QOS_0);
    this.#corkForTurn(client.stream);
    client.stream.write(bytes);
    return true;
  }

  /** What is sent on a connection until all input that waits has been looked at leaves with one system call. */
  #corkForTurn(stream: MqttClient['stream']): void {
    if (stream.writableCorked > 0) return;
    stream.cork();
    setImmediate(() => stream.uncork());
  }

  async close(): Promise<void> {
    const clients = [...this.#clients.values()].flatMap((channels) => Object.values(channels));
    this.#clients.clear();
    await Promise.all(clients.map((client) => client.endAsync(true)));
  }

  #open(address: string, channel: Channel): MqttClient {
    const scheme = this.#tls === undefined ? 'mqtt' : 'mqtts';
    const client = connect(`${scheme}://${address}`, {
      protocolVersion: 4,
      clientId: `dss-${this.#node}-${channel}`,
      clean: true,
      keepalive: KEEPALIVE_SECONDS,
      reconnectPeriod: RECONNECT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      queueQoSZero: false,
      resubscribe: false,
      // 7 MiB of numbers as bytes, each in a Buffer of its own.
      writeCache: false,
      ...this.#credentials(),
      ...this.#tls,
    });
    // A peer that is down is normal; `connected` says so, and the client tries again by itself.
    client.on('error', (error) => {
      if ((error as { code?: unknown }).code === NOT_AUTHORIZED) this.onRefused?.(address);
    });
    // Else a message waits for the TCP acknowledgement of the one before: up to 40 ms.
    client.on('connect', () => (client.stream as Socket).setNoDelay(true));
    if (channel === 'consensus') {
      client.on('connect', () => this.onOpened?.(address));
      client.on('close', () => this.onClosed?.(address));
    }
    return client;
  }
}

/**
 * How a peer is believed to be one: its certificate is signed by the CA, or by our own certificate where there
 * is no CA, and is for the name that we know the peer by. The very certificate that we have ourselves proves
 * enough under any name: who shows it has our key.
 */
function peerTls({ cert, key, ca }: TlsMaterial) {
  const own = new X509Certificate(cert).fingerprint256;
  return {
    cert,
    key,
    ca: ca ?? cert,
    allowPartialTrustChain: true,
    checkServerIdentity: (name: string, certificate: PeerCertificate) =>
      certificate.fingerprint256 === own ? undefined : checkServerIdentity(name, certificate),
  };
}
