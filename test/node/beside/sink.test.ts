import { beforeEach, describe, expect, it } from 'vitest';
import { Sink } from '../../../node/beside/sink.ts';
import { FakeDataPlane } from '../../support/fake-data-plane.ts';
import { FakeEnv, settled } from '../fake-env.ts';
import { FakeBrokers, type FakeConnection, target } from './fake-brokers.ts';

describe('a sink', () => {
  let fake: FakeEnv;
  let brokers: FakeBrokers;
  let plane: FakeDataPlane;
  let sink: Sink;

  beforeEach(() => {
    fake = new FakeEnv();
    brokers = new FakeBrokers();
    plane = new FakeDataPlane();
    sink = new Sink({
      env: fake.env,
      brokers,
      link: { kind: 'sink', name: 'office', target, filter: 'plant/#', topicPrefix: 'dss/' },
      clientId: 'dss-cluster-office',
      dataPlane: plane,
    });
  });

  async function connect(): Promise<FakeConnection> {
    brokers.last.events.connected();
    await settled();
    return brokers.last;
  }

  function lose(): void {
    brokers.last.events.closed('the connection was lost');
  }

  it('begins with the current values, and goes on with every change', async () => {
    plane.store('plant/a', '1');
    plane.store('elsewhere', 'x');
    sink.start();
    const connection = await connect();
    plane.store('plant/b', '2');
    plane.store('elsewhere', 'y');
    plane.store('plant/b', '');
    for (const { done } of connection.published) done('acknowledged');
    expect(connection.texts).toEqual(['dss/plant/a=1', 'dss/plant/b=2', 'dss/plant/b=']);
    expect(connection.options.session).toBe('none');
    expect(sink.progress).toMatchObject({ connected: true, messages: 3 });
  });

  it('has one publication of a key under way, and then the newest value', async () => {
    sink.start();
    const connection = await connect();
    for (const value of ['1', '2', '3']) plane.store('plant/a', value);
    expect(connection.texts).toEqual(['dss/plant/a=1']);
    connection.published[0]?.done('acknowledged');
    expect(connection.texts).toEqual(['dss/plant/a=1', 'dss/plant/a=3']);
  });

  it('has a bounded number under way, and holds the snapshot back', async () => {
    for (let i = 0; i < 3_000; i += 1) plane.store(`plant/${i}`, 'v');
    sink.start();
    const connection = await connect();
    expect(connection.published).toHaveLength(100);
    expect(plane.snapshotItems).toBeLessThan(1_200);
    for (let i = 0; i < connection.published.length; i += 1) {
      connection.published[i]?.done('acknowledged');
      if (i % 50 === 0) await settled();
    }
    expect(new Set(connection.texts).size).toBe(3_000);
  });

  it('counts what the other broker refuses, and goes on', async () => {
    sink.start();
    const connection = await connect();
    plane.store('plant/a', '1');
    plane.store('plant/a', '2');
    connection.published[0]?.done('refused');
    connection.published[1]?.done('acknowledged');
    expect(sink.progress).toMatchObject({ messages: 1, ignored: 1 });
  });

  it('publishes all current values again when it has been away, and what was deleted', async () => {
    for (const key of ['a', 'b', 'c', 'd']) plane.store(`plant/${key}`, '1');
    sink.start();
    const first = await connect();
    for (const { done } of first.published) done('acknowledged');
    plane.store('plant/d', '');
    expect(first.texts.at(-1)).toBe('dss/plant/d=');

    lose();
    plane.store('plant/a', '2');
    plane.store('plant/a', '3');
    plane.store('plant/b', '');
    plane.store('plant/c', '');
    plane.store('plant/c', 'again');
    fake.pass(3_000);
    const second = await connect();
    for (const { done } of second.published) done('acknowledged');
    // The delete of d was not acknowledged.
    expect(second.texts.sort()).toEqual([
      'dss/plant/a=3',
      'dss/plant/b=',
      'dss/plant/c=again',
      'dss/plant/d=',
    ]);
    expect(plane.watches.size).toBe(1);
  });

  it('begins anew when values change faster than they are taken', async () => {
    sink.start();
    const connection = await connect();
    for (let i = 0; i < 100; i += 1) plane.store(`plant/${i}`, 'v');
    const large = new Uint8Array(1024 * 1024).fill(1);
    for (let i = 100; i < 116; i += 1) plane.store(`plant/${i}`, large);
    expect(connection.isClosed).toBe(true);
    expect(sink.progress.error).toMatch(/more slowly/);
  });

  it('leaves nothing when it stops', async () => {
    sink.start();
    const connection = await connect();
    sink.stop();
    expect(connection.isClosed).toBe(true);
    expect(plane.watches.size).toBe(0);
    expect(fake.timersPending).toBe(0);
  });
});
