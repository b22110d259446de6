import { cp, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectWhole } from './support/nothing-lost.ts';
import { PublishingFleet } from './support/publishing-fleet.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

/** `DSS_RELIABILITY=long`: what takes minutes, see docs/RELIABILITY.md. */
const isLong = process.env.DSS_RELIABILITY === 'long';
const PAUSE_MS = 20_000;
/** Longer than an election; in the long form also than it takes a node to give up a connection. */
const CUT_MS = isLong ? 20_000 : 3_000;
const KILLS = isLong ? 20 : 3;
const PAIRS = [
  [0, 1],
  [1, 2],
  [2, 0],
] as const;

/** The tests run in order on one cluster; each leaves it whole, but the last. */
describe('three nodes under a fleet', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ links: true, shards: 16 });
  });
  afterAll(() => cluster?.close());
  afterEach(() => cluster.links.heal());
  printLogsOnFailure(() => cluster);

  async function startFleet(prefix: string): Promise<PublishingFleet> {
    const fleet = new PublishingFleet({ prefix, nodes: () => cluster.nodes });
    await fleet.allAcknowledgedAgain();
    return fleet;
  }

  it(`lose nothing when one stands still for ${PAUSE_MS / 1000} s`, async () => {
    const fleet = await startFleet('paused');
    const victim = await cluster.busiestLeader();
    cluster.pause(victim);
    await delay(PAUSE_MS / 2);
    await fleet.allAcknowledgedAgain();
    await delay(PAUSE_MS / 2);
    cluster.resume(victim);
    await fleet.allAcknowledgedAgain();
    await expectWhole('a node paused', fleet, cluster.nodes);
  });

  it('lose nothing while two of them do not hear each other, each pair in turn', async () => {
    const fleet = await startFleet('cut');
    for (const [index, [one, other]] of PAIRS.entries()) {
      cluster.links.setBoth(one, other, index % 2 === 0 ? 'held' : 'dropped');
      await delay(CUT_MS);
      cluster.links.heal();
      await fleet.allAcknowledgedAgain();
    }
    await expectWhole('each pair cut', fleet, cluster.nodes);
  });

  it('lose nothing while one does not hear another that hears it', async () => {
    const fleet = await startFleet('half');
    const reverse = PAIRS.map(([one, other]) => [other, one] as const);
    for (const [index, [from, to]] of (isLong ? [...PAIRS, ...reverse] : PAIRS).entries()) {
      cluster.links.set(from, to, index % 2 === 0 ? 'dropped' : 'held');
      await delay(CUT_MS);
      cluster.links.heal();
      await fleet.allAcknowledgedAgain();
    }
    await expectWhole('each direction cut', fleet, cluster.nodes);
  });

  it('lose nothing when the busiest leader is killed again and again', async () => {
    const fleet = await startFleet('kills');
    for (let kill = 0; kill < KILLS; kill += 1) {
      const victim = await cluster.busiestLeader();
      await cluster.kill(victim);
      await fleet.allAcknowledgedAgain();
      cluster.restart(victim);
      await cluster.waitForLeaders();
      await cluster.waitForCatchUp(victim);
    }
    await expectWhole(`${KILLS} leaders killed`, fleet, cluster.nodes);
  });

  it('refuse a node whose directory was emptied', async () => {
    const victim = 2;
    await cluster.kill(victim);
    const { dataDir } = cluster.node(victim);
    await copyData(dataDir, `${dataDir}-kept`);
    await rm(dataDir, { recursive: true });
    const refused = cluster.restart(victim);
    expect(await refused.exited).toMatchObject({ code: 1 });
    expect(refused.stderr.join('\n')).toMatch(/the name n3 is taken/);
    await copyData(`${dataDir}-kept`, dataDir);
    cluster.restart(victim);
    await cluster.waitForLeaders();
  });

  it('lose nothing when a directory is copied back from earlier', async () => {
    const victim = 1;
    const { dataDir } = cluster.node(victim);
    const before = await cluster.status(victim);
    await cluster.kill(victim);
    await copyData(dataDir, `${dataDir}-copy`);
    cluster.restart(victim);
    await cluster.waitForLeaders();
    const fleet = await startFleet('rolled-back');
    await cluster.kill(victim);
    await copyData(`${dataDir}-copy`, dataDir);
    const rolledBack = cluster.restart(victim);
    await fleet.allAcknowledgedAgain();
    await cluster.waitForReplicas(3);
    expect(rolledBack.stderr.join('\n')).toMatch(/restored or copied/);
    // From here on what it was given anew counts.
    await cluster.kill(0);
    await fleet.allAcknowledgedAgain();
    await expectWhole('a directory rolled back', fleet, cluster.running);
    const { node } = await cluster.status(victim);
    expect(node.id).not.toBe(before.node.id);
  });
});

/** In place of what is there. The sockets that lock a directory cannot be copied. */
async function copyData(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await cp(from, to, { recursive: true, filter: (path) => !basename(path).startsWith('lock.') });
}
