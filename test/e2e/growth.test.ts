import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { expectNothingLost, expectWhole } from './support/nothing-lost.ts';
import { PublishingFleet } from './support/publishing-fleet.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

/** The tests run in order on one cluster, under one fleet after the other. */
describe('a cluster that begins with one node', () => {
  let cluster: TestCluster;
  let fleet: PublishingFleet;
  const earlier: PublishingFleet[] = [];
  beforeAll(async () => {
    cluster = await TestCluster.start({ bootstrap: true, shards: 4, links: true });
  });
  afterAll(() => cluster?.close());
  afterEach(() => cluster.links.heal());
  printLogsOnFailure(() => cluster);

  async function startFleet(prefix: string): Promise<void> {
    fleet = new PublishingFleet({ prefix, nodes: () => cluster.running });
    await fleet.allAcknowledgedAgain();
  }

  async function expectAllThere(scenario: string): Promise<void> {
    await fleet.allAcknowledgedAgain();
    await expectWhole(scenario, fleet, cluster.running);
    for (const other of earlier) await expectNothingLost(other, cluster.running);
    earlier.push(fleet);
  }

  it('loses nothing while it grows to three and to five, and shrinks to three', async () => {
    await startFleet('growth');
    await cluster.join();
    await cluster.join();
    await cluster.waitForReplicas(3);
    await fleet.allAcknowledgedAgain();
    const added = [await cluster.join(), await cluster.join()];
    await cluster.waitForReplicas(3);
    await fleet.allAcknowledgedAgain();
    for (const index of added) await cluster.leave(index);
    await cluster.waitForReplicas(3);
    await expectAllThere('1, 3, 5 and 3 nodes');
  });

  it('loses nothing when a killed node is replaced by an empty one', async () => {
    await startFleet('replaced');
    await cluster.kill(2);
    await cluster.replace(2);
    await cluster.waitForReplicas(3);
    await expectAllThere('a killed node replaced');
  });

  it('counts on what the new node holds when an old one dies', async () => {
    await startFleet('new-node');
    await cluster.kill(1);
    await expectAllThere('an old node killed');
  });
});
