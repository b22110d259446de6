import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectMqtt, dssJson, gather, readAll } from './support/clients.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

/** With five nodes and three copies, most nodes are no replica of a given key. */
describe('five nodes', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 5, shards: 16 });
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  it('serve a key through a node that holds no copy of it', async () => {
    const key = 'far/away';
    const { replicas } = await cluster.where(0, key);
    expect(replicas).toHaveLength(3);
    const outsiders = cluster.nodes.filter(({ name }) => !replicas.includes(name));
    const [writer, reader] = outsiders as [(typeof outsiders)[0], (typeof outsiders)[0]];
    const watcher = await gather(reader, 'dss/value/far/#');
    const client = await connectMqtt(writer);
    for (let value = 1; value <= 20; value += 1) {
      await client.publishAsync(`dss/put/${key}`, String(value), { qos: 1 });
      // A process for each read would take long.
      if (value % 5 !== 0) continue;
      const got = await dssJson(['get', key, '--node', reader.mqttUrl]);
      expect(got).toMatchObject({ value: String(value) });
    }
    await watcher.until('the last', () => watcher.messages.at(-1)?.payload === '20');
    const payloads = watcher.messages.map(({ payload }) => Number(payload));
    expect(payloads).toEqual([...payloads].sort((a, b) => a - b));
    expect(await readAll(reader, 'far')).toEqual(new Map([[key, '20']]));
    await client.endAsync();
    await watcher.client.endAsync();
  });

  it('show a subscriber of any node what was acknowledged before it subscribed', async () => {
    const client = await connectMqtt(cluster.node(0));
    const keys = Array.from({ length: 100 }, (_, index) => `fresh/${index}`);
    await Promise.all(keys.map((key) => client.publishAsync(`dss/put/${key}`, key, { qos: 1 })));
    for (const node of cluster.nodes) {
      const reader = await gather(node, 'dss/value/fresh/#');
      await reader.until('every key', () => reader.messages.length >= keys.length);
      expect(new Set(reader.messages.map(({ payload }) => payload))).toEqual(new Set(keys));
      await reader.client.endAsync();
    }
    await client.endAsync();
  });
});
