import { cp, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { expectNothingLost } from './support/nothing-lost.ts';
import { PublishingFleet } from './support/publishing-fleet.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

/** `DSS_RELIABILITY=long`: what takes minutes, see docs/RELIABILITY.md. */
const isLong = process.env.DSS_RELIABILITY === 'long';
const PAUSE_MS = 20_000;
/** Longer than an election; in the long form also than it takes a node to give up a connection. */
const CUT_MS = isLong ? 20_000 : 3_000;
const KILLS = isLong ? 20 : 3;
const NODES = [0, 1, 2];
const PAIRS = [
  [0, 1],
  [1, 2],
  [2, 0],
] as const;

/** The tests run in order on one cluster; each leaves it whole, but the last. */
describe('three nodes under a fleet', () => {
  let cluster: TestCluster;
  let fleet: PublishingFleet;
  beforeAll(async () => {
    cluster = await TestCluster.start({ links: true });
  });
  afterAll(() => cluster?.close());
  afterEach(() => cluster.links.heal());
  printLogsOnFailure(() => cluster);

  async function startFleet(prefix: string): Promise<void> {
    fleet = new PublishingFleet({ prefix, nodes: () => cluster.nodes });
    await acknowledgedAgain();
  }

  /** Every key gets a new value from now on: no shard is left out. */
  async function acknowledgedAgain(): Promise<void> {
    const sinceMs = performance.now();
    await eventually('every key is acknowledged again', 30_000, () =>
      fleet.hasAllSince(sinceMs) ? true : undefined,
    );
  }

  async function expectWhole(scenario: string, nodes = NODES): Promise<void> {
    await fleet.stop();
    const { acknowledged, repeated, silenceMs, p99Ms, waitMs } = fleet.times();
    console.log(
      `${scenario}: ${acknowledged} puts acknowledged, ${repeated} repeated; longest without any ${silenceMs} ms; ` +
        `from sending to PUBACK p99 ${p99Ms} ms, longest ${waitMs} ms`,
    );
    await expectNothingLost(
      fleet,
      nodes.map((index) => cluster.node(index)),
    );
  }

  it(`lose nothing when one stands still for ${PAUSE_MS / 1000} s`, async () => {
    await startFleet('paused');
    const victim = await cluster.busiestLeader();
    cluster.pause(victim);
    await delay(PAUSE_MS / 2);
    await acknowledgedAgain();
    await delay(PAUSE_MS / 2);
    cluster.resume(victim);
    await acknowledgedAgain();
    await expectWhole('a node paused');
    expect(fleet.times().silenceMs).toBeLessThan(5_000);
  }, 90_000);

  it('lose nothing while two of them do not hear each other, each pair in turn', async () => {
    await startFleet('cut');
    for (const [index, [one, other]] of PAIRS.entries()) {
      cluster.links.setBoth(one, other, index % 2 === 0 ? 'held' : 'dropped');
      await delay(CUT_MS);
      cluster.links.heal();
      await acknowledgedAgain();
    }
    await expectWhole('each pair cut');
    expect(fleet.times().silenceMs).toBeLessThan(5_000);
  }, 180_000);

  it('lose nothing while one does not hear another that hears it', async () => {
    await startFleet('half');
    const reverse = PAIRS.map(([one, other]) => [other, one] as const);
    for (const [index, [from, to]] of (isLong ? [...PAIRS, ...reverse] : PAIRS).entries()) {
      cluster.links.set(from, to, index % 2 === 0 ? 'dropped' : 'held');
      await delay(CUT_MS);
      cluster.links.heal();
      await acknowledgedAgain();
    }
    await expectWhole('each direction cut');
    expect(fleet.times().silenceMs).toBeLessThan(5_000);
  }, 240_000);

  it('lose nothing when the busiest leader is killed again and again', async () => {
    await startFleet('kills');
    for (let kill = 0; kill < KILLS; kill += 1) {
      const victim = await cluster.busiestLeader();
      await cluster.kill(victim);
      await acknowledgedAgain();
      cluster.restart(victim);
      await cluster.waitForLeaders();
      await cluster.waitForCatchUp(victim);
    }
    await expectWhole(`${KILLS} leaders killed`);
    expect(fleet.times().silenceMs).toBeLessThan(5_000);
  }, 240_000);

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
    await cluster.kill(victim);
    await copyData(dataDir, `${dataDir}-copy`);
    cluster.restart(victim);
    await cluster.waitForLeaders();
    await startFleet('rolled-back');
    await cluster.kill(victim);
    await copyData(`${dataDir}-copy`, dataDir);
    cluster.restart(victim);
    await acknowledgedAgain();
    await cluster.waitForLeaders();
    await expectWhole('a directory rolled back');
    const { shards } = await cluster.status(victim);
    expect(shards.every(({ local }) => local?.suspect?.includes('restored or copied'))).toBe(true);
  }, 90_000);
});

/** In place of what is there. The sockets that lock a directory cannot be copied. */
async function copyData(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await cp(from, to, { recursive: true, filter: (path) => !basename(path).startsWith('lock.') });
}
