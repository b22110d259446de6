import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { listenTcp } from '../../broker/server.ts';
import { startBroker } from '../broker/harness.ts';
import { settled } from '../support/settled.ts';
import { Client } from './client.ts';

const COUNT = 501;
const AT_A_TIME = 50;
/** What one more connection takes, with its client and the socket between them in this same process. */
const EACH_MAX_BYTES = 40 * 1024;

it('a crowd is served, each of it, within its limits and little memory', async () => {
  const harness = await startBroker({ limits: { connectionsMax: COUNT + 1 } });
  const { broker, time } = harness;
  const listener = await listenTcp(broker, { host: '127.0.0.1', port: 0 });
  const open = async (id: string) =>
    (await Client.open(listener.address, 4)).login({ id, keepAliveSeconds: 60 });
  const join = async (index: number) => {
    const member = await open(`member-${index}`);
    await member.subscribe(`to/${index}`, 1);
    return member;
  };
  const speaker = await open('speaker');
  // Whoever is the first makes the code warm.
  const crowd = [await join(0)];
  const before = usedBytes();

  for (let first = 1; first < COUNT; first += AT_A_TIME) {
    const some = Array.from({ length: AT_A_TIME }, (_, index) => join(first + index));
    crowd.push(...(await Promise.all(some)));
  }
  await settled();
  const eachBytes = (usedBytes() - before) / (COUNT - 1);
  expect(broker.counters().connections).toBe(COUNT + 1);
  await expect(open('one too many')).rejects.toThrow('CONNACK 3');

  for (const index of crowd.keys()) await speaker.publish(`to/${index}`, `for ${index}`);
  const hear = async (member: Client, index: number) => {
    expect((await member.receive()).payload).toBe(`for ${index}`);
    // Nothing else, and its PUBACK is read.
    expect(await member.ping()).toEqual([]);
  };
  await Promise.all(crowd.map(hear));
  expect(eachBytes).toBeLessThan(EACH_MAX_BYTES);

  time.advance(80_000);
  const [alive, silent] = [[speaker, ...crowd.slice(0, COUNT / 2)], crowd.slice(COUNT / 2)];
  await Promise.all(alive.map((each) => each.ping()));
  time.advance(10_000);
  await Promise.all(silent.map((each) => each.closed()));
  expect(broker.counters().connections).toBe(alive.length);

  for (const each of alive) each.cut();
  await Promise.all([broker.close(), listener.close()]);
});

function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
