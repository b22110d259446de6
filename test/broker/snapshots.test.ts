import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { connect, subscribe } from '../support/mqtt-frames.ts';
import { type Harness, settle, startBroker } from './harness.ts';

const KEYS = 3_000;
const PER_TURN = 100;

/**
 * A client whose socket takes every write at once, as a fast reader's does: it never makes anybody wait, so that
 * nothing but our own pace lets others in between.
 */
function eagerReader({ broker }: Harness, ...filters: [string, number][]): { bytes: number } {
  const seen = { bytes: 0 };
  const stream = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      seen.bytes += chunk.length;
      done();
    },
  });
  broker.handle(stream, '127.0.0.1:1');
  stream.push(Buffer.concat([connect({ clientId: filters.join() }), subscribe(1, ...filters)]));
  return seen;
}

/** How many deliveries leave between two looks at the event loop, at most, until all have left. */
async function mostInOneTurn({ broker }: Harness, total: number): Promise<number> {
  let most = 0;
  let before = broker.counters().deliveries;
  while (broker.counters().deliveries < total) {
    await new Promise((resolve) => setImmediate(resolve));
    const { deliveries } = broker.counters();
    most = Math.max(most, deliveries - before);
    before = deliveries;
  }
  return most;
}

async function stored(): Promise<Harness> {
  const harness = await startBroker({ limits: { bulkDeliveriesPerTurn: PER_TURN } });
  for (let i = 0; i < KEYS; i += 1) harness.plane.store(`k${i}`, 'v');
  return harness;
}

describe('a snapshot', () => {
  it.each(['value', 'watch'])('of dss/%s leaves in small parts, for all readers', async (form) => {
    const harness = await stored();
    const readers = ['#', '+', '+/#'].map((filter) =>
      eagerReader(harness, [`dss/${form}/${filter}`, 0]),
    );
    const most = await mostInOneTurn(harness, readers.length * KEYS);
    // Each reader that waits for the next turn has handed one more in; two turns may lie between two looks.
    expect(most).toBeLessThanOrEqual(2 * (PER_TURN + readers.length));
  });
});

describe('a backlog', () => {
  it('leaves in small parts too', async () => {
    const harness = await startBroker({ limits: { bulkDeliveriesPerTurn: PER_TURN } });
    const client = await harness.connect();
    client.send(subscribe(1, ['dss/value/#', 0]));
    await client.take('suback');
    client.stopReading();
    harness.plane.store('filler', 'x'.repeat(200_000));
    await settle();
    for (let i = 0; i < KEYS; i += 1) harness.plane.store(`k${i}`, 'v');
    expect(harness.broker.counters().deliveries).toBe(1);
    client.goOnReading();
    expect(await mostInOneTurn(harness, KEYS + 1)).toBeLessThanOrEqual(PER_TURN);
    expect(await client.all('publish')).toHaveLength(KEYS + 1);
  });
});
