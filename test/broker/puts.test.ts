import { describe, expect, it } from 'vitest';
import { connect, DISCONNECT, publish, pubrel } from '../support/mqtt-frames.ts';
import { type Harness, IDLE_TIMERS, type RawClient, settle, startBroker } from './harness.ts';

const ids = (packets: readonly { readonly id: number }[]) => packets.map(({ id }) => id);

async function holding(): Promise<Harness & { client: RawClient }> {
  const harness = await startBroker();
  harness.plane.hold = true;
  return { ...harness, client: await harness.connect() };
}

describe('a QoS 1 put', () => {
  it('is acknowledged after its commit and not before', async () => {
    const { plane, client } = await holding();
    client.send(publish('dss/put/a', '1', { qos: 1, id: 7 }));
    expect(await client.all('puback')).toEqual([]);
    plane.commit();
    expect(await client.take('puback')).toEqual({ type: 'puback', id: 7 });
    expect(plane.value('a')).toBe('1');
  });

  it('keeps every byte of its key and value', async () => {
    const { plane, connect: open } = await startBroker();
    const client = await open();
    const keys = [
      '/esp/temp',
      'a//b',
      'räume/küche 1',
      '$x/y',
      'a/',
      '/',
      'put/a',
      'x'.repeat(1024),
    ];
    for (const [i, key] of keys.entries()) {
      client.send(publish(`dss/put/${key}`, `v${i}`, { qos: 1, id: i + 1 }));
    }
    expect(ids(await client.all('puback'))).toEqual(keys.map((_, i) => i + 1));
    expect(keys.map((key) => plane.value(key))).toEqual(keys.map((_, i) => `v${i}`));
  });

  it('deletes when it is empty, as dss/delete does whatever its payload', async () => {
    const { plane, connect: open } = await startBroker();
    plane.store('a', '1');
    plane.store('b', '1');
    const client = await open();
    client.send(publish('dss/put/a', '', { qos: 1, id: 1 }));
    client.send(publish('dss/delete/b', 'ignored', { qos: 1, id: 2 }));
    expect(ids(await client.all('puback'))).toEqual([1, 2]);
    expect([plane.value('a'), plane.value('b')]).toEqual([undefined, undefined]);
  });

  it('is acknowledged in PUBLISH order', async () => {
    const { plane, client } = await holding();
    for (let id = 1; id <= 4; id += 1) client.send(publish(`dss/put/k${id}`, 'v', { qos: 1, id }));
    await settle();
    const [first, ...later] = [...plane.held];
    for (const write of later.reverse()) plane.commit(write);
    expect(await client.all('puback')).toEqual([]);
    plane.commit(first);
    expect(ids(await client.all('puback'))).toEqual([1, 2, 3, 4]);
  });

  it('is passed by later ones when it has waited 100 ms', async () => {
    const { plane, client, time } = await holding();
    for (let id = 1; id <= 3; id += 1) client.send(publish(`dss/put/k${id}`, 'v', { qos: 1, id }));
    await settle();
    const [first, second, third] = [...plane.held];
    plane.commit(second);
    await settle();
    time.advance(99);
    expect(await client.all('puback')).toEqual([]);
    time.advance(1);
    expect(ids(await client.all('puback'))).toEqual([2]);
    plane.commit(third);
    expect(ids(await client.all('puback'))).toEqual([3]);
    plane.commit(first);
    expect(ids(await client.all('puback'))).toEqual([1]);
  });

  it('is the same put when its packet id comes again while it is pending', async () => {
    const { plane, client } = await holding();
    for (let i = 0; i < 3; i += 1) client.send(publish('dss/put/a', '1', { qos: 1, id: 7 }));
    await settle();
    expect(plane.held).toHaveLength(1);
    plane.commitAll();
    expect(ids(await client.all('puback'))).toEqual([7]);
    client.send(publish('dss/put/a', '2', { qos: 1, id: 7 }));
    await settle();
    expect(plane.held).toHaveLength(1);
  });

  it('leaves its acknowledgement with its neighbours in one write', async () => {
    const { plane, client } = await holding();
    const puts = Array.from({ length: 200 }, (_, i) =>
      publish('dss/put/a', 'v', { qos: 1, id: i + 1 }),
    );
    client.send(Buffer.concat(puts));
    await settle();
    plane.commitAll();
    expect(ids(await client.all('puback'))).toHaveLength(200);
    expect(client.chunks).toBe(2); // CONNACK, and one piece with all PUBACKs
  });
});

describe('a QoS 0 put', () => {
  it('is stored although the client leaves at once, with or without DISCONNECT', async () => {
    const { plane, open } = await startBroker();
    plane.hold = true;
    for (const [key, goodbye] of [
      ['a', [DISCONNECT]],
      ['b', []],
    ] as const) {
      const client = open();
      client.send(connect({ clientId: key }), publish(`dss/put/${key}`, '1'), ...goodbye);
      client.end();
      await client.untilClosed();
    }
    plane.commitAll();
    expect([plane.value('a'), plane.value('b')]).toEqual(['1', '1']);
    expect(plane.forgotten.size).toBe(2);
  });
});

describe('a QoS 2 put', () => {
  it('gets PUBREC after its commit, PUBCOMP after PUBREL, and is written once', async () => {
    const { plane, client } = await holding();
    const put = publish('dss/put/a', '1', { qos: 2, id: 9 });
    client.send(put, put);
    expect(await client.all('pubrec')).toEqual([]);
    plane.commitAll();
    expect(ids(await client.all('pubrec'))).toEqual([9]);
    client.send(put);
    expect(ids(await client.all('pubrec'))).toEqual([9]);
    client.send(pubrel(9));
    expect(ids(await client.all('pubcomp'))).toEqual([9]);
    expect(plane.writes).toHaveLength(1);
    client.send(put);
    await settle();
    expect(plane.writes).toHaveLength(2);
  });

  it('is written once although its persistent session reconnects before the PUBREL', async () => {
    const { plane, connect: open } = await startBroker();
    const put = publish('dss/put/a', '1', { qos: 2, id: 9 });
    const first = await open({ clientId: 'p', clean: false });
    first.send(put);
    await first.take('pubrec');
    first.cut();
    const second = await open({ clientId: 'p', clean: false });
    second.send(put, pubrel(9));
    await second.take('pubrec');
    await second.take('pubcomp');
    expect(plane.writes).toHaveLength(1);
  });

  it('shares PUBREL with ordinary topics', async () => {
    const { connect: open } = await startBroker();
    const client = await open();
    client.send(publish('other/topic', 'x', { qos: 2, id: 5 }));
    await client.take('pubrec');
    client.send(pubrel(5));
    expect((await client.take('pubcomp')).id).toBe(5);
  });
});

describe('flow control', () => {
  it('stops reading while the data plane is full and goes on when it has drained', async () => {
    const { plane, client } = await holding();
    plane.room = false;
    client.send(publish('dss/put/a', '1', { qos: 1, id: 1 }));
    await settle();
    expect(client.held).toBe(true);
    client.send(publish('dss/put/b', '1', { qos: 1, id: 2 }));
    await settle();
    expect(plane.writes).toHaveLength(1);
    plane.room = true;
    plane.writes[0]?.sink.writesDrained();
    await settle();
    expect(client.held).toBe(false);
    expect(plane.writes).toHaveLength(2);
  });

  it('stops reading while the window is full', async () => {
    const { plane, connect: open } = await startBroker({ limits: { inflightPutsMax: 5 } });
    plane.hold = true;
    const client = await open();
    const puts = Array.from({ length: 12 }, (_, i) =>
      publish('dss/put/a', 'v', { qos: 1, id: i + 1 }),
    );
    client.send(Buffer.concat(puts));
    await settle();
    expect(plane.held).toHaveLength(5);
    plane.commitAll();
    expect(ids(await client.all('puback'))).toEqual([1, 2, 3, 4, 5]);
    expect(plane.held).toHaveLength(5);
    plane.commitAll();
    await settle();
    plane.commitAll();
    expect(ids(await client.all('puback'))).toEqual([6, 7, 8, 9, 10, 11, 12]);
  });

  it('takes no more than its budget from one connection in a turn', async () => {
    const { plane, connect: open } = await startBroker({ limits: { readBytesPerTurn: 1_000 } });
    const client = await open();
    const put = publish('dss/put/a', 'x'.repeat(87));
    expect(put.length).toBe(100);
    client.send(Buffer.concat(Array.from({ length: 100 }, () => put)));
    expect(plane.writes).toHaveLength(10);
    await settle(1);
    expect(plane.writes).toHaveLength(20);
    await settle(20);
    expect(plane.writes).toHaveLength(100);
  });

  it('stops reading a client that does not read its acknowledgements', async () => {
    const { plane, connect: open } = await startBroker({ limits: { outputBytesMax: 10_000 } });
    const client = await open();
    client.stopReading();
    let id = 0;
    while (!client.held && id < 60_000) {
      const puts = Array.from({ length: 1_000 }, () =>
        publish('dss/put/a', 'v', { qos: 1, id: (id += 1) }),
      );
      client.send(Buffer.concat(puts));
      await settle();
    }
    expect(client.held).toBe(true);
    const taken = plane.writes.length;
    client.send(publish('dss/put/late', 'v', { qos: 1, id: id + 1 }));
    await settle();
    expect(plane.writes).toHaveLength(taken);
    client.goOnReading();
    await settle(100);
    expect((await client.all('puback')).map((ack) => ack.id)).toContain(id + 1);
  });
});

describe('a put that fails', () => {
  it('closes after the jitter, with everything committed acknowledged and nothing else', async () => {
    const { plane, client, time } = await holding();
    for (let id = 1; id <= 3; id += 1) client.send(publish(`dss/put/k${id}`, 'v', { qos: 1, id }));
    await settle();
    const [first, second, third] = [...plane.held];
    plane.commit(third);
    plane.fail('no-quorum', first);
    client.send(publish('dss/put/late', 'v', { qos: 1, id: 4 }));
    expect(ids(await client.all('puback'))).toEqual([3]);
    plane.commit(second);
    time.advance(2_499);
    expect(ids(await client.all('puback'))).toEqual([2]);
    expect(client.closed).toBe(false);
    time.advance(1);
    await client.untilClosed();
    expect(plane.writes).toHaveLength(3);
    expect(client.received).toEqual([]);
  });

  it('at QoS 0 is only counted', async () => {
    const { plane, client, broker } = await holding();
    client.send(publish('dss/put/a', '1'));
    await settle();
    plane.fail('no-quorum');
    client.send(publish('dss/put/b', '1', { qos: 1, id: 1 }));
    await settle();
    plane.commitAll();
    await client.take('puback');
    expect(broker.counters().putsFailed).toBe(1);
  });
});

describe('the end of a connection', () => {
  it('drops puts without outcome when it breaks', async () => {
    const { plane, client, time, broker } = await holding();
    client.send(publish('dss/put/a', '1', { qos: 1, id: 1 }));
    await settle();
    client.cut();
    await settle();
    expect(plane.held).toEqual([]);
    expect(time.pending).toBe(IDLE_TIMERS);
    expect(broker.counters().connections).toBe(0);
  });

  it('lets puts run to their end after a DISCONNECT', async () => {
    const { plane, client } = await holding();
    client.send(publish('dss/put/a', '1', { qos: 1, id: 1 }), DISCONNECT);
    await client.untilClosed();
    expect(plane.held).toHaveLength(1);
    plane.commitAll();
    expect(plane.value('a')).toBe('1');
    expect(plane.forgotten.size).toBe(1);
  });
});

describe('close', () => {
  it('acknowledges what is committed, then closes', async () => {
    const { plane, client, broker, connect: open, time } = await holding();
    const idle = await open({ clientId: 'idle' });
    client.send(publish('dss/put/a', '1', { qos: 1, id: 1 }));
    client.send(publish('dss/put/b', '1', { qos: 1, id: 2 }));
    await settle();
    const closed = broker.close();
    await idle.untilClosed();
    expect(client.closed).toBe(false);
    plane.commit();
    plane.fail('stopping');
    await closed;
    expect(ids(await client.all('puback'))).toEqual([1]);
    expect(client.closed).toBe(true);
    expect(broker.counters().connections).toBe(0);
    expect(time.pending).toBe(0);
  });

  it('follows the last commit', async () => {
    const { plane, client, broker } = await holding();
    client.send(publish('dss/put/a', '1', { qos: 1, id: 1 }));
    await settle();
    const closed = broker.close();
    plane.commit();
    await closed;
    expect(ids(await client.all('puback'))).toEqual([1]);
  });

  it('does not wait for ever', async () => {
    const { client, broker, time } = await holding();
    client.send(publish('dss/put/a', '1', { qos: 1, id: 1 }));
    await settle();
    const closed = broker.close();
    time.advance(5_000);
    await closed;
    expect(client.received).toEqual([]);
  });
});
