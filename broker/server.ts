import { createServer, type Server } from 'node:net';
import type { Broker } from './broker.ts';

export interface Listener {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: { readonly host: string; readonly port: number };
  /** Takes no more connections. Those that are there are the broker's to close. */
  close(): Promise<void>;
}

/**
 * Serves MQTT over TCP. Rejects when the port is taken.
 *
 * Sockets are half-open: a client that has sent everything and closed its side still gets what it sent
 * dealt with.
 */
export function listenTcp(
  broker: Broker,
  options: { readonly host: string; readonly port: number },
): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    broker.handle(socket, `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.removeListener('error', reject);
      resolve({ address: addressOf(server, options.host), close: () => closeServer(server) });
    });
  });
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
