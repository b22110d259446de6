import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askHttp } from '../../clients/cli/http.ts';
import type { WhereDocument } from '../../clients/cli/status-document.ts';
import { eventually } from '../support/eventually.ts';
import { gather } from './support/clients.ts';
import { expectQosZero, expectRefusals, expectReplyElsewhere } from './support/contract-edges.ts';
import { expectFacts, type Fact } from './support/contract-scenario.ts';
import { chooseKeys, play } from './support/contract-stage.ts';
import { PatientClient } from './support/patient-client.ts';
import { type ClusterNode, printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

/** A call to another node has 4.5 s. */
const READ_RESUME_MS_MAX = 3_000;

/** Where one of the keys is that the node leads. */
async function leaderOfAny(cluster: TestCluster, leader: string): Promise<WhereDocument> {
  for (let number = 0; number < 500; number += 1) {
    const place = await cluster.where(0, `any/${number}`);
    if (place.leader === leader) return place;
  }
  throw new Error(`${leader} leads nothing`);
}

describe('what docs/MQTT.md says, on five nodes with three copies', () => {
  let cluster: TestCluster;
  const facts: Fact[] = [];
  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 5, shards: 8 });
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  it('holds through a node that has no copy of the keys', async () => {
    const [door, window] = [cluster.node(0), cluster.node(1)];
    const prefix = 'outside';
    const keys = await chooseKeys(cluster, prefix, ({ replicas }) => !replicas.includes(door.name));
    facts.push(...(await play([door], { prefix, keys, window })));
    await expectReplyElsewhere(door, keys.temp);
    await expectQosZero(door, window, prefix);
    await expectRefusals(door, prefix);
  });

  it.each([
    { moment: 'burst', through: 'another node' },
    { moment: 'increments', through: 'the leader itself' },
  ] as const)(
    'holds while the leader is killed in the middle of $moment, through $through',
    async ({ moment, through }) => {
      const victim = await cluster.busiestLeader();
      const { name } = cluster.node(victim);
      const { replicas } = await leaderOfAny(cluster, name);
      const others = cluster.nodes.filter((_, index) => index !== victim);
      const outsider = others.find((node) => !replicas.includes(node.name)) as ClusterNode;
      const first = through === 'another node' ? outsider : cluster.node(victim);
      const prefix = `killed/${moment}`;
      const isWanted = (place: WhereDocument): boolean =>
        place.leader === name && !place.replicas.includes(outsider.name);
      const keys = await chooseKeys(cluster, prefix, isWanted);
      const reader = await PatientClient.connect([outsider]);
      let killed: Promise<void> | undefined;
      let read: Promise<number> | undefined;
      const disturb = (now: string): void => {
        if (now !== moment || killed !== undefined) return;
        killed = cluster.kill(victim);
        read = killed.then(async () => {
          const killedMs = performance.now();
          const got = await reader.ask(`get/${keys.temp}`, { consistency: 'eventual' });
          expect(got).toMatchObject({ ok: true, value: '4' });
          return performance.now() - killedMs;
        });
      };
      const window = others.find((node) => node !== outsider) as ClusterNode;
      try {
        facts.push(...(await play([first, ...others], { prefix, keys, window, disturb })));
        // Other copies are at hand: nobody waits for an answer that the dead node will not give.
        expect(await read).toBeLessThan(READ_RESUME_MS_MAX);
      } finally {
        await reader.close();
        if (killed !== undefined) {
          await killed;
          cluster.restart(victim);
          await cluster.waitForLeaders();
          await cluster.waitForCatchUp(victim);
        }
      }
    },
  );

  it('keeps by retention rules that are made over HTTP at any node', async () => {
    const [n1, n2, n3] = [cluster.node(0), cluster.node(1), cluster.node(2)];
    const http = (
      { httpUrl }: ClusterNode,
      method: 'GET' | 'PUT' | 'DELETE',
      body?: object,
      query = '',
    ) =>
      askHttp<{ rules?: object[] }>(
        { bases: httpUrl, timeoutMs: 5_000 },
        { method, path: `/v1/retention${query}`, body },
      );
    await http(n1, 'PUT', { prefix: 'few', versions: 2 });
    await http(n2, 'PUT', { prefix: 'brief', ttl: '1s' });
    const client = await PatientClient.connect([n3]);
    const follower = await gather(n1, 'dss/value/brief/#');
    for (const value of ['1', '2', '3', '4']) await client.put('few/key', value);
    await eventually('two versions are left', async () => {
      const { items = [] } = await client.ask('history/few/key');
      return items.map(({ value }) => value).join() === '4,3' ? true : undefined;
    });
    // A shard hears of a rule within about a second; from then on puts expire.
    await eventually('a value expires', async () => {
      await client.put('brief/key', 'soon gone');
      return (await client.ask('get/brief/key')).expiresAt === undefined ? undefined : true;
    });
    await follower.until('its end', () => follower.messages.at(-1)?.payload === '');
    expect(follower.messages.at(-1)).toMatchObject({ topic: 'dss/value/brief/key', retain: false });
    expect(await client.ask('get/brief/key')).toMatchObject({ error: 'NOT_FOUND' });
    facts.push({
      verb: 'history/few/key',
      members: {},
      answer: await client.ask('history/few/key'),
    });
    const shown = JSON.stringify(await http(n3, 'GET'));
    expect(shown).toContain('"prefix":"few"');
    await http(n2, 'DELETE', undefined, '?prefix=brief');
    expect(JSON.stringify(await http(n2, 'GET'))).not.toContain('"prefix":"brief"');
    await follower.client.endAsync();
    await client.close();
  });

  it('holds for what was stored before all five were killed', async () => {
    const before = await PatientClient.connect(cluster.nodes, 'worker');
    const claim = { if: null, value: 'worker', ttl: 600, id: 'claim' };
    const held = await before.ask('cas/jobs/long', claim);
    await before.ask('cas/jobs/short', { ...claim, ttl: 1 });
    await before.close();
    await Promise.all(cluster.nodes.map((_, index) => cluster.kill(index)));
    for (const index of cluster.nodes.keys()) cluster.restart(index);
    await cluster.waitForLeaders();
    for (const node of cluster.nodes) {
      const client = await PatientClient.connect([node]);
      await expectFacts(client, facts);
      await client.close();
    }
    const after = await PatientClient.connect([cluster.node(3)], 'worker');
    expect(await after.ask('cas/jobs/long', claim)).toMatchObject({
      ok: true,
      version: held.version,
      expiresAt: held.expiresAt,
    });
    await eventually('what expired meanwhile is over', async () => {
      const { items = [] } = await after.ask('history/jobs/short');
      return items[0]?.deleted;
    });
    await after.close();
  });
});

describe('what docs/MQTT.md says, on one node alone', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 1 });
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  it('holds, and after it was killed', async () => {
    const node = cluster.node(0);
    const prefix = 'alone';
    const keys = await chooseKeys(cluster, prefix, () => true);
    const facts = await play([node], { prefix, keys, window: node });
    await expectReplyElsewhere(node, keys.temp);
    await expectRefusals(node, prefix);
    await cluster.kill(0);
    cluster.restart(0);
    const client = await PatientClient.connect([node]);
    await expectFacts(client, facts);
    await client.close();
  });
});
