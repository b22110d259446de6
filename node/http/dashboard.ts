import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Where the build puts `clients/dashboard`, beside the compiled node. */
const BUILT = join(import.meta.dirname, '../../clients/dashboard');

/** Everything the page needs comes from this node: nothing else is loaded, run, asked or shown. */
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * The dashboard at `/`, for whoever is a user of this node: the browser asks who that is before it shows the page.
 * Without a build, as under a test runner, there is none.
 */
export function dashboardRoutes(server: FastifyInstance, folder = BUILT): void {
  if (!existsSync(join(folder, 'index.html'))) return;
  server.register(async (scope) => {
    // Routes of our own are two; those of the plugin would take every path that nobody else has.
    await scope.register(fastifyStatic, { root: folder, serve: false, preCompressed: true });
    scope.addHook('onRequest', async (_, reply) => {
      reply.headers(HEADERS);
    });
    scope.get('/', (_, reply) =>
      reply.header('cache-control', 'no-cache').sendFile('index.html', { cacheControl: false }),
    );
    // Their names have a hash of what is in them.
    scope.get<{ Params: { file: string } }>('/assets/:file', ({ params }, reply) =>
      reply.sendFile(`assets/${params.file}`, { maxAge: '1y', immutable: true }),
    );
  });
}
