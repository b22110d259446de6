import { fastify } from 'fastify';

export interface HttpRoutes {
  readonly status: () => object;
  readonly where: (key: string) => object | undefined;
}

/** `GET /healthz`, `/status` and `/where?key=` of one node. Rejects when the port is taken. */
export async function serveHttp(
  options: { readonly host: string; readonly port: number },
  routes: HttpRoutes,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = fastify({ logger: false, forceCloseConnections: true });
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/status', () => routes.status());
  server.get<{ Querystring: { key: string } }>(
    '/where',
    {
      schema: {
        querystring: {
          type: 'object',
          required: ['key'],
          properties: { key: { type: 'string', minLength: 1 } },
        },
      },
    },
    (request, reply) =>
      routes.where(request.query.key) ??
      reply.code(503).send({ error: 'FORMING', message: 'the node has not joined a cluster yet' }),
  );
  await server.listen(options);
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return { port, close: () => server.close() };
}
