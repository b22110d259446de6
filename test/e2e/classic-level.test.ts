import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { expectFacts, type Fact } from './support/contract-scenario.ts';
import { chooseKeys, play } from './support/contract-stage.ts';
import { PatientClient } from './support/patient-client.ts';
import { dss } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

// The core of contract.test.ts and failures.test.ts once more, on nodes with `storage.engine: classic-level`. All of
// them run on it with DSS_TEST_ENGINE=classic-level.

const READINGS = 3_000;

describe('three nodes that keep their values in LevelDB', () => {
  let cluster: TestCluster;
  const facts: Fact[] = [];
  beforeAll(async () => {
    // So small that values are in LevelDB, and the log begins after them, when the nodes are killed.
    const config = 'memtableBytes: 65536\n';
    cluster = await TestCluster.start({ engine: 'classic-level', shards: 8, config });
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  it('do what docs/MQTT.md says while the leader is killed', async () => {
    const victim = await cluster.busiestLeader();
    const { name } = cluster.node(victim);
    const others = cluster.nodes.filter((_, index) => index !== victim);
    const [first, window] = [others[0] ?? cluster.node(0), others[1] ?? cluster.node(0)];
    const prefix = 'killed';
    const keys = await chooseKeys(cluster, prefix, ({ leader }) => leader === name);
    let killed: Promise<void> | undefined;
    const disturb = (moment: string): void => {
      if (moment === 'burst') killed ??= cluster.kill(victim);
    };
    facts.push(...(await play([first, ...others], { prefix, keys, window, disturb })));
    await killed;
    cluster.restart(victim);
    await cluster.waitForLeaders();
    await cluster.waitForCatchUp(victim);
  });

  it('have everything that was acknowledged after all were killed, twice', async () => {
    const client = await PatientClient.connect(cluster.nodes);
    const keyOf = (number: number) => `many/${number % 100}`;
    const textOf = (number: number) => `${number} ${'.'.repeat(200)}`;
    for (let from = 0; from < READINGS; from += 100) {
      const puts = Array.from({ length: 100 }, (_, n) =>
        client.put(keyOf(from + n), textOf(from + n)),
      );
      await Promise.all(puts);
    }
    await client.close();
    await eventually('values are in tables', async () => {
      const { storage } = await cluster.status(0);
      return (storage?.flushedBytes ?? 0) > 200_000 ? true : undefined;
    });
    for (const node of [0, 2]) {
      await Promise.all(cluster.nodes.map((_, index) => cluster.kill(index)));
      for (const index of cluster.nodes.keys()) cluster.restart(index);
      await cluster.waitForLeaders();
      const reader = await PatientClient.connect([cluster.node(node)]);
      await expectFacts(reader, facts);
      for (let key = 0; key < 100; key++) {
        const last = READINGS - 100 + key;
        expect(await reader.ask(`get/${keyOf(last)}`)).toMatchObject({ value: textOf(last) });
      }
      const { items = [] } = await reader.ask('history/many/7', { limit: 1_000 });
      expect(items).toHaveLength(READINGS / 100);
      await reader.close();
    }
  });

  it('are not started on the same data with the other engine', async () => {
    await cluster.kill(0);
    const { args } = cluster.node(0);
    const { code, stderr } = await dss([...args, '--storage-engine', 'lsm']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/made with the storage engine classic-level, but storage.engine is lsm/);
  });
});
