import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import * as frames from '../support/mqtt-frames.ts';
import { LinkProxy } from './support/link-proxy.ts';

/** Whoever the proof of a partition rests on is worth a test of its own. */

let links: LinkProxy;
const closers: (() => void)[] = [];
afterEach(async () => {
  for (const closer of closers.splice(0)) closer();
  await links.close();
});

/** Node 1 listens, node 0 has connected to it through its link. */
async function connected(): Promise<{
  caller: Socket;
  called: Socket;
  heard: { caller: string; called: string };
}> {
  links = new LinkProxy();
  links.learn(0, 'aa');
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  const address = await links.open(1, (server.address() as AddressInfo).port);
  const caller = connect(Number(address.split(':')[1]), '127.0.0.1');
  const accepted = once(server, 'connection');
  caller.write(frames.connect({ username: 'dss-node/aa', password: 'proof' }));
  const [called] = (await accepted) as [Socket];
  const heard = { caller: '', called: '' };
  caller.on('data', (chunk) => {
    heard.caller += chunk.toString('latin1');
  });
  called.on('data', (chunk) => {
    heard.called += chunk.toString('latin1');
  });
  await eventually('the CONNECT', () => heard.called.includes('proof') || undefined);
  return { caller, called, heard };
}

it('holds the bytes of one direction and delivers them later, in order', async () => {
  const { caller, called, heard } = await connected();
  links.set(0, 1, 'held');
  caller.write('one');
  caller.write('two');
  called.write('answer');
  await eventually('the other direction', () => heard.caller === 'answer' || undefined);
  expect(heard.called).not.toContain('one');
  links.heal();
  await eventually('what was held', () => heard.called.endsWith('onetwo') || undefined);
});

it('closes a connection that lost bytes only when the link is whole again', async () => {
  const { caller, called, heard } = await connected();
  links.set(1, 0, 'dropped');
  called.write('lost');
  caller.write('through');
  await eventually('the other way', () => heard.called.endsWith('through') || undefined);
  expect(caller.destroyed).toBe(false);
  const closed = once(caller, 'close');
  links.heal();
  await closed;
  expect(heard.caller).toBe('');
});

it('does not tell of an end while the link is cut', async () => {
  const { caller, called, heard } = await connected();
  links.set(0, 1, 'held');
  caller.destroy();
  called.write('still there');
  const closed = once(called, 'close');
  expect(called.destroyed).toBe(false);
  links.set(0, 1, 'open');
  await closed;
  expect(heard.caller).toBe('');
});

it('delays, and closes, what is between two nodes', async () => {
  const { caller, called, heard } = await connected();
  links.set(0, 1, { delayMs: 50 });
  const sentMs = performance.now();
  caller.write('late');
  await eventually('what is late', () => heard.called.endsWith('late') || undefined);
  expect(performance.now() - sentMs).toBeGreaterThanOrEqual(49);
  const closed = Promise.all([once(caller, 'close'), once(called, 'close')]);
  links.closeConnections(1, 0);
  await closed;
});
