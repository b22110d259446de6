import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { MqttAddress } from './addresses.ts';
import { badCredentialsError, type CliError, whyUnreachable } from './errors.ts';
import { NO_SECURITY, type Security } from './security.ts';

export interface MqttClientOptions {
  readonly clientId: string;
  readonly connectTimeoutMs: number;
  readonly security?: Security | undefined;
}

/** As MQTT.js calls it; also what we call a connection that was ended without a word. */
const CLOSED = 'Connection closed';

/**
 * Begins one connection to one address. It does not reconnect: whoever uses it knows what is still to be sent,
 * and to whom.
 */
export function openMqttClient(
  address: MqttAddress,
  { clientId, connectTimeoutMs, security = NO_SECURITY }: MqttClientOptions,
): MqttClient {
  const { user, password = '', tls } = security;
  const options: IClientOptions = {
    clientId,
    ...(user === undefined ? {} : { username: user, password }),
    connectTimeout: connectTimeoutMs,
    reconnectPeriod: 0,
    queueQoSZero: false,
    // The default provider gives an id out again while it is still in flight.
    messageIdProvider: new mqtt.UniqueMessageIdProvider(),
  };
  const client = new mqtt.MqttClient((self) => openStream(self, address, tls), options);
  client.on('error', () => {});
  client.once('close', () => client.end(true));
  return client;
}

/** Resolves at the CONNACK. Rejects with `BAD_CREDENTIALS`, or with what `whyNotConnected` puts into words. */
export function untilAccepted(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    let problem = new Error(CLOSED);
    client.once('error', (error) => {
      problem = error;
    });
    client.once('close', () => reject(badCredentials(problem) ?? problem));
    client.once('connect', () => resolve());
  });
}

export function whyNotConnected(problem: Error): string {
  if (problem.message === CLOSED) return whyUnreachable('closed');
  // Of MQTT.js' errors only those of its parser have neither a system's code nor a CONNACK's.
  const unparsed = problem.name === 'Error' && !('code' in problem);
  const isTimeout = problem.message === 'connack timeout';
  if (unparsed && !isTimeout) return 'what listens there does not speak MQTT';
  return whyUnreachable(problem);
}

/** By ourselves, as of a stream's errors MQTT.js passes on only the network's, not those of TLS. */
function openStream(
  client: MqttClient,
  { host, port, secure }: MqttAddress,
  tls: Security['tls'],
): Duplex {
  // Else a question waits for the TCP acknowledgement of what was sent before: up to 40 ms.
  if (!secure) return connectTcp({ host, port, noDelay: true });
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const stream = connectTls({ host, port, ...servername, ...tls });
  stream.setNoDelay(true);
  stream.once('error', (error) => client.emit('error', error));
  return stream;
}

/** CONNACK 4 and 5 (MQTT 3.1.1 §3.2.2.3): trying again, or elsewhere, would not help. */
function badCredentials(problem: Error): CliError | undefined {
  const { code } = problem as { code?: unknown };
  if (code !== 4 && code !== 5) return undefined;
  return badCredentialsError(problem);
}
