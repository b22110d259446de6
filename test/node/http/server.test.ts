import { request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type Authenticator, EVERYTHING, FilteredAccess } from '../../../broker/access.ts';
import { type HttpOptions, type HttpServer, serveHttp } from '../../../node/http/server.ts';
import { requireAdministrator } from '../../../node/http/users.ts';
import { caOfTests, certificates, tlsOf } from '../../support/certificates.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(options: Partial<HttpOptions> = {}) {
  const server = await serveHttp({
    host: '127.0.0.1',
    port: 0,
    authenticator: undefined,
    isLocalOnly: false,
    handleMqtt: (stream) => void stream.destroy(),
    status: () => ({ state: 'fine' }),
    missing: () => undefined,
    where: (key) => (key === 'unknown' ? undefined : { key }),
    routes: [
      (instance) =>
        instance.get('/v1/rules', { onRequest: requireAdministrator }, ({ access }) => ({
          user: access?.user,
        })),
    ],
    ...options,
  });
  servers.push(server);
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
    return {
      status: response.status,
      challenge: response.headers.get('www-authenticate'),
      body: (await response.json()) as Record<string, unknown>,
    };
  };
  return { server, ask };
}

const basic = (credentials: string) => ({
  authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
});

const users: Authenticator = {
  authenticate: async (name = '', password = new Uint8Array(0)) => {
    if (name === 'many') return 'busy';
    if (Buffer.from(password).toString() !== `of ${name}: 1`) return 'bad-credentials';
    if (name === 'admin') return new FilteredAccess(name, { read: ['#'], write: ['#'] });
    return new FilteredAccess(name, { read: ['a/#'], write: [] });
  },
  accessOf: () => undefined,
};

describe('the HTTP door without users', () => {
  it('answers everybody', async () => {
    const { ask } = await serve();
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await ask('/v1/cluster')).toMatchObject({ status: 200, body: { state: 'fine' } });
    expect(await ask('/v1/where?key=a%2Fb')).toMatchObject({ status: 200, body: { key: 'a/b' } });
    expect(await ask('/v1/where?key=unknown')).toMatchObject({
      status: 503,
      body: { code: 'FORMING' },
    });
    expect(await ask('/v1/where')).toMatchObject({ status: 400 });
    expect(await ask('/v1/rules')).toMatchObject({ status: 200, body: { user: EVERYTHING.user } });
    expect(await ask('/nothing')).toMatchObject({ status: 404 });
  });

  it('is ready when nothing is missing', async () => {
    let missing: ReturnType<HttpOptions['missing']>;
    const { ask } = await serve({ authenticator: users, missing: () => missing });
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
    missing = { code: 'UNAVAILABLE', message: 'no live leader is known for 1 of 65 groups: 7' };
    expect(await ask('/readyz')).toMatchObject({
      status: 503,
      body: { code: 'UNAVAILABLE', detail: missing.message },
    });
  });

  it('says that it failed, and tells the node why', async () => {
    const failures: Error[] = [];
    const { ask } = await serve({
      status: () => {
        throw new Error('secret');
      },
      failed: (error) => failures.push(error),
    });
    const { status, body } = await ask('/v1/cluster');
    expect([status, body.code, body.detail]).toEqual([
      500,
      'FAILURE',
      'the node could not answer; its log says why',
    ]);
    expect(failures).toMatchObject([{ message: 'secret' }]);
  });

  it('lets no page of another site change anything', async () => {
    const { server } = await serve();
    const change = (origin: string) =>
      fetch(`http://127.0.0.1:${server.port}/v1/rules`, { method: 'POST', headers: { origin } });
    expect((await change('http://evil.example')).status).toBe(403);
    expect((await change(`http://127.0.0.1:${server.port}`)).status).toBe(404);
  });

  it('on loopback answers no web page of elsewhere, whatever its name is made to mean', async () => {
    const { server, ask } = await serve({ isLocalOnly: true });
    const refused = { status: 403, body: { code: 'NOT_ALLOWED' } };
    for (const origin of ['http://evil.example', 'https://127.0.0.1.evil.example', 'null']) {
      expect(await ask('/v1/cluster', { origin })).toMatchObject(refused);
    }
    for (const origin of ['http://localhost:3000', 'http://[::1]', 'https://127.0.0.1']) {
      expect(await ask('/v1/cluster', { origin })).toMatchObject({ status: 200 });
    }
    const rebound = connectTcp(server.port, '127.0.0.1');
    rebound.end('GET /v1/cluster HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    expect(await text(rebound)).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe('the HTTP door with users', () => {
  it('asks who it is, but for its health', async () => {
    const { ask } = await serve({ authenticator: users });
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
    for (const path of ['/v1/cluster', '/v1/where?key=a', '/v1/rules', '/nothing']) {
      for (const headers of [
        {},
        basic('ann:wrong'),
        basic('ann'),
        { authorization: 'Bearer x' },
        { authorization: 'Basic !' },
      ]) {
        expect(await ask(path, headers)).toMatchObject({
          status: 401,
          challenge: 'Basic realm="DSS", charset="UTF-8"',
          body: { code: 'BAD_CREDENTIALS', detail: expect.any(String) },
        });
      }
    }
    expect(await ask('/v1/cluster', basic('many:x'))).toMatchObject({
      status: 503,
      body: { code: 'UNAVAILABLE' },
    });
  });

  it('shows the state to every user, and rules to administrators; a password may have colons', async () => {
    const { ask } = await serve({ authenticator: users });
    expect(await ask('/v1/cluster', basic('ann:of ann: 1'))).toMatchObject({ status: 200 });
    expect(await ask('/v1/rules', basic('ann:of ann: 1'))).toMatchObject({
      status: 403,
      body: { code: 'NOT_ALLOWED' },
    });
    expect(await ask('/v1/rules', basic('admin:of admin: 1'))).toMatchObject({
      status: 200,
      body: { user: 'admin' },
    });
  });
});

describe('the HTTP door with TLS', () => {
  const ask = (port: number, options: object) =>
    new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const request = httpsRequest(
        { host: '127.0.0.1', port, path: '/v1/cluster', agent: false, ca: caOfTests, ...options },
        (response) =>
          void text(response).then(
            (body) => resolve({ status: response.statusCode, body }),
            reject,
          ),
      );
      request.once('error', reject);
      request.end();
    });

  it('speaks nothing else', async () => {
    const { server } = await serve({ tls: tlsOf(certificates.node) });
    expect(await ask(server.port, {})).toEqual({ status: 200, body: '{"state":"fine"}' });
    await expect(fetch(`http://127.0.0.1:${server.port}/v1/cluster`)).rejects.toThrow();
    await expect(
      ask(server.port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }),
    ).rejects.toThrow();
  });

  it('may want a certificate of the client', async () => {
    const { server } = await serve({
      tls: { ...tlsOf(certificates.node), ca: caOfTests, requestCert: true },
    });
    await expect(ask(server.port, {})).rejects.toThrow();
    await expect(ask(server.port, tlsOf(certificates.self))).rejects.toThrow();
    expect(await ask(server.port, tlsOf(certificates.other))).toMatchObject({ status: 200 });
  });

  it('closes although somebody stays in the middle of a handshake', async () => {
    const { server } = await serve({ tls: tlsOf(certificates.node) });
    const idler = connectTcp(server.port, '127.0.0.1');
    idler.on('error', () => {});
    await new Promise((resolve) => idler.once('connect', resolve));
    // Answered only after the connection before it was accepted.
    await ask(server.port, {});
    await server.close();
  });
});
