import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode, raft } from '../../protos/index.ts';
import { eventually } from '../support/eventually.ts';
import { connectMqtt, dssJson, gather, publish, subscribe } from './support/clients.ts';
import { dss } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

/** The main job on three real processes, with the clients that users have. Nothing is killed here. */
describe('three nodes', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  it('gives what was published on one node to mosquitto_sub on another', async () => {
    const [n1, n2, n3] = [cluster.node(0), cluster.node(1), cluster.node(2)];
    const put = await publish(n1, 'dss/put/plant1/line3/dev42/temp', '21.5');
    expect(put).toMatchObject({ code: 0 });

    const all = subscribe(n2, 'dss/value/plant1/#');
    const one = subscribe(n3, 'dss/value/plant1/+/dev42/+');
    await all.line(/^1\|dss\/value\/plant1\/line3\/dev42\/temp\|21\.5$/);
    await one.line(/^1\|dss\/value\/plant1\/line3\/dev42\/temp\|21\.5$/);

    await publish(n3, 'dss/put/plant1/line3/dev42/temp', '22.0');
    await all.line(/^0\|dss\/value\/plant1\/line3\/dev42\/temp\|22\.0$/);
    await one.line(/^0\|dss\/value\/plant1\/line3\/dev42\/temp\|22\.0$/);

    await publish(n2, 'dss/put/plant1/line3/dev42/temp', '');
    await all.line(/^0\|dss\/value\/plant1\/line3\/dev42\/temp\|(\(null\))?$/);
    await one.line(/^0\|dss\/value\/plant1\/line3\/dev42\/temp\|(\(null\))?$/);
    const gone = await dss(['get', 'plant1/line3/dev42/temp', '--node', n1.mqttUrl]);
    expect(gone.code).toBe(3);
    all.child.kill();
    one.child.kill();
  });

  it.each(['/esp/temp', 'a//b', 'räume/küche 1', '$x/y', 'end/'])(
    "keeps the key '%s' through every door",
    async (key) => {
      const [n1, n2, n3] = [cluster.node(0), cluster.node(1), cluster.node(2)];
      const client = await connectMqtt(n2);
      const writers = [
        () => publish(n1, `dss/put/${key}`, 'mosquitto'),
        () => client.publishAsync(`dss/put/${key}`, 'mqttjs', { qos: 1 }),
        () => dss(['put', key, 'cli', '--node', n3.mqttUrl]),
      ];
      for (const [index, value] of ['mosquitto', 'mqttjs', 'cli'].entries()) {
        await writers[index]?.();
        const reader = subscribe(n3, `dss/value/${key}`, '-C', '1');
        await reader.line(new RegExp(`\\|${value}$`));
        expect(reader.stdout[0]).toBe(`1|dss/value/${key}|${value}`);
        const got = await dssJson(['get', key, '--node', n1.mqttUrl]);
        expect(got).toMatchObject({ key, value });
      }
      const everything = await dss(['list', '--all', '--node', n2.mqttUrl]);
      expect(everything.stdout.split('\n')).toContain(key);
      await client.endAsync();
    },
  );

  it('stores at QoS 0 and 2 as well', async () => {
    const n1 = cluster.node(0);
    await publish(n1, 'dss/put/qos/two', '2', '-q', '2');
    await publish(n1, 'dss/put/qos/zero', '0', '-q', '0');
    const two = await dssJson(['get', 'qos/two', '--node', cluster.node(1).mqttUrl]);
    expect(two).toMatchObject({ value: '2' });
    await eventually('the QoS 0 put is stored', async () => {
      const { code } = await dss(['get', 'qos/zero', '--node', cluster.node(2).mqttUrl]);
      return code === 0 ? true : undefined;
    });
  });

  it('shows a wildcard nothing of the cluster, no requests and no answers', async () => {
    const n1 = cluster.node(0);
    const everything = await gather(n1, '#');
    const underDss = await gather(n1, 'dss/#');
    const trap = await gather(n1, '+/cluster/#');
    const client = await connectMqtt(n1);
    const keys = Array.from({ length: 50 }, (_, index) => `busy/${index}`);
    await Promise.all(keys.map((key) => client.publishAsync(`dss/put/${key}`, 'x', { qos: 1 })));
    await client.publishAsync('dss/get/busy/1', '{"id":"1"}', { qos: 1 });
    await dss(['get', 'busy/2', '--node', n1.mqttUrl]);
    await client.publishAsync('ordinary/cluster/end', 'e', { qos: 1 });

    for (const { messages, until } of [everything, underDss]) {
      const seen = (): Set<string> => new Set(messages.map((message) => message.topic));
      await until('every value', () => keys.every((key) => seen().has(`dss/value/${key}`)));
    }
    await everything.until('the ordinary topic', () =>
      everything.messages.some(({ topic }) => topic === 'ordinary/cluster/end'),
    );
    await trap.until('the ordinary topic', () => trap.messages.length > 0);
    expect(trap.messages.map(({ topic }) => topic)).toEqual(['ordinary/cluster/end']);
    for (const { messages } of [everything, underDss]) {
      const strange = messages
        .map(({ topic }) => topic)
        .filter((topic) => topic.startsWith('dss/') && !/^dss\/(value|sys)\//.test(topic));
      expect(strange).toEqual([]);
    }
    for (const { client } of [everything, underDss, trap]) await client.endAsync();
    await client.endAsync();
  });

  it('changes nothing when somebody publishes to dss/value', async () => {
    const n1 = cluster.node(0);
    const watcher = await gather(n1, 'dss/value/forged/#');
    const refused = await gather(n1, 'dss/error/me');
    await refused.client.publishAsync('dss/value/forged/x', '1', { qos: 1, retain: true });
    await refused.until('the report', () => refused.messages.length > 0);
    expect(JSON.parse(refused.messages[0]?.payload ?? '')).toMatchObject({
      code: 'RESERVED_TOPIC',
      topic: 'dss/value/forged/x',
    });
    await publish(n1, 'dss/put/forged/end', 'e');
    await watcher.until('the end', () => watcher.messages.length > 0);
    expect(watcher.messages.map(({ topic }) => topic)).toEqual(['dss/value/forged/end']);
    const got = await dss(['get', 'forged/x', '--node', n1.mqttUrl]);
    expect(got.code).toBe(3);
    await watcher.client.endAsync();
    await refused.client.endAsync();
  });

  it("takes no notice of a stranger's Raft message", async () => {
    const n1 = cluster.node(0);
    const before = await cluster.status(0);
    const [victim] = before.shards.filter((shard) => shard.local);
    const envelope = encode(raft.RaftEnvelope, {
      format: 1,
      fromNode: before.nodes[1]?.id ?? '',
      startCounter: 1,
      syncedRound: 1,
      messages: [
        {
          group: victim?.group ?? 1,
          fromReplica: 2,
          toReplica: 1,
          type: raft.MessageType.APPEND_REQUEST,
          term: 1_000,
        },
      ],
    });
    const stranger = await connectMqtt(n1);
    const topic = `dss/cluster/${before.cluster.id}/node/${before.node.id}/raft`;
    await stranger.publishAsync(topic, Buffer.from(envelope), { qos: 1 });
    await stranger.endAsync();
    const username = `dss-node/${before.nodes[1]?.id}`;
    const impostor = connectMqtt(n1, { username, password: randomBytes(32).toString('hex') });
    await expect(impostor).rejects.toThrow(/not authorized/i);

    await publish(n1, 'dss/put/after/stranger', '1');
    const after = await cluster.status(0);
    expect(after.shards.map((shard) => shard.term)).toEqual(
      before.shards.map((shard) => shard.term),
    );
  });

  it('reads the past and ranges of keys on another node', async () => {
    const [n1, n2, n3] = [cluster.node(0), cluster.node(1), cluster.node(2)];
    for (const value of ['1', '2', '3']) await publish(n1, 'dss/put/past/b', value);
    await publish(n1, 'dss/put/past/a', 'A');
    await publish(n1, 'dss/put/past/c', 'C');
    const linesOf = async (...args: string[]): Promise<Record<string, unknown>[]> => {
      const { stdout } = await dss([...args, '--all', '--json', '--node', n2.mqttUrl]);
      return stdout.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    };

    const history = await linesOf('history', 'past/b');
    expect(history.map(({ value }) => value)).toEqual(['3', '2', '1']);
    expect(await linesOf('history', 'past/b', '--limit', '1')).toEqual(history);
    const upwards = await linesOf('history', 'past/b', '--order', 'asc', '--limit', '1');
    expect(upwards).toEqual(history.toReversed());
    const [, second, first] = history.map(({ time }) => String(time)) as [string, string, string];
    expect(await linesOf('history', 'past/b', '--from', first, '--to', second)).toEqual([
      history[2],
    ]);
    const at = (time: number) => dss(['get', 'past/b', '--at', String(time), '--node', n3.mqttUrl]);
    expect(await at(Number(second) - 1)).toMatchObject({ code: 0, stdout: '1' });
    expect(await at(Number(second))).toMatchObject({ code: 0, stdout: '2' });
    expect(await at(Number(first) - 1)).toMatchObject({ code: 3, stdout: '' });

    const range = (...flags: string[]) =>
      dss(['range', 'past', ...flags, '--node', n3.mqttUrl]).then(({ stdout }) => stdout);
    expect(await range('--from', 'past/b')).toBe('past/b 3\npast/c C');
    expect(await range('--to', 'past/b')).toBe('past/a A');
    expect(await range('--reverse', '--limit', '1', '--all')).toBe('past/c C\npast/b 3\npast/a A');
  });

  it('has a command line that speaks JSON and has exit codes', async () => {
    const [n1, n2] = [cluster.node(0), cluster.node(1)];
    const node = ['--node', n1.mqttUrl];
    expect(await dssJson(['put', 'cli/one', '1', ...node])).toMatchObject({
      key: 'cli/one',
      bytes: 1,
    });
    const binary = await dss(['put', 'cli/two', '--stdin', ...node], { input: 'line\n' });
    expect(binary).toMatchObject({ code: 0, stdout: 'stored cli/two' });
    const got = await dssJson(['get', 'cli/two', '--node', n2.mqttUrl]);
    expect(got).toMatchObject({ ok: true, key: 'cli/two', value: 'line\n' });
    expect(Math.abs(Number(got.time) - Date.now())).toBeLessThan(60_000);
    expect(await dssJson(['list', 'cli', ...node])).toMatchObject({
      keys: ['cli/one', 'cli/two'],
      more: false,
    });
    expect(await dssJson(['list', 'cli', '--limit', '1', '--values', ...node])).toMatchObject({
      items: [{ key: 'cli/one', value: '1' }],
      more: true,
    });
    const watched = await dss(['watch', 'cli/#', '--count', '2', '--json', ...node]);
    const lines = watched.stdout.split('\n').map((line) => JSON.parse(line) as { key: string });
    expect(lines.map(({ key }) => key).sort()).toEqual(['cli/one', 'cli/two']);
    expect(await dssJson(['where', 'cli/one', '--http', n1.httpUrl])).toMatchObject({
      key: 'cli/one',
      replicas: expect.arrayContaining(['n1', 'n2', 'n3']),
    });
    const status = await dssJson(['status', '--http', n2.httpUrl]);
    expect(status).toMatchObject({ node: { name: 'n2' }, cluster: { state: 'ok' } });
    expect((await dss(['status', '--http', n2.httpUrl])).stdout).toContain('all with a leader');
    expect(await dssJson(['del', 'cli/one', ...node])).toMatchObject({ ok: true, key: 'cli/one' });
    const gone = await dss(['get', 'cli/one', '--json', ...node]);
    expect(gone.code).toBe(3);
    expect(JSON.parse(gone.stderr)).toMatchObject({ ok: false, error: 'NOT_FOUND' });
    const fleet = ['fleet', '--devices', '10', '--rate', '5', '--seconds', '1'];
    const report = await dssJson([...fleet, '--http', n1.httpUrl]);
    expect(report).toMatchObject({ sent: 50, acknowledged: 50, failed: 0 });
  });
});
