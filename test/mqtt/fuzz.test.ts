import { connect as connectTcp } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listenTcp } from '../../broker/server.ts';
import { type Harness, startBroker } from '../broker/harness.ts';
import { SeededRandom } from '../support/random.ts';
import { Client } from './client.ts';
import { FUZZED_IDS, hostileBytes } from './fuzzing.ts';

// `DSS_FUZZ_SECONDS` makes it long, `DSS_FUZZ_SEED` repeats one: connection by connection the same bytes, though
// not in the same instants.
const seconds = Number(process.env.DSS_FUZZ_SECONDS ?? 3);
const seed = Number(process.env.DSS_FUZZ_SEED ?? Date.now() % 1e9);
const AT_A_TIME = 8;
const CHECK_EVERY = 100;
/** What may stay behind once the sessions are gone: what is retained under a few names, and warm code. */
const GROWTH_MAX_BYTES = 48 * 1024 * 1024;

const uncaught: unknown[] = [];
const onUncaught = (error: unknown) => void uncaught.push(error);
beforeEach(() => {
  process.on('uncaughtException', onUncaught).on('unhandledRejection', onUncaught);
});
afterEach(() => {
  process.off('uncaughtException', onUncaught).off('unhandledRejection', onUncaught);
});

it(`survives hostile clients, seed ${seed}`, { timeout: (seconds + 60) * 1_000 }, async () => {
  const harness = await startBroker({}, { random: new SeededRandom(seed) });
  const { broker, time, plane, events } = harness;
  const listener = await listenTcp(broker, { host: '127.0.0.1', port: 0 });
  const good = await (await Client.open(listener.address, 4)).login({ id: 'well-behaved' });
  await good.subscribe('beside', 1);
  const before = usedBytes();
  const endMs = performance.now() + seconds * 1_000;

  let count = 0;
  while (performance.now() < endMs && uncaught.length === 0) {
    const group = Array.from({ length: AT_A_TIME }, () => {
      count += 1;
      return abuse(listener.address, new SeededRandom(seed + count));
    });
    await Promise.all(group);
    time.advance(100);
    if (count % CHECK_EVERY < AT_A_TIME) await expectServed(good, count);
    // The stand-ins remember everything.
    plane.forgetPast();
    events.length = 0;
  }
  expect(uncaught, `by connection ${count} of seed ${seed}`).toEqual([]);
  await expectServed(good, count);
  await othersEnd(harness);
  await discardSessions(listener.address);
  const grown = usedBytes() - before;
  console.info(`${count} hostile connections, ${Math.round(grown / 1024)} KiB more`);
  expect(grown, `after ${count} connections`).toBeLessThan(GROWTH_MAX_BYTES);

  good.cut();
  const closed = Promise.all([broker.close(), listener.close()]);
  time.advance(60_000);
  await closed;
});

/** One hostile connection. Resolves when it is over on the client's side. */
function abuse(address: { host: string; port: number }, random: SeededRandom): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTcp({ ...address, noDelay: true });
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    if (random.chance(0.8)) socket.resume();
    const pieces = hostileBytes(random);
    const leave = random.pick(['end', 'cut'] as const);
    const next = () => {
      if (socket.destroyed) return;
      const piece = pieces.shift();
      if (piece !== undefined) {
        socket.write(piece, next);
        return;
      }
      // Who did not read so far does so in the end, or would never see the end.
      socket.resume();
      if (leave === 'cut') setImmediate(() => socket.destroy());
      else socket.end();
    };
    socket.once('connect', next);
  });
}

async function expectServed(good: Client, count: number): Promise<void> {
  await good.publish('beside', `${count}`);
  expect((await good.receive()).payload).toBe(`${count}`);
  await good.publish(`dss/put/beside`, `${count}`);
  expect(await good.ping()).toEqual([]);
}

/** Whatever connections do, they are over for the broker when the clients are gone and time has passed. */
async function othersEnd({ broker, time }: Harness): Promise<void> {
  for (let i = 0; i < 200 && broker.counters().connections > 1; i += 1) {
    time.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(broker.counters().connections).toBe(1);
}

/** A session that is away queues what it subscribed to; that is no leak, and ends with it. */
async function discardSessions(address: { host: string; port: number }): Promise<void> {
  for (const id of FUZZED_IDS) {
    const client = await (await Client.open(address, 4)).login({ id, clean: true });
    await client.leave();
  }
}

function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
