import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { connectMqtt, gather } from './clients.ts';
import { parsed } from './contract-scenario.ts';
import { PatientClient } from './patient-client.ts';
import type { ClusterNode } from './test-cluster.ts';

/** Refusals are acknowledged, reported to the connection, and nothing is stored. */
export async function expectRefusals(node: ClusterNode, prefix: string): Promise<void> {
  const client = await PatientClient.connect([node]);
  const refused = async (topic: string, payload: string | Uint8Array, report: object) => {
    await client.publish(topic, payload);
    await eventually(`a report on ${topic.slice(0, 60)}`, () =>
      client.reports.length > 0 ? true : undefined,
    );
    expect(client.reports.splice(0)).toEqual([expect.objectContaining(report)]);
  };
  const key = `${prefix}/refused`;
  await refused(`dss/puts/${key}`, 'x', { code: 'UNKNOWN_VERB', topic: `dss/puts/${key}` });
  await refused(`dss/query/${key}`, '{}', { code: 'NOT_SUPPORTED' });
  await refused(`dss/value/${key}`, 'x', { code: 'RESERVED_TOPIC' });
  await refused(`dss/watch/${key}`, 'x', { code: 'RESERVED_TOPIC' });
  await refused(`dss/put/${'k'.repeat(1_025)}`, 'x', { code: 'INVALID_KEY' });
  await refused('dss/put/', 'x', { code: 'INVALID_KEY' });
  await refused(`dss/put/${key}`, Buffer.alloc(1024 * 1024 + 1), { code: 'VALUE_TOO_LARGE' });
  await refused(`dss/list/${prefix}`, '{"id":8,"limit":0}', { code: 'INVALID_REQUEST', id: 8 });
  await refused(`dss/get/${key}`, 'now', { code: 'MALFORMED_JSON' });
  await refused(`dss/get/${key}`, '{"att":1}', { code: 'INVALID_REQUEST' });
  await refused(`dss/cas/${key}`, '{"value":1}', { code: 'INVALID_REQUEST' });
  await refused(`dss/cas/${key}`, '{"if":null,"delete":true,"ttl":1}', { code: 'INVALID_REQUEST' });
  await refused(`dss/batch/${prefix}`, '{}', { code: 'MALFORMED_JSON' });
  await refused(`dss/batch/${prefix}`, Buffer.of(8, 1, 0xff), { code: 'MALFORMED_PROTOBUF' });
  const elements = [
    { key: 'refused', value: 1 },
    { key: 'refused', ttl: -1, value: 2 },
  ];
  const message = expect.stringMatching(/element 1 /);
  await refused(`dss/batch/${prefix}`, JSON.stringify(elements), {
    code: 'INVALID_REQUEST',
    message,
  });
  expect(await client.ask(`get/${key}`)).toMatchObject({ ok: false, error: 'NOT_FOUND' });
  await client.close();
}

/** An answer on an ordinary topic, which is not retained. */
export async function expectReplyElsewhere(node: ClusterNode, key: string): Promise<void> {
  const answers = await gather(node, 'answers/+');
  const asking = await connectMqtt(node);
  await asking.publishAsync(`dss/get/${key}`, '{"reply":"answers/7"}', { qos: 1 });
  await answers.until('the answer', () => answers.messages.length > 0);
  const [answer] = answers.messages;
  expect(answer).toMatchObject({ topic: 'answers/7', retain: false });
  expect(parsed(answer)).toMatchObject({ op: 'get', key, ok: true });
  for (const each of [asking, answers.client]) await each.endAsync();
}

/** Nobody is told, but it is stored, and answered, all the same. */
export async function expectQosZero(
  door: ClusterNode,
  window: ClusterNode,
  prefix: string,
): Promise<void> {
  const key = `zero/${prefix}`;
  const follower = await gather(window, `dss/value/${key}`);
  const asking = await gather(door, 'dss/reply/me');
  asking.client.publish(`dss/put/${key}`, '0', { qos: 0 });
  await follower.until('the value', () => follower.messages.length > 0);
  asking.client.publish(`dss/cas/${key}`, '{"if":1,"value":1}', { qos: 0 });
  asking.client.publish(`dss/get/${key}`, '', { qos: 0 });
  await asking.until('two answers', () => asking.messages.length === 2);
  const answers = asking.messages.map(parsed);
  expect(answers).toContainEqual(expect.objectContaining({ op: 'get', key, value: '0' }));
  expect(answers).toContainEqual(
    expect.objectContaining({ op: 'cas', key, ok: false, error: 'VERSION_MISMATCH' }),
  );
  for (const each of [asking, follower]) await each.client.endAsync();
}
