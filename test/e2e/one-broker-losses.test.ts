import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { gather } from './support/clients.ts';
import {
  Listener,
  PROTOCOLS,
  retainedAt,
  ScriptClient,
  send,
  untilRetained,
} from './support/ordinary-clients.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

/** Nodes that are killed, and what is retained, queued and willed of ordinary MQTT. The tests leave the cluster whole. */
describe('three nodes that are killed', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  const n1 = () => cluster.node(0);
  const n2 = () => cluster.node(1);
  const n3 = () => cluster.node(2);

  /** Connects as soon as somebody listens there, as devices do. */
  const connectAtOnce = (...args: Parameters<typeof ScriptClient.persistent>) =>
    eventually('a connection', () => ScriptClient.persistent(...args));

  it('a client goes on at another node when its own is killed, wills are published', async () => {
    const witness = await ScriptClient.connect(n2(), 5);
    await witness.client.subscribeAsync('status/#', { qos: 1 });
    const flags = ['--will-topic', 'status/clean', '--will-payload', 'gone', '--will-qos', '1'];
    await Listener.start({ node: n1(), version: 'mqttv311', filter: 'x', flags });
    const survivors = [];
    for (const protocol of PROTOCOLS) {
      const will = { topic: `status/${protocol}`, payload: Buffer.from('gone'), qos: 1 as const };
      const away = await ScriptClient.persistent(n1(), protocol, {
        clientId: `late${protocol}`,
        will,
      });
      await away.client.subscribeAsync('orders', { qos: 1 });
      const clientId = `survivor${protocol}`;
      const survivor = await ScriptClient.persistent(n1(), protocol, { clientId });
      await survivor.client.subscribeAsync('orders/#', { qos: 2 });
      survivors.push(survivor);
    }
    await send(n3(), 'orders', 'before');
    for (const each of survivors) await each.until('an order', ({ length }) => length === 1);

    await cluster.kill(0);
    for (const order of ['1', '2', '3']) await send(n2(), 'orders', order);
    for (const protocol of PROTOCOLS) {
      const back = await ScriptClient.persistent(n3(), protocol, {
        clientId: `survivor${protocol}`,
      });
      expect(back.sessionPresent).toBe(true);
      await back.until('the orders', (all) => all.includes('3'));
      const orders = back.payloads.filter((payload) => /\d/.test(payload));
      expect(orders).toEqual(['1', '2', '3']);
      await send(n2(), 'orders/now', 'and on');
      await back.until('what comes now', (all) => all.includes('and on'));
      await back.client.unsubscribeAsync('orders/#');
      await back.leave();
    }

    await witness.until('all wills', ({ length }) => length >= 3);
    cluster.restart(0);
    await cluster.waitForLeaders();
    for (const protocol of PROTOCOLS) {
      const back = await ScriptClient.persistent(n1(), protocol, { clientId: `late${protocol}` });
      expect(back.sessionPresent).toBe(true);
      await back.until('the orders', (all) => all.includes('3'));
      await back.client.publishAsync(`status/end${protocol}`, 'end', { qos: 1 });
      await back.leave();
    }
    await witness.until('the end', (all) => all.filter((each) => each === 'end').length === 2);
    const topics = witness.packets.map(({ topic }) => topic).sort();
    const ends = ['status/end4', 'status/end5'];
    expect(topics).toEqual(['status/4', 'status/5', 'status/clean', ...ends]);
    await witness.leave();
  });

  it('all of them: what was retained and what was queued is there at once', async () => {
    await send(n1(), 'kept/a', '1', '-r');
    await send(n2(), 'kept/b', '2', '-r', '-V', 'mqttv5', '-D', 'publish', 'content-type', 'n');
    for (const node of cluster.nodes) {
      await untilRetained(node, 'kept/#', { 'kept/a': '1', 'kept/b': '2' });
    }
    for (const protocol of PROTOCOLS) {
      const clientId = `sleeper${protocol}`;
      const first = await ScriptClient.persistent(n1(), protocol, { clientId });
      await first.client.subscribeAsync('sleep/#', { qos: 1 });
      await first.leave();
    }
    await send(n2(), 'sleep/x', 'one');
    await send(n2(), 'sleep/x', 'two', '-q', '2');
    const deaf = await Promise.all(
      PROTOCOLS.map((protocol) => {
        const options = { clientId: `sleeper${protocol}`, acknowledges: false };
        return ScriptClient.persistent(n3(), protocol, options);
      }),
    );
    // They got it from the store, and keep it there. What has not reached that would be gone with all nodes.
    for (const each of deaf) await each.until('what is queued', (all) => all.includes('two'));

    await Promise.all(cluster.nodes.map((_, index) => cluster.kill(index)));
    for (const index of cluster.nodes.keys()) cluster.restart(index);
    for (const protocol of PROTOCOLS) {
      const back = await connectAtOnce(n2(), protocol, { clientId: `sleeper${protocol}` });
      expect(back.sessionPresent).toBe(true);
      await back.until('both', (all) => all.includes('two'));
      expect(back.payloads).toEqual(['one', 'two']);
      await back.leave();
    }
    await Promise.all(
      cluster.nodes.map((node) => untilRetained(node, 'kept/#', { 'kept/a': '1', 'kept/b': '2' })),
    );
    await cluster.waitForLeaders();
  });

  it('two of them: the third goes on from memory, and the others know it when they are back', async () => {
    await send(n1(), 'few/before', 'x', '-r');
    await untilRetained(n3(), 'few/#', { 'few/before': 'x' });
    const wanderer = await ScriptClient.persistent(n2(), 5, { clientId: 'wanderer' });
    await wanderer.client.subscribeAsync('few/orders', { qos: 1 });
    await wanderer.leave();
    const listener = await Listener.start({ node: n1(), version: 'mqttv311', filter: 'few/#' });
    const state = await gather(n1(), 'dss/sys/cluster');
    const untilState = (wanted: string) =>
      state.until(wanted, () => state.messages.at(-1)?.payload.includes(wanted) === true);

    await Promise.all([cluster.kill(1), cluster.kill(2)]);
    await untilState('no-quorum');
    await send(n1(), 'few/live', 'goes on');
    await listener.until('0|few/live|goes on');
    await send(n1(), 'few/kept', 'y', '-r');
    await send(n1(), 'few/before', '', '-r');
    expect([...(await retainedAt(n1(), 'few/#'))]).toEqual([['few/kept', 'y']]);

    await send(n1(), 'few/orders', 'm1');
    const here = await ScriptClient.persistent(n1(), 5, { clientId: 'wanderer' });
    expect(here.sessionPresent).toBe(true);
    await here.until('what was queued', (all) => all.includes('m1'));
    await here.leave();
    const local = await ScriptClient.persistent(n1(), 4, { clientId: 'local' });
    await local.client.subscribeAsync('few/orders', { qos: 1 });
    await local.leave();
    await send(n1(), 'few/orders', 'm2');
    const again = await ScriptClient.persistent(n1(), 4, { clientId: 'local' });
    expect(again.sessionPresent).toBe(true);
    await again.until('what was queued', (all) => all.includes('m2'));
    await again.leave();
    await send(n1(), 'few/orders', 'm3');
    expect(state.messages.at(-1)?.payload).toContain('no-quorum');

    cluster.restart(1);
    cluster.restart(2);
    await untilState('ok');
    for (const node of cluster.nodes) await untilRetained(node, 'few/#', { 'few/kept': 'y' });
    const there = await ScriptClient.persistent(n3(), 5, { clientId: 'wanderer' });
    expect(there.sessionPresent).toBe(true);
    await there.until('what is left', (all) => all.includes('m3'));
    // That the first one was taken is told by n1 when it can, which may be later.
    expect(there.payloads.filter((payload) => payload !== 'm1')).toEqual(['m2', 'm3']);
    const moved = await ScriptClient.persistent(n2(), 4, { clientId: 'local' });
    expect(moved.sessionPresent).toBe(true);
    await moved.until('what is left', (all) => all.includes('m3'));
    expect(moved.payloads).toEqual(['m3']);
    for (const each of [there, moved]) await each.leave();
    await state.client.endAsync();
    await listener.leave();
  });
});
