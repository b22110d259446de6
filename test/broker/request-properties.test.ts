import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PINGREQ, publish, subscribe } from '../support/mqtt-frames.ts';
import { type RawClient, settle, startBroker } from './harness.ts';

/** A good payload of every verb that reads one. */
const GOOD = {
  'dss/get/k': { id: 1, consistency: 'eventual', at: '2026-01-01T00:00:00Z', reply: 'r' },
  'dss/cas/k': { id: 'a', if: null, value: { on: true }, ttl: 1.5 },
  'dss/list/p': { id: 2, after: 'p/a', limit: 10, values: true },
  'dss/range': { from: 'a', to: 'b', limit: 10, reverse: true, after: 'a' },
  'dss/history/k': { from: 0, to: 1e15, limit: 10, order: 'asc', after: '5' },
  'dss/batch/p': [
    { key: 'a', value: 1, time: 1_700_000_000_000, ttl: 5 },
    { key: 'b', base64: 'AA==' },
  ],
} as const;
const topics = Object.keys(GOOD) as (keyof typeof GOOD)[];

const names = [
  'id',
  'if',
  'value',
  'base64',
  'delete',
  'ttl',
  'time',
  'key',
  'at',
  'after',
  'limit',
].concat(['from', 'to', 'order', 'reverse', 'values', 'consistency', 'reply', '__proto__']);

/** JSON texts, among them those that `JSON.stringify` never writes. */
const oddText = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  fc.constantFrom('1e999', '-1e999', '-0', '1e-400', '123456789012345678901234567890', '0.1e-7'),
  fc.constantFrom('"\\ud800"', '"\\udc00x"', '"\\u0000"', '""', '"+"', '"dss/reply/me"', '"$x"'),
  fc.constantFrom('null', 'true', '{"__proto__":null}', '{"constructor":1}', '[[]]'),
  fc.integer({ min: 1, max: 3_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc
    .integer({ min: 1, max: 3_000 })
    .map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  fc.string({ unit: 'binary', maxLength: 300 }).map((text) => JSON.stringify(text)),
);

/** Replaces, adds or repeats members of a JSON object, as text. */
function withMembers(good: object, changes: readonly (readonly [string, string])[]): string {
  const changed = new Set(changes.map(([name]) => name));
  const kept = Object.entries(good).filter(([name], i) => !changed.has(name) || i % 2 === 0);
  const members = kept.map(([name, value]) => [name, JSON.stringify(value)] as const);
  const texts = [...members, ...changes].map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  return `{${texts.join(',')}}`;
}

const changesOf = fc.array(fc.tuple(fc.constantFrom(...names), oddText), { maxLength: 3 });

const publication = fc.tuple(fc.constantFrom(...topics), changesOf).map(([topic, changes]) => {
  const good: unknown = GOOD[topic];
  if (!Array.isArray(good)) return { topic, text: withMembers(good as object, changes) };
  const elements = good.map((element) => withMembers(element, changes));
  return { topic, text: `[${elements.join(',')}]` };
});

const damage = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.boolean() }) },
);

function damaged(
  text: string,
  how: { at: number; byte: number; cut: boolean } | undefined,
): Buffer {
  const bytes = Buffer.from(text);
  if (how === undefined) return bytes;
  const at = how.at % (bytes.length + 1);
  if (how.cut) return bytes.subarray(0, at);
  return Buffer.concat([bytes.subarray(0, at), Buffer.of(how.byte), bytes.subarray(at + 1)]);
}

/** Whether the answer goes to an ordinary topic that the request names. */
function answersElsewhere(payload: Buffer): boolean {
  try {
    const { reply } = JSON.parse(payload.toString()) ?? {};
    return typeof reply === 'string' && reply !== 'dss/reply/me';
  } catch {
    return false;
  }
}

async function asker(): Promise<{ client: RawClient; refusedCount: () => number }> {
  const { connect, broker } = await startBroker();
  const client = await connect({ clientId: 'asker' });
  client.send(subscribe(1, ['dss/reply/me', 0], ['dss/error/me', 0]));
  await client.take('suback');
  const refusedCount = () =>
    Object.values(broker.counters().refused).reduce((sum, count) => sum + count, 0);
  return { client, refusedCount };
}

describe('whatever is asked', () => {
  it('gets an answer or a report, and the connection stays usable', async () => {
    const { client, refusedCount } = await asker();
    await fc.assert(
      fc.asyncProperty(publication, damage, async ({ topic, text }, how) => {
        const payload = damaged(text, how);
        const refusedBefore = refusedCount();
        client.send(publish(topic, payload, { qos: 1, id: 7 }), PINGREQ);
        await client.take('puback');
        await client.take('pingresp');
        await settle(2);
        const said = client.received.splice(0);
        if (refusedCount() > refusedBefore) {
          expect(said).toMatchObject([{ type: 'publish', topic: 'dss/error/me' }]);
        } else if (topic.startsWith('dss/batch') || answersElsewhere(payload)) {
          expect(said).toEqual([]);
        } else {
          expect(said).toMatchObject([{ type: 'publish', topic: 'dss/reply/me' }]);
        }
        for (const message of said) {
          if (message.type !== 'publish') continue;
          expect(JSON.parse(message.payload)).toBeTypeOf('object');
          expect(message.payload.length).toBeLessThan(10_000);
        }
      }),
      { numRuns: 500 },
    );
  });
});
