import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unixMsToVersion, versionToUnixMs } from '../../broker/data-plane.ts';
import { type Answered, type Described, PatientClient } from './support/patient-client.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

const ATTEMPTS = 10_000;
/** Of one client under way at a time: what one of them wins the others lose. */
const AT_A_TIME = 12;
const TTL_MS = 300;
const LEASES = 24;
/** They take half a minute together on two cores of their own. */

interface Win {
  readonly version: number;
  readonly value: number;
}

/** Real processes: `test/sim/compare-and-set.test.ts` is about clocks that differ. */
describe('compare-and-set on three nodes that are killed', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 3, shards: 8 });
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  async function leaderOf(key: string): Promise<number> {
    for (const index of cluster.nodes.keys()) {
      const place = await cluster.where(index, key).catch(() => undefined);
      if (place?.leader != null) return cluster.indexOf(place.leader);
    }
    throw new Error(`nobody knows who leads ${key}`);
  }

  /** Kills the node that leads the key, and has it start again. */
  async function killLeaderOf(key: string): Promise<void> {
    const victim = await leaderOf(key);
    await cluster.kill(victim);
    cluster.restart(victim);
    await cluster.waitForLeaders();
  }

  async function twoClients(): Promise<[PatientClient, PatientClient]> {
    const [n1, n2, n3] = [cluster.node(0), cluster.node(1), cluster.node(2)];
    return [await PatientClient.connect([n1, n2, n3]), await PatientClient.connect([n2, n3, n1])];
  }

  async function historyOf(client: PatientClient, key: string): Promise<Described[]> {
    const items: Described[] = [];
    for (let after: string | null = null; ; ) {
      const page = { order: 'asc', limit: 1_000, ...(after === null ? {} : { after }) };
      const { items: more = [], next = null } = await client.ask(`history/${key}`, page);
      items.push(...more);
      if (next === null) return items;
      after = next;
    }
  }

  it('lets each success see the one before: two clients count', async () => {
    const key = 'counter';
    const clients = await twoClients();
    const wins: Win[] = [];
    let [begun, unheard, kills] = [0, 0, 0];
    let killing = Promise.resolve();

    const count = async (client: PatientClient): Promise<void> => {
      let known: Partial<Described> = {};
      let looking: Promise<void> | undefined;
      const look = async (): Promise<void> => {
        const seen = await client.ask(`get/${key}`);
        if (seen.ok && (seen.version as number) > (known.version ?? 0)) known = seen as Described;
        looking = undefined;
      };
      const attempt = async (): Promise<void> => {
        const { version = null, value = '0' } = known;
        const next = Number(value) + 1;
        const answer = await client.ask(`cas/${key}`, { if: version, value: next });
        if (answer.ok) {
          wins.push({ version: answer.version as number, value: next });
          if ((answer.version as number) > (known.version ?? 0)) {
            known = { version: answer.version as number, value: String(next) };
          }
          return;
        }
        expect(answer.error).toBe('VERSION_MISMATCH');
        expect(answer.version).not.toBe(version);
        if (answer.sends > 1) unheard += 1;
        if ((answer.version as number) > (known.version ?? 0)) await (looking ??= look());
      };
      const worker = async (): Promise<void> => {
        while (begun < ATTEMPTS) {
          begun += 1;
          if (begun >= ((kills + 1) * ATTEMPTS) / 3 && kills < 2) {
            kills += 1;
            killing = killing.then(() => killLeaderOf(key));
          }
          await attempt();
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, worker));
    };
    const startedMs = performance.now();
    await Promise.all(clients.map(count));
    await killing;
    const tookMs = Math.round(performance.now() - startedMs);
    console.log(`${begun} attempts in ${tookMs} ms: ${wins.length} won, ${unheard} unheard`);

    const history = await historyOf(clients[0], key);
    const final = history.length;
    expect(history.map(({ value }) => Number(value))).toEqual(
      Array.from({ length: final }, (_, index) => index + 1),
    );
    const versions = history.map(({ version }) => version);
    expect(new Set(versions).size).toBe(final);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    // What was won is what has been stored, under the version that was answered.
    expect(new Set(wins.map(({ version }) => version)).size).toBe(wins.length);
    const stored = new Map(history.map(({ version, value }) => [version, Number(value)]));
    expect(wins.filter(({ version, value }) => stored.get(version) !== value)).toEqual([]);
    expect(final).toBeGreaterThanOrEqual(wins.length);
    expect(final).toBeLessThanOrEqual(wins.length + unheard);
    expect(await clients[1].ask(`get/${key}`)).toMatchObject({ value: String(final) });
    expect(wins.length).toBeGreaterThan(100);
    for (const client of clients) await client.close();
  });

  it('gives a lease to one at a time, until it has expired', async () => {
    const key = 'lease';
    const clients = await twoClients();
    const held: Answered[] = [];
    let kills = 0;
    let killing = Promise.resolve();
    const fight = async (client: PatientClient): Promise<void> => {
      while (held.length < LEASES) {
        const members = { if: null, value: client.clientId, ttl: TTL_MS / 1_000 };
        const answer = await client.ask(`cas/${key}`, members);
        if (!answer.ok) {
          expect(answer).toMatchObject({ error: 'VERSION_MISMATCH', version: expect.any(Number) });
          continue;
        }
        held.push(answer);
        if (kills < 2 && held.length >= ((kills + 1) * LEASES) / 3) {
          kills += 1;
          killing = killing.then(() => killLeaderOf(key));
        }
      }
    };
    await Promise.all(clients.map(fight));
    await killing;

    const inOrder = held.toSorted((a, b) => (a.version as number) - (b.version as number));
    for (const [index, { version, expiresAt }] of inOrder.entries()) {
      const versionMs = versionToUnixMs(version as number);
      expect(expiresAt).toBe(versionMs + TTL_MS);
      const before = inOrder[index - 1];
      if (before === undefined) continue;
      expect(versionMs).toBeGreaterThanOrEqual(before.expiresAt as number);
      // To the last unit: milliseconds are rounded down.
      expect(version).toBeGreaterThanOrEqual((before.version as number) + TTL_MS * UNITS_PER_MS);
    }
    // And so for those of which nobody heard.
    const history = (await historyOf(clients[0], key)).filter(({ deleted }) => !deleted);
    expect(history.map(({ version }) => version)).toEqual(
      expect.arrayContaining(inOrder.map(({ version }) => version)),
    );
    for (const [index, { version }] of history.entries()) {
      const before = history[index - 1]?.version ?? Number.NEGATIVE_INFINITY;
      expect(version).toBeGreaterThanOrEqual(before + TTL_MS * UNITS_PER_MS);
    }
    for (const client of clients) await client.close();
  });
});

const UNITS_PER_MS = unixMsToVersion(1) - unixMsToVersion(0);
