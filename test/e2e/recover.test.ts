import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dssJson, readAll } from './support/clients.ts';
import { dss } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

const KEYS = Array.from({ length: 20 }, (_, i) => `recover/k${i}`);

/** The tests run in order. */
describe('a cluster of which only one node is left', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 3, shards: 4 });
    const { mqttUrl } = cluster.node(0);
    for (const key of KEYS) expect((await dss(['put', key, key, '--node', mqttUrl])).code).toBe(0);
    await cluster.waitForCatchUp(0);
    await cluster.kill(1);
    await cluster.kill(2);
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  const recover = (...flags: string[]) =>
    dss(['recover', '--data', cluster.node(0).dataDir, ...flags, '--json']);

  it('is told so only while it stands still, by somebody who is sure and names the lost', async () => {
    const running = await recover('--lost', 'n2,n3', '--yes');
    expect(running).toMatchObject({ code: 1 });
    expect(running.stderr).toContain('DIRECTORY_IN_USE');
    await cluster.kill(0);
    expect(await recover('--lost', 'n2,n3')).toMatchObject({ code: 2 });
    const stranger = await recover('--lost', 'n2,n7', '--yes');
    expect(stranger).toMatchObject({ code: 1 });
    expect(stranger.stderr).toContain('no other node n7');
    const elsewhere = await dss(['recover', '--data', `${cluster.node(0).dataDir}/none`, '--yes']);
    expect(elsewhere).toMatchObject({ code: 1 });
    expect(elsewhere.stderr).toContain('there is no node in');
  });

  it('goes on with what it holds', async () => {
    const { code, stdout } = await recover('--lost', 'n2,n3', '--yes');
    expect(code).toBe(0);
    const { forced, shared, others } = JSON.parse(stdout);
    expect(forced.map(({ group }: { group: number }) => group)).toEqual([0, 1, 2, 3, 4]);
    expect({ shared, others }).toEqual({ shared: [], others: [] });
    cluster.restart(0);
    await cluster.waitForLeaders();
    const values = await readAll(cluster.node(0), 'recover');
    expect([...values.keys()].sort()).toEqual([...KEYS].sort());
    const { events } = await dssJson(['events', '--http', cluster.node(0).httpUrl]);
    expect(JSON.stringify(events)).toContain('"kind":"copy-forced"');
  });

  it('grows again, and then does without the node that was left', async () => {
    await cluster.join();
    await cluster.join();
    await cluster.waitForReplicas(3);
    await cluster.kill(0);
    await cluster.waitForLeaders();
    const values = await readAll(cluster.node(3), 'recover');
    expect([...values.keys()].sort()).toEqual([...KEYS].sort());
  });
});
