import type { FastifyInstance } from 'fastify';
import type { Authenticator } from '../../broker/access.ts';
import { HANDSHAKE_TIMEOUT_MS, type ListenOptions, trackHandshakes } from '../../broker/server.ts';
import { createApp } from './app.ts';
import { isCrossSiteChange } from './cross-site.ts';
import { isLocalRequest } from './local-only.ts';
import { acceptMqttWebSockets, type HandleMqtt } from './mqtt-websocket.ts';
import { refuse, refuseForming } from './refusal.ts';
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
  /** An error that is nobody's request's fault: that request is answered with 500. */
  readonly failed?: (error: Error) => void;
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
  const server = createApp({ https, failed: options.failed });
  const endHandshakes = trackHandshakes(server.server);
  const isWelcome = (request: Parameters<typeof isLocalRequest>[0]) =>
    !isLocalOnly || isLocalRequest(request);
  server.addHook('onRequest', async (request, reply) => {
    if (isWelcome(request)) return;
    return refuse(reply, 403, 'NOT_ALLOWED', 'a node without users answers this machine only');
  });
  server.addHook('onRequest', async (request, reply) => {
    if (!isCrossSiteChange(request.raw)) return;
    return refuse(reply, 403, 'NOT_ALLOWED', 'pages of other sites may change nothing here');
  });
  server.addHook('onRequest', requireUser(authenticator));
  basicRoutes(server, options);
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

/** `GET /healthz`, for everybody, `/v1/cluster` and `/v1/where?key=`. */
function basicRoutes(server: FastifyInstance, { status, where }: HttpOptions): void {
  server.get('/healthz', { config: { isOpen: true } }, () => ({ status: 'ok' }));
  server.get('/v1/cluster', () => status());
  server.get<{ Querystring: { key: string } }>(
    '/v1/where',
    {
      schema: {
        querystring: {
          type: 'object',
          required: ['key'],
          properties: { key: { type: 'string', minLength: 1 } },
        },
      },
    },
    (request, reply) => where(request.query.key) ?? refuseForming(reply),
  );
}
