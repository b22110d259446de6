import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ack5,
  byte,
  disconnect5,
  long,
  publish5,
  short,
  subscribe5,
  text,
  unsubscribe5,
  user,
} from '../../support/mqtt5-frames.ts';
import { settle, startBroker } from '../harness.ts';

const props = fc.subarray([
  byte(0x01, 1),
  long(0x02, 5),
  text(0x08, 'answers'),
  text(0x09, 'c'),
  short(0x23, 1),
  short(0x21, 3),
  user('ttl', '5'),
  user('time', 'x'),
]);
const topic = fc.constantFrom(
  'dss/put/a',
  'dss/get/a',
  'dss/cas/a',
  'dss/batch',
  'plain',
  '',
  '$SYS/a',
);
const id = fc.integer({ min: 0, max: 4 });
const packets = fc.oneof(
  fc
    .tuple(topic, fc.constantFrom('', 'v', '{}', '[]'), fc.integer({ min: 0, max: 3 }), id, props)
    .map(([to, payload, qos, packetId, some]) =>
      publish5(to, payload, { qos, id: packetId, props: some }),
    ),
  fc
    .tuple(id, fc.constantFrom('dss/value/#', '#', 'dss/put/a', '$share/g/a'), fc.nat(63))
    .map(([packetId, filter, options]) => subscribe5(packetId, [[filter, options]])),
  id.map((packetId) => unsubscribe5(packetId, '#', 'dss/value/#')),
  fc
    .tuple(fc.constantFrom(0x40, 0x50, 0x62, 0x70), id, fc.constantFrom(0, 0x10, 0x87, 0x92), props)
    .map(([header, packetId, code, some]) => ack5(header, packetId, code, some.slice(0, 1))),
  props.map((some) => disconnect5(4, some.slice(0, 1))),
  fc.uint8Array({ minLength: 2, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
);

describe('packets of MQTT 5 in any order, whole and broken', () => {
  it('never crash the broker or leave anything behind, and are answered with MQTT 5', async () => {
    const { broker, plane, connect5 } = await startBroker();
    await fc.assert(
      fc.asyncProperty(fc.array(packets, { maxLength: 8 }), fc.nat(), async (some, cutAt) => {
        const client = await connect5({ clientId: 'fuzz' });
        const bytes = Buffer.concat(some);
        const cut = bytes.length === 0 ? 0 : cutAt % bytes.length;
        client.send(bytes.subarray(0, cut), bytes.subarray(cut));
        await settle(5);
        client.cut();
        await client.untilClosed();
      }),
      { numRuns: 150 },
    );
    await settle();
    expect(broker.counters().connections).toBe(0);
    expect(plane.watches.size).toBe(0);
    const client = await connect5();
    client.send(publish5('dss/put/after', '1', { qos: 1, id: 1 }));
    expect(await client.take('puback')).toMatchObject({ code: 0 });
  });
});
