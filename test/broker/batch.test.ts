import { describe, expect, it } from 'vitest';
import { unixMsToVersion } from '../../broker/data-plane.ts';
import { encode, kv } from '../../protos/index.ts';
import { publish, subscribe } from '../support/mqtt-frames.ts';
import { settle, startBroker } from './harness.ts';

async function gateway() {
  const harness = await startBroker();
  const client = await harness.connect({ clientId: 'gateway' });
  client.send(subscribe(1, ['dss/error/me', 0]));
  await client.take('suback');
  const send = (topic: string, payload: object | string | Uint8Array, id = 7) => {
    const isRaw = typeof payload === 'string' || payload instanceof Uint8Array;
    client.send(publish(topic, isRaw ? payload : JSON.stringify(payload), { qos: 1, id }));
  };
  return { ...harness, client, send };
}

const TIME_MS = Date.UTC(2024, 5, 1);

describe('dss/batch', () => {
  it('writes each element of a JSON array, relative to the prefix, with its event time', async () => {
    const { plane, client, send } = await gateway();
    send('dss/batch/plant1', [
      { key: 'temp', value: '21.5', time: TIME_MS },
      { key: 'raw', base64: '/wA=', time: '2024-06-01T00:00:00Z' },
      { key: 'state', value: { on: true, list: [1] } },
      { key: 'count', value: 3 },
      { key: 'gone', delete: true },
    ]);
    expect((await client.take('puback')).id).toBe(7);
    const version = unixMsToVersion(TIME_MS);
    expect(
      plane.writes.map(({ key, value, time }) => [key, value.toString('latin1'), time]),
    ).toEqual([
      ['plant1/temp', '21.5', version],
      ['plant1/raw', '\u00ff\u0000', version],
      ['plant1/state', '{"on":true,"list":[1]}', 0],
      ['plant1/count', '3', 0],
      ['plant1/gone', '', 0],
    ]);
  });

  it('lets a value expire after its ttl, to the millisecond', async () => {
    const { plane, client, send } = await gateway();
    send('dss/batch', [
      { key: 'a', value: 1, ttl: 3_600 },
      { key: 'b', base64: '/w==', ttl: 0.25 },
      { key: 'c', value: 1 },
    ]);
    await client.take('puback');
    expect(plane.writes.map(({ ttlMs }) => ttlMs)).toEqual([3_600_000, 250, 0]);
  });

  it('counts event times that cannot be, and takes the readings all the same', async () => {
    const { plane, client, send, broker, time } = await gateway();
    const nowMs = 1_700_000_000_000 + time.nowMs;
    const times = [nowMs, nowMs + 60_000, nowMs + 60_001, Date.UTC(2019, 11, 31), 0];
    send(
      'dss/batch',
      times.map((ms) => ({ key: 'a', value: 1, time: ms })),
    );
    await client.take('puback');
    expect(broker.counters().timesNotBelieved).toBe(3);
    const readings = [
      { key: 'a', value: Buffer.of(1), timeMs: Number.MAX_SAFE_INTEGER },
      { key: 'a', value: Buffer.of(1), timeMs: 5 },
      { key: 'a', value: Buffer.of(1) },
    ];
    send('dss/batch', encode(kv.DeviceBatch, { format: 1, readings }), 8);
    await client.take('puback');
    expect(broker.counters().timesNotBelieved).toBe(5);
    expect(plane.writes.map((write) => write.time)).toEqual([
      ...[nowMs, nowMs + 60_000, nowMs + 60_001].map(unixMsToVersion),
      ...[0, 0, 0, 0, 0],
    ]);
  });

  it('takes a DeviceBatch, and keys from the root without a prefix', async () => {
    const { plane, client, send } = await gateway();
    const readings = [
      { key: 'a/b', value: Buffer.from('1'), timeMs: TIME_MS },
      { key: '/slash', value: Buffer.from('2') },
    ];
    send('dss/batch', encode(kv.DeviceBatch, { format: 1, readings }));
    await client.take('puback');
    expect(plane.writes.map(({ key, time }) => [key, time])).toEqual([
      ['a/b', unixMsToVersion(TIME_MS)],
      ['/slash', 0],
    ]);
  });

  it('is acknowledged when all of it is committed, not before', async () => {
    const { plane, client, send } = await gateway();
    plane.hold = true;
    send('dss/batch', [
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ]);
    await settle();
    plane.commit();
    await settle();
    expect(client.received.filter(({ type }) => type === 'puback')).toEqual([]);
    plane.commit();
    expect((await client.take('puback')).id).toBe(7);
  });

  it('is never acknowledged when a part of it fails', async () => {
    const { plane, client, send, time } = await gateway();
    plane.hold = true;
    send('dss/batch', [
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ]);
    await settle();
    plane.commit();
    plane.fail('no-quorum');
    await settle();
    time.advance(10_000);
    await settle();
    expect(client.closed).toBe(true);
    expect(client.received.filter(({ type }) => type === 'puback')).toEqual([]);
  });

  it('that is empty is acknowledged', async () => {
    const { client, send } = await gateway();
    send('dss/batch', []);
    await client.take('puback');
  });

  it.each([
    ['{"key":"a"}', 'MALFORMED_JSON', /must be a JSON array/],
    ['[{"key":"a","value":1}', 'MALFORMED_JSON', /is not JSON/],
    [
      [{ key: 'a', value: '1' }, 7],
      'INVALID_REQUEST',
      /element 1 of the batch: it must be an object/,
    ],
    [[{ key: 'a' }], 'INVALID_REQUEST', /element 0 .* exactly one of/],
    [[{ key: 'a', value: 1, delete: true }], 'INVALID_REQUEST', /exactly one of/],
    [[{ key: '', value: 1 }], 'INVALID_REQUEST', /the key is empty/],
    [[{ key: 'a/+', value: 1 }], 'INVALID_REQUEST', /without "\+", "#" and U\+0000/],
    ['[{"key":"\\ud800","value":1}]', 'INVALID_REQUEST', /of Unicode characters/],
    [[{ key: 'k'.repeat(1_020), value: 1 }], 'INVALID_REQUEST', /has 1027 bytes; at most 1024/],
    [[{ key: 'a', base64: '???' }], 'INVALID_REQUEST', /base64 with padding/],
    [[{ key: 'a', value: 1, time: '2024-06-01' }], 'INVALID_REQUEST', /"time" must be/],
    [
      [{ key: 'a', value: 1, keep: 5 }],
      'INVALID_REQUEST',
      /unknown member "keep"; allowed are key/,
    ],
    [[{ key: 'a', value: 1, ttl: 0 }], 'INVALID_REQUEST', /"ttl" must be a number of seconds/],
    [[{ key: 'a', delete: true, ttl: 5 }], 'INVALID_REQUEST', /"ttl" goes with a value/],
    ['[{"key":"a","value":[1e999]}]', 'INVALID_REQUEST', /a number that a double cannot hold/],
    ['[{"key":"a","value":"\\udc00"}]', 'INVALID_REQUEST', /"value" must be .* Unicode/],
    [
      `[{"key":"a","value":${'['.repeat(20_000)}${']'.repeat(20_000)}}]`,
      'INVALID_REQUEST',
      /more than 100 levels/,
    ],
    [Uint8Array.of(0x08, 0x01, 0x12, 0x05, 0x0a), 'MALFORMED_PROTOBUF', /no DeviceBatch/],
    [Uint8Array.of(0x08, 0x02), 'MALFORMED_PROTOBUF', /format 2; known is 1/],
  ])('refuses %j whole, acknowledged and reported', async (payload, code, message) => {
    const { plane, client, send } = await gateway();
    send('dss/batch/prefix', payload);
    const report = JSON.parse((await client.take('publish')).payload);
    expect(report).toMatchObject({ code, message: expect.stringMatching(message) });
    await client.take('puback');
    expect(plane.writes).toEqual([]);
  });

  it('that is not committed when its client is lost is forgotten', async () => {
    const { plane, client, send } = await gateway();
    plane.hold = true;
    send('dss/batch', [{ key: 'a', value: '1' }]);
    await settle();
    client.cut();
    await settle();
    expect(plane.held).toEqual([]);
  });
});
