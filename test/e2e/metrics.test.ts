import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { cheapHash } from '../support/password.ts';
import { connectMqtt } from './support/clients.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

const config = `
users:
  - {name: admin, password: "${cheapHash('of admin')}", read: ['#'], write: ['#']}
  - {name: prometheus, password: "${cheapHash('of prometheus')}"}
`;
const PUTS = 50;

describe('what nodes tell of themselves', () => {
  let cluster: TestCluster;
  let client: MqttClient;
  beforeAll(async () => {
    const security = { user: 'admin', password: 'of admin' };
    cluster = await TestCluster.start({ nodes: 3, shards: 4, config, security });
    const credentials = { username: 'admin', password: 'of admin' };
    client = await connectMqtt(cluster.node(0), credentials);
    for (let i = 0; i < PUTS; i += 1) await put(i);
  });
  afterAll(async () => {
    client?.end(true);
    await cluster?.close();
  });
  printLogsOnFailure(() => cluster);

  const put = (value: number) =>
    client.publishAsync('dss/put/plant1/a', String(value), { qos: 1 }).then(() => {});

  const get = (index: number, path: string, user?: string): Promise<Response> => {
    const basic = Buffer.from(`${user}:of ${user}`).toString('base64');
    const headers: Record<string, string> =
      user === undefined ? {} : { authorization: `Basic ${basic}` };
    return fetch(`${cluster.node(index).httpUrl}${path}`, { headers });
  };

  /** By series, as `name{labels}`. */
  const metrics = async (index: number): Promise<Map<string, number>> => {
    const text = await (await get(index, '/metrics', 'prometheus')).text();
    const lines = text.split('\n').filter((line) => line.startsWith('dss_'));
    return new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
    );
  };

  it('lets Prometheus in with a user who may read nothing, and nobody without one', async () => {
    expect((await get(0, '/metrics')).status).toBe(401);
    const answer = await get(0, '/metrics', 'prometheus');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('version=0.0.4');
  });

  it('counts what was put, on the node that took it, and what was done for it on all', async () => {
    const all = await Promise.all([0, 1, 2].map(metrics));
    expect(all.map((each) => each.get('dss_puts_total'))).toEqual([PUTS, 0, 0]);
    expect(all[0]?.get('dss_commit_duration_seconds_count')).toBeGreaterThanOrEqual(PUTS);
    expect(all[0]?.get('dss_commit_duration_seconds_sum')).toBeGreaterThan(0);
    for (const each of all) {
      expect(each.get('dss_log_syncs_total')).toBeGreaterThan(0);
      expect(each.get('dss_nodes{state="active"}')).toBe(3);
      expect(each.get('dss_durability_copies')).toBe(2);
      expect(each.get('dss_process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
      expect(each.get('dss_event_loop_busy_seconds_total')).toBeGreaterThan(0);
    }
    const leaders = all.map((each) => each.get('dss_raft_leader{group="1"}') ?? 0);
    expect(leaders.reduce((sum, leads) => sum + leads)).toBe(1);
  });

  it('tells every node how each is', async () => {
    const row = await eventually('rates of n1 at n2', async () => {
      for (let i = 0; i < 20; i += 1) await put(i);
      const { nodes } = await cluster.status(1);
      const found = nodes.find(({ name }) => name === 'n1');
      return (found?.putsPerSecond ?? 0) > 0 && found?.commitP99Ms ? found : undefined;
    });
    expect(row).toMatchObject({ version: expect.stringMatching(/^\d+\./), zone: '' });
    expect(row.publishesPerSecond).toBeGreaterThan(0);
    expect(row.connections).toBeGreaterThan(1);
    expect(row.uptimeMs).toBeGreaterThan(0);
    expect(row.diskFreeBytes).toBeGreaterThan(0);
    expect(row.loopDelayP99Ms).toBeGreaterThanOrEqual(0);
    expect([row.storageMaxBytes, row.memoryMaxBytes]).toEqual([0, expect.any(Number)]);
  });

  it('shows what goes on inside to administrators only', async () => {
    for (const path of ['raft', 'loop', 'log/1', 'profile']) {
      expect((await get(0, `/debug/${path}`, 'prometheus')).status).toBe(403);
    }
    const raft = (await (await get(0, '/debug/raft', 'admin')).json()) as {
      groups: { role: string; peers: { match: number | null }[] }[];
    };
    expect(raft.groups).toHaveLength(5);
    for (const { role, peers } of raft.groups) {
      expect(peers.map(({ match }) => match !== null)).toEqual(Array(2).fill(role === 'leader'));
    }
    const { group } = await cluster.where(0, 'plant1/a');
    const log = await (await get(0, `/debug/log/${group}?limit=5`, 'admin')).json();
    expect(log).toMatchObject({ group, entries: Array(5).fill({ term: expect.any(Number) }) });
    expect(await (await get(0, '/debug/loop', 'admin')).json()).toMatchObject({
      delay: { p99Ms: expect.any(Number) },
      queues: { writesBytes: expect.any(Number) },
    });
  });

  it('sends a CPU profile that shows our code', async () => {
    const answer = get(0, '/debug/profile?seconds=1', 'admin');
    for (let i = 0; i < 100; i += 1) await put(i);
    const profile = (await (await answer).json()) as {
      nodes: { callFrame: { url: string } }[];
    };
    expect(profile.nodes.some(({ callFrame }) => callFrame.url.includes('/dist/'))).toBe(true);
  });
});
