import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { answer } from '../../../node/http/answer.ts';
import { createApp } from '../../../node/http/app.ts';

const apps: ReturnType<typeof createApp>[] = [];
const newApp = () => {
  const app = createApp();
  apps.push(app);
  return app;
};
afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));

describe('answer', () => {
  it('sends any bytes as they are, however many, with their length', async () => {
    const app = newApp();
    let body = new Uint8Array(0);
    app.get('/', async (_, reply) => answer(reply, 200, ['etag', '"1"'], body));
    const ask = async (bytes: Uint8Array<ArrayBuffer>) => {
      body = bytes;
      const { statusCode, headers, rawPayload } = await app.inject('/');
      expect([statusCode, headers.etag, headers['content-length']]).toEqual([
        200,
        '"1"',
        `${bytes.length}`,
      ]);
      expect(rawPayload).toEqual(Buffer.from(bytes));
    };
    const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
    await fc.assert(fc.asyncProperty(anyBytes, ask), { numRuns: 30 });
    for (const length of [4096, 4097, 100_000]) {
      await ask(Uint8Array.from({ length }, (_, i) => i));
    }
  });

  it('tells HEAD the length and sends nothing more', async () => {
    const app = newApp();
    app.get('/', async (_, reply) => answer(reply, 200, [], Buffer.from('abc')));
    const { headers, payload } = await app.inject({ method: 'HEAD', url: '/' });
    expect([headers['content-length'], payload]).toEqual(['3', '']);
  });

  it('serves the connection on after an answer, and says nothing to a client that is gone', async () => {
    const app = newApp();
    const asked: (() => void)[] = [];
    let close = () => {};
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    app.get('/later', (request, reply) => {
      request.raw.socket.once('close', close);
      for (const tell of asked) tell();
      void closed.then(() => answer(reply, 200, [], Buffer.from('late')));
    });
    app.get('/now', async (_, reply) => answer(reply, 204, []));
    await app.listen({ port: 0 });
    const { port } = app.server.address() as { port: number };
    const socket = connect(port);
    socket.write('GET /now HTTP/1.1\r\nHost: a\r\n\r\n');
    const [first] = await once(socket, 'data');
    expect(`${first}`).toMatch(/^HTTP\/1.1 204 /);
    const isAsked = new Promise<void>((resolve) => asked.push(resolve));
    socket.write('GET /later HTTP/1.1\r\nHost: a\r\n\r\n');
    await isAsked;
    socket.destroy();
    await closed;
    // An error that nobody listens to would end the process, and this test with it.
    expect((await app.inject('/now')).statusCode).toBe(204);
  });
});
