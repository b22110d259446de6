import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Broker } from '../../broker/broker.ts';
import type { BrokerEnv } from '../../broker/env.ts';
import { type Listener, listenTcp } from '../../broker/server.ts';
import type { Sessions } from '../../broker/sessions.ts';
import { FakeDataPlane } from '../support/fake-data-plane.ts';
import { ManualTime } from '../support/manual-time.ts';
import { connect, publish } from '../support/mqtt-frames.ts';
import { settled } from '../support/settled.ts';
import { FakeClusterDoor, RawClient, startBroker } from './harness.ts';

describe('listenTcp', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    await Promise.all(cleanUp.splice(0).map((step) => step()));
  });

  async function listening() {
    const harness = await startBroker();
    const listener = await listenTcp(harness.broker, { host: '127.0.0.1', port: 0 });
    cleanUp.push(
      () => harness.broker.close(),
      () => listener.close(),
    );
    return { ...harness, listener };
  }

  /** Everything the server sends until it closes. */
  function dial(listener: Listener): { socket: Socket; over: Promise<Buffer> } {
    const socket = connectTcp(listener.address.port, listener.address.host);
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
    socket.write(connect({ level: 5 }));
    socket.end(Buffer.alloc(4_000_000));
    expect((await over).toString('hex')).toBe('2003008400');
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
      publish: () => {},
      close: async () => {},
    };
    const broker = new Broker({
      env,
      dataPlane: plane,
      clusterDoor: new FakeClusterDoor(),
      nodeName: 'one',
      onInvalid: 'ack',
      createSessions: () => acceptAll,
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
