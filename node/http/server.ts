import type { FastifyInstance } from 'fastify';
import type { Authenticator } from '../../broker/access.ts';
import { HANDSHAKE_TIMEOUT_MS, type ListenOptions, trackHandshakes } from '../../broker/server.ts';
import { type AppOptions, createApp } from './app.ts';
import { isCrossSiteChange } from './cross-site.ts';
import { isLocalRequest } from './local-only.ts';
import { acceptMqttWebSockets, type HandleMqtt } from './mqtt-websocket.ts';
import { refuse } from './refusal.ts';
import { type Missing, stateRoutes } from './state-routes.ts';
import { requireUser } from './users.ts';

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  /** With it nothing but HTTPS is spoken. */
  readonly tls?: ListenOptions['tls'];
  /** Undefined: there are no users, and nobody is asked who it is. */
  readonly authenticator: Authenticator | undefined;
  /** Nothing that a web page asks of the browser on this machine is answered. */
  readonly isLocalOnly: boolean;
  /** Takes over MQTT connections at `/mqtt`. */
  readonly handleMqtt: HandleMqtt;
  readonly status: () => object;
  readonly where: (key: string) => object | undefined;
  /** What the node does not have yet that it needs to serve everything; undefined: nothing. */
  readonly missing: () => Missing | undefined;
  readonly failed?: AppOptions['failed'];
  readonly refused?: AppOptions['refused'];
  /** Further routes, such as `settingsRoutes`. All of them know who asks (`request.access`). */
  readonly routes?: readonly ((server: FastifyInstance) => void)[];
}

export interface HttpServer {
  readonly port: number;
  /** Takes no more requests. Resolves when MQTT connections are gone too, which are the broker's to close. */
  close(): Promise<void>;
}

/** The HTTP door of one node. Rejects when the port is taken. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { host, port, tls, authenticator, isLocalOnly } = options;
  const https = tls && {
    ...tls,
    rejectUnauthorized: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  };
  const { failed, refused } = options;
  const server = createApp({ https, failed, refused });
  const endHandshakes = trackHandshakes(server.server);
  const isWelcome = (request: Parameters<typeof isLocalRequest>[0]) =>
    !isLocalOnly || isLocalRequest(request);
  server.addHook('onRequest', (request, reply, next) => {
    const why = !isWelcome(request)
      ? 'a node without users answers this machine only'
      : isCrossSiteChange(request.raw)
        ? 'pages of other sites may change nothing here'
        : undefined;
    if (why === undefined) next();
    else refuse(reply, 403, 'NOT_ALLOWED', why);
  });
  server.addHook('onRequest', requireUser(authenticator));
  stateRoutes(server, options);
  for (const addRoutes of options.routes ?? []) addRoutes(server);
  acceptMqttWebSockets(server.server, { handle: options.handleMqtt, isWelcome });
  await server.listen({ host, port });
  const address = server.server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return {
    port: actualPort,
    close: () => {
      endHandshakes();
      return server.close();
    },
  };
}
