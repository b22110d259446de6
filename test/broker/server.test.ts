import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { Broker } from '../../broker/broker.ts';
import type { BrokerEnv } from '../../broker/env.ts';
import { type Listener, type ListenOptions, listenTcp } from '../../broker/server.ts';
import type { Sessions } from '../../broker/sessions.ts';
import { caOfTests, certificates, tlsOf } from '../support/certificates.ts';
import { FakeDataPlane } from '../support/fake-data-plane.ts';
import { FakePeerNetwork } from '../support/fake-peers.ts';
import { ManualTime } from '../support/manual-time.ts';
import { MemoryMessageStore } from '../support/memory-message-store.ts';
import { connect, publish } from '../support/mqtt-frames.ts';
import { settled } from '../support/settled.ts';
import { FakeClusterDoor, RawClient, startBroker } from './harness.ts';

describe('listenTcp', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    await Promise.all(cleanUp.splice(0).map((step) => step()));
  });

  async function listening(options: Partial<ListenOptions> = {}) {
    const harness = await startBroker();
    const listener = await listenTcp(harness.broker, { host: '127.0.0.1', port: 0, ...options });
    cleanUp.push(
      () => harness.broker.close(),
      () => listener.close(),
    );
    return { ...harness, listener };
  }

  /** Everything the server sends until it closes. */
  function dial(
    { address }: Listener,
    tls?: Pick<ConnectionOptions, 'cert' | 'key' | 'minVersion' | 'maxVersion'>,
  ): { socket: Socket; over: Promise<Buffer> } {
    const { port, host } = address;
    const options = { port, host, ca: caOfTests, allowHalfOpen: true, ...tls };
    const socket = tls === undefined ? connectTcp(port, host) : connectTls(options);
    const chunks: Buffer[] = [];
    const over = new Promise<Buffer>((resolve) => {
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('error', () => {});
      socket.on('close', () => resolve(Buffer.concat(chunks)));
    });
    return { socket, over };
  }

  it('rejects when the port is taken', async () => {
    const { broker, listener } = await listening();
    await expect(listenTcp(broker, listener.address)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('takes everything from a client that sends it in one go and closes its side', async () => {
    const { plane, listener } = await listening();
    const { socket, over } = dial(listener);
    const puts = Array.from({ length: 2_000 }, (_, i) => publish(`dss/put/${i}`, 'v'));
    socket.end(Buffer.concat([connect(), ...puts]));
    await over;
    expect(plane.writes).toHaveLength(2_000);
  });

  it('lets a refused client read why, although it goes on sending', async () => {
    const { listener } = await listening();
    const { socket, over } = dial(listener);
    socket.write(connect({ level: 6 }));
    socket.end(Buffer.alloc(4_000_000));
    expect((await over).toString('hex')).toBe('20020001');
  });

  it('speaks nothing but TLS when it has a certificate', async () => {
    const { plane, listener } = await listening({ tls: tlsOf(certificates.node) });
    const { socket, over } = dial(listener, {});
    socket.end(Buffer.concat([connect(), publish('dss/put/a', '1', { qos: 1, id: 1 })]));
    expect((await over).toString('hex')).toBe('2002000040020001');
    expect(plane.value('a')).toBe('1');

    const plain = dial(listener);
    plain.socket.end(Buffer.concat([connect(), publish('dss/put/b', '1')]));
    await plain.over;
    const old = dial(listener, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
    old.socket.end(connect());
    expect(await old.over).toHaveLength(0);
    expect(plane.writes).toHaveLength(1);
  });

  it('lets in whom the CA has signed where it asks for certificates', async () => {
    const tls = { ...tlsOf(certificates.node), ca: caOfTests, requestCert: true };
    const { listener } = await listening({ tls });
    for (const without of [{}, tlsOf(certificates.self)]) {
      const { socket, over } = dial(listener, without);
      socket.end(connect());
      expect(await over).toHaveLength(0);
    }
    const { socket, over } = dial(listener, tlsOf(certificates.other));
    socket.end(connect());
    expect((await over).toString('hex')).toBe('20020000');
  });

  it('closes although somebody stays in the middle of a handshake', async () => {
    const { broker, listener } = await listening({ tls: tlsOf(certificates.node) });
    const idler = dial(listener);
    const { socket, over } = dial(listener, {});
    socket.end(connect());
    await over;
    const closed = listener.close();
    await broker.close();
    await closed;
    await idler.over;
  });
});

describe('Broker', () => {
  it('runs without aedes, as the simulator needs it', async () => {
    const time = new ManualTime();
    const plane = new FakeDataPlane();
    const tasks: (() => void)[] = [];
    const env: BrokerEnv = {
      clock: { nowMs: () => time.nowMs, monotonicMs: () => time.nowMs },
      timers: time,
      random: { below: () => 0 },
      yield: (task) => void tasks.push(task),
      events: { emit: () => {} },
    };
    const acceptAll: Sessions = {
      start: async () => {},
      attach: (stream) => void stream.once('data', () => stream.write(Buffer.of(0x20, 2, 0, 0))),
      close: async () => {},
    };
    const broker = new Broker({
      env,
      dataPlane: plane,
      clusterDoor: new FakeClusterDoor(),
      nodeName: 'one',
      onInvalid: 'ack',
      createSessions: () => acceptAll,
      version: '1.2.3',
      host: { node: 'n1', startCounter: 1 },
      createPeers: new FakePeerNetwork().join('n1'),
      createStore: (events) => new MemoryMessageStore().join(events),
    });
    await broker.start();
    const client = new RawClient((stream) => broker.handle(stream, 'sim'));
    const turn = async () => {
      await settled();
      for (const task of tasks.splice(0)) task();
    };
    client.send(connect(), publish('dss/put/a', '1', { qos: 1, id: 1 }));
    while (client.received.length < 2) await turn();
    expect(client.received.map(({ type }) => type)).toEqual(['connack', 'puback']);
    expect(plane.value('a')).toBe('1');
  });

  it('turns connections away before it has started and after it was closed', async () => {
    const { broker, open } = await startBroker();
    await broker.close();
    await broker.close();
    const client = open();
    await client.untilClosed();
    broker.publishSystem('durability', {});
    expect(broker.counters().connectionsAccepted).toBe(0);
  });
});
