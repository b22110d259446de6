import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type FastifyInstance, fastify } from 'fastify';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { dashboardRoutes } from '../../../node/http/dashboard.ts';

const folder = mkdtempSync(join(tmpdir(), 'dss-dashboard-'));
mkdirSync(join(folder, 'assets'));
const page = '<!doctype html><title>DSS</title>';
writeFileSync(join(folder, 'index.html'), page);
writeFileSync(join(folder, 'assets/index-1a2b.js'), 'export {};');
writeFileSync(join(folder, 'assets/index-1a2b.js.gz'), gzipSync('export {};'));
afterAll(() => rmSync(folder, { recursive: true }));

let server: FastifyInstance | undefined;
afterEach(() => server?.close());

function serve(built = folder) {
  const app = fastify();
  server = app;
  dashboardRoutes(app, built);
  return (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers });
}

describe('the dashboard', () => {
  it('is at /, asked for each time, and may load nothing from elsewhere', async () => {
    const { statusCode, body, headers } = await serve()('/');
    expect({ statusCode, body }).toEqual({ statusCode: 200, body: page });
    expect(headers['content-type']).toContain('text/html');
    expect(headers['cache-control']).toBe('no-cache');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  it('has files that never change, compressed for who can read that', async () => {
    const ask = serve();
    const plain = await ask('/assets/index-1a2b.js');
    expect(plain.body).toBe('export {};');
    expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const compressed = await ask('/assets/index-1a2b.js', { 'accept-encoding': 'gzip, br' });
    expect(compressed.headers['content-encoding']).toBe('gzip');
    expect(compressed.headers['content-type']).toContain('javascript');
  });

  it('gives no other files', async () => {
    const ask = serve();
    const paths = ['/assets/none.js', '/assets/..%2F..%2Fpackage.json', '/package.json', '/other'];
    for (const path of paths) expect((await ask(path)).statusCode).toBeGreaterThanOrEqual(400);
  });

  it('is not there without a build', async () => {
    expect((await serve(join(folder, 'none'))('/')).statusCode).toBe(404);
  });
});
