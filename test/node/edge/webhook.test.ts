import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { webhookAt } from '../../../node/edge/webhook.ts';

describe('a webhook', () => {
  let server: Server;
  let url: string;
  let status = 204;
  const taken: { method: string | undefined; type: string | undefined; body: string }[] = [];
  beforeEach(async () => {
    taken.length = 0;
    server = createServer(async (request, response) => {
      const { method, headers } = request;
      taken.push({ method, type: headers['content-type'], body: await text(request) });
      response.writeHead(status, { location: '/elsewhere' }).end('thank you');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/open-sesame`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('takes JSON', async () => {
    status = 200;
    await webhookAt(url)('{"a":1}');
    expect(taken).toEqual([{ method: 'POST', type: 'application/json', body: '{"a":1}' }]);
  });

  it.each([500, 404, 302])('has not taken what it answers with %i', async (code) => {
    status = code;
    await expect(webhookAt(url)('{}')).rejects.toThrow();
    expect(taken).toHaveLength(1);
  });

  it('that is not there is told of without its address, which may hold a secret', async () => {
    server.close();
    const failure = await webhookAt(url)('{}').catch((error: Error) => error);
    expect(String(failure)).toMatch(/ECONNREFUSED/);
    expect(String(failure)).not.toContain('sesame');
  });
});
