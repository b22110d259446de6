import { describe, expect, it } from 'vitest';
import { subscribe, unsubscribe } from '../support/mqtt-frames.ts';
import { type RawClient, settle, startBroker } from './harness.ts';

const start = () => startBroker({ limits: { watchesMax: 3 } });

async function ask(client: RawClient, id: number, ...filters: string[]) {
  client.send(subscribe(id, ...filters.map((filter) => [filter, 0] as const)));
  return (await client.take('suback')).codes;
}

describe('a connection', () => {
  it('has a limited number of subscriptions to values; more are refused and reported', async () => {
    const { connect, plane, broker } = await start();
    const client = await connect();
    expect(await ask(client, 1, 'dss/error/me', 'dss/value/a', 'ordinary/#')).toEqual([0, 0, 0]);
    expect(await ask(client, 2, 'dss/watch/b', '#', 'dss/value/c', 'other')).toEqual([
      0, 0, 0x80, 0,
    ]);
    expect(plane.watches.size).toBe(3);
    const [report] = await client.all('publish');
    expect(JSON.parse(report?.payload ?? '')).toMatchObject({
      code: 'TOO_MANY_WATCHES',
      topic: 'dss/value/c',
    });
    expect(broker.counters().refused).toEqual({ TOO_MANY_WATCHES: 1 });
  });

  it('may subscribe again to what it has, and to something else when it has left something', async () => {
    const { connect, plane } = await start();
    const client = await connect();
    const filters = ['dss/value/a', 'dss/value/b', 'dss/value/c'];
    expect(await ask(client, 1, ...filters)).toEqual([0, 0, 0]);
    expect(await ask(client, 2, ...filters)).toEqual([0, 0, 0]);
    expect(await ask(client, 3, 'dss/value/d')).toEqual([0x80]);
    client.send(unsubscribe(4, 'dss/value/a'));
    await client.take('unsuback');
    expect(await ask(client, 5, 'dss/value/d')).toEqual([0]);
    expect(plane.watches.size).toBe(3);
  });

  it('does not get past the limit by asking faster than it is answered', async () => {
    const { connect, plane } = await start();
    const client = await connect();
    const names = (first: string) => [1, 2, 3].map((i) => `dss/value/${first}${i}`);
    const all = (id: number, first: string) =>
      subscribe(id, ...names(first).map((filter) => [filter, 0] as const));
    for (let round = 0; round < 3; round += 1) {
      client.send(all(1, 'a'), unsubscribe(2, ...names('a')), all(3, 'a'), all(4, 'b'));
      await settle();
      expect(plane.watches.size).toBeLessThanOrEqual(3);
    }
    const codes = (await client.all('suback')).map((suback) => suback.codes[0]);
    expect(codes.filter((code) => code === 0x80)).toHaveLength(3);
  });

  it('gets of a session what the limit allows', async () => {
    const { connect, plane } = await start();
    const session = { clientId: 's', clean: false };
    const client = await connect(session);
    await ask(client, 1, 'dss/value/a', 'dss/value/b', 'dss/value/c', 'dss/value/d');
    client.cut();
    await settle();
    expect(plane.watches.size).toBe(0);
    await connect(session);
    await settle();
    expect([...plane.watches].map(({ filter }) => filter)).toEqual(['a', 'b', 'c']);
  });
});
