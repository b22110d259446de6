import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publish } from './support/clients.ts';
import { exampleFlows, hasNodeRed, NodeRed } from './support/node-red.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

// Real Node-RED, its own MQTT nodes, our example flows as a user imports them.

const key = 'plant1/dev42/temp';

interface ShownMessage {
  readonly topic: string;
  readonly payload: unknown;
  readonly qos: number;
  readonly retain: boolean;
}

interface Answer {
  readonly ok: boolean;
  readonly version?: number | null;
  readonly error?: string;
}

describe('the example flows', () => {
  it('leave everything in the MQTT nodes as Node-RED has it', () => {
    const nodes = [...exampleFlows('mqtt').values()].flat();
    for (const node of nodes.filter(({ type }) => type === 'mqtt in')) {
      expect(node).toMatchObject({ qos: '2', datatype: 'auto-detect' });
    }
    for (const node of nodes.filter(({ type }) => type === 'mqtt out')) {
      expect(node).toMatchObject({ qos: '', retain: '' });
    }
    const servers = nodes.filter(({ type }) => type === 'mqtt-broker');
    expect(new Set(servers.map((server) => JSON.stringify(server))).size).toBe(1);
    expect(servers[0]).toMatchObject({ clientid: '', protocolVersion: '4', cleansession: true });
  });

  it('each do one thing, with nodes that every Node-RED has', () => {
    const stock = ['tab', 'mqtt-broker', 'mqtt in', 'mqtt out', 'inject', 'debug', 'switch'];
    for (const [name, nodes] of exampleFlows('mqtt')) {
      expect(
        nodes.filter(({ type }) => !stock.includes(type)),
        name,
      ).toEqual([]);
      expect(
        nodes.filter(({ type }) => type === 'tab'),
        name,
      ).toHaveLength(1);
    }
  });
});

describe.skipIf(!hasNodeRed)('two Node-RED on two nodes', () => {
  let cluster: TestCluster;
  let left: NodeRed;
  let right: NodeRed;
  beforeAll(async () => {
    cluster = await TestCluster.start();
    // Before anybody subscribes: a current value, which the flows must get at once.
    await publish(cluster.node(2), 'dss/put/plant1/dev41/temp', '18.25');
    const started = [cluster.node(0), cluster.node(1)].map((node) => NodeRed.start(node));
    [left, right] = (await Promise.all(started)) as [NodeRed, NodeRed];
  });
  afterAll(async () => {
    await Promise.all([left?.close(), right?.close()]);
    await cluster?.close();
  });
  printLogsOnFailure(() => cluster);

  it('see what was stored before they came, as retained, at the QoS that is granted', async () => {
    for (const nodeRed of [left, right]) {
      const shown = await nodeRed.until<ShownMessage>('values');
      expect(shown).toMatchObject({
        topic: 'dss/value/plant1/dev41/temp',
        payload: 18.25,
        // They asked for 2 and were granted 1.
        qos: 1,
        retain: true,
      });
    }
  });

  it('write on one and read on the other', async () => {
    await left.press('dss-write-inject');
    for (const nodeRed of [right, left]) {
      const shown = await nodeRed.until<ShownMessage>('values', ({ topic }) => topic.endsWith(key));
      expect(shown).toMatchObject({ topic: `dss/value/${key}`, payload: 21.5, retain: false });
    }
  });

  it('get, list and ask for the history', async () => {
    await left.press('dss-write-inject', 22);
    for (const nodeRed of [left, right]) {
      await nodeRed.until<ShownMessage>('values', ({ payload }) => payload === 22);
      const values = nodeRed.shown('values') as ShownMessage[];
      const ofKey = values.filter(({ topic }) => topic.endsWith(key));
      expect(ofKey.map(({ payload }) => payload)).toEqual([21.5, 22]);
    }

    await right.press('dss-get-inject');
    expect(await right.until('get: answer')).toMatchObject({
      id: 1,
      op: 'get',
      key,
      ok: true,
      value: '22',
      version: expect.any(Number),
    });

    await right.press('dss-list-inject');
    expect(await right.until('list: answer')).toMatchObject({
      ok: true,
      items: [
        { key: 'plant1/dev41/temp', value: '18.25' },
        { key, value: '22' },
      ],
      more: false,
    });

    await right.press('dss-history-inject');
    expect(await right.until('history: answer')).toMatchObject({
      ok: true,
      items: [{ value: '22' }, { value: '21.5' }],
    });

    // Answers are for the one that asked.
    for (const name of ['get', 'list', 'history']) {
      expect(left.shown(`${name}: answer`)).toEqual([]);
      expect(right.shown(`${name}: answer`)).toHaveLength(1);
    }
  });

  it('claim a job that only one of them gets', async () => {
    const claim = (holder: string) => ({ if: null, value: holder, ttl: 60, id: holder });
    const outcome = (nodeRed: NodeRed) =>
      nodeRed.until<Answer>(['claimed', 'somebody else has it']);

    const both = [outcome(left), outcome(right)];
    await Promise.all([
      left.press('dss-cas-inject', claim('line-1')),
      right.press('dss-cas-inject', claim('line-2')),
    ]);
    const answers = await Promise.all(both);

    const won = answers.filter(({ ok }) => ok);
    const lost = answers.filter(({ ok }) => !ok);
    expect(won).toHaveLength(1);
    expect(won[0]).toMatchObject({ ok: true, version: expect.any(Number) });
    expect(lost).toHaveLength(1);
    expect(lost[0]).toMatchObject({ error: 'VERSION_MISMATCH', version: won[0]?.version });

    // The winner asks once more, as after a lost answer: the same id is answered as before.
    const winner = answers[0]?.ok ? left : right;
    winner.forget();
    await winner.press('dss-cas-inject', claim(answers[0]?.ok ? 'line-1' : 'line-2'));
    expect(await winner.until('claimed')).toMatchObject({ ok: true, version: won[0]?.version });
  });

  it('see what was refused, each its own', async () => {
    for (const nodeRed of [left, right]) nodeRed.forget();
    await right.press('dss-errors-inject');
    expect(await right.until('refused')).toMatchObject({
      code: 'UNKNOWN_VERB',
      topic: `dss/puts/${key}`,
    });
    expect(left.shown('refused')).toEqual([]);
  });

  it('go on when their node comes back', async () => {
    await cluster.kill(0);
    await left.untilDisconnected();
    // Meanwhile the other writes on.
    await right.press('dss-write-inject', 23);
    await right.until<ShownMessage>('values', ({ payload }) => payload === 23);
    left.forget();

    cluster.restart(0);
    await left.untilConnected();

    const shown = await left.until<ShownMessage>('values', ({ topic }) => topic.endsWith(key));
    expect(shown).toMatchObject({ payload: 23, retain: true });
    await left.press('dss-write-inject', 24);
    await right.until<ShownMessage>('values', ({ payload }) => payload === 24);
  });
});
