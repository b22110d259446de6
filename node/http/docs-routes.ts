import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { OPENAPI_DOCUMENT } from './schemas/docs.ts';

/** The document is made by a test (`npm run openapi`) and part of the package; nobody keeps it in memory. */
const FILES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'openapi.json': 'application/json; charset=utf-8',
};

const HEADERS = {
  'cache-control': 'no-cache',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
};

/** `GET /docs`: this API as a page, and as OpenAPI 3.1 at `/docs/openapi.json`. */
export function docsRoutes(server: FastifyInstance): void {
  const serve = (path: string, file: string, schema: object) =>
    server.get(path, { schema }, async (_, reply) =>
      reply
        .headers(HEADERS)
        .type(FILES[file] ?? '')
        .send(await readDocument(file)),
    );
  const hidden = { hide: true };
  serve('/docs', 'index.html', hidden);
  serve('/docs/', 'index.html', hidden);
  serve('/docs/page.js', 'page.js', hidden);
  serve('/docs/page.css', 'page.css', hidden);
  serve('/docs/openapi.json', 'openapi.json', OPENAPI_DOCUMENT);
}

/** From node/http here or from dist/node/http. */
async function readDocument(file: string): Promise<Buffer> {
  const here = new URL(`../../docs/api/${file}`, import.meta.url);
  const fromDist = new URL(`../../../docs/api/${file}`, import.meta.url);
  return readFile(fromDist).catch(() => readFile(here));
}
