import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions, Server as TlsServer } from 'node:tls';
import type { Broker } from './broker.ts';

export interface Listener {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: { readonly host: string; readonly port: number };
  /** Takes no more connections. Those that are there are the broker's to close. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** With it nothing but TLS is spoken. */
  readonly tls?: Pick<TlsOptions, 'cert' | 'key' | 'ca' | 'requestCert' | 'minVersion'> | undefined;
}

/** Until a handshake is done a stranger holds memory, and the broker does not know of it yet. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Serves MQTT over TCP or TLS. Rejects when the port is taken.
 *
 * Sockets are half-open: a client that has sent everything and closed its side still gets what it sent
 * dealt with.
 */
export function listenTcp(broker: Broker, options: ListenOptions): Promise<Listener> {
  const handle = (socket: Socket) => broker.handle(socket, clientOf(socket));
  const sockets = { allowHalfOpen: true, noDelay: true };
  const { tls } = options;
  const server =
    tls === undefined
      ? createServer(sockets, handle)
      : createTlsServer(
          { ...sockets, ...tls, rejectUnauthorized: true, handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
          handle,
        );
  const endHandshakes = trackHandshakes(server);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.removeListener('error', reject);
      resolve({
        address: addressOf(server, options.host),
        close: () => {
          endHandshakes();
          return closeServer(server);
        },
      });
    });
  });
}

/**
 * Returns what ends the TLS handshakes that are under way when a server closes. They are connections to it, so
 * it would wait for them, but to nobody else's knowledge.
 */
export function trackHandshakes(server: Server): () => void {
  const shaking = new Map<string, Socket>();
  if (!(server instanceof TlsServer)) return () => {};
  server.on('connection', (socket: Socket) => {
    const address = clientOf(socket);
    shaking.set(address, socket);
    socket.once('close', () => shaking.delete(address));
  });
  server.on('secureConnection', (socket) => shaking.delete(clientOf(socket)));
  return () => {
    for (const socket of shaking.values()) socket.destroy();
  };
}

function clientOf({ remoteAddress = 'unknown', remotePort = 0 }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}

function addressOf(server: Server, host: string): Listener['address'] {
  const address = server.address();
  if (address === null || typeof address === 'string') return { host, port: 0 };
  return { host: address.address, port: address.port };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
