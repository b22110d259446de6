import { describe, expect, it } from 'vitest';
import { directoryEntryBytes, headerBytes } from '../../lsm/log/format.ts';
import { Log } from '../../lsm/log/log.ts';
import type { RecoveredGroup } from '../../lsm/log/types.ts';
import { writeFileAtomically } from '../../lsm/vfs/vfs.ts';
import { readIdentity } from '../../node/membership/identity.ts';
import { encode, type Machine, SimCluster } from './cluster.ts';
import { type FoundRound, roundsIn } from './log-rounds.ts';
import { untilSettled } from './settling.ts';

const LOG = '/data/log';

/** The rounds of a node's log, oldest first. */
function roundsOf(machine: Machine): Promise<FoundRound[]> {
  machine.vfs.onOperation = undefined;
  return roundsIn(machine.vfs, LOG);
}

async function putMany(cluster: SimCluster, machine: Machine, prefix: string, count: number) {
  for (let i = 0; i < count; i++) {
    await cluster.world.resolve('put', cluster.put(machine, `${prefix}${i}`, `${prefix} ${i}`));
  }
}

async function expectAll(cluster: SimCluster, machine: Machine, prefix: string, count: number) {
  for (let i = 0; i < count; i++) {
    expect(await cluster.get(machine, `${prefix}${i}`)).toBe(`${prefix} ${i}`);
  }
}

function suspectsOf(machine: Machine): number[] {
  return machine.active.suspects.map(({ group }) => group);
}

describe('damage in the log of one node', () => {
  it('of one round’s records makes that round’s groups suspect there, and costs the cluster nothing', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 301 });
    await cluster.startAll();
    const [first, , third] = cluster.machines as [Machine, Machine, Machine];
    await putMany(cluster, first, 'k', 20);
    cluster.kill(third);
    const rounds = await roundsOf(third);
    const victim = rounds.filter(({ groups }) => groups === 1).at(-5) as FoundRound;
    third.vfs.damage(victim.path, victim.recordsOffset + 20, 0x10);
    await cluster.start(third);
    await cluster.world.until('it is back', () => third.joined);
    expect(suspectsOf(third)).toHaveLength(1);
    const messages = cluster.world.log.filter(({ node }) => node === 'n3').map(({ name }) => name);
    expect(messages).toContain('log-damaged');
    expect(messages).toContain('replica-suspect');
    await cluster.untilLed();
    await putMany(cluster, third, 'after', 20);
    for (const machine of cluster.machines) {
      await expectAll(cluster, machine, 'k', 20);
      await expectAll(cluster, machine, 'after', 20);
    }
    cluster.kill(third);
    await cluster.start(third);
    await cluster.world.until('it is back', () => third.joined);
    expect(suspectsOf(third), 'still, after another start').toHaveLength(1);
  });

  it('of a round’s header costs the cluster nothing either', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 302 });
    await cluster.startAll();
    const [first, , third] = cluster.machines as [Machine, Machine, Machine];
    await putMany(cluster, first, 'k', 20);
    cluster.kill(third);
    const victim = (await roundsOf(third)).at(-6) as FoundRound;
    third.vfs.damage(victim.path, victim.offset + headerBytes + directoryEntryBytes - 1, 0xff);
    await cluster.start(third);
    await cluster.world.until('it is back', () => third.joined);
    expect(suspectsOf(third).length).toBeGreaterThan(0);
    await putMany(cluster, third, 'after', 10);
    for (const machine of cluster.machines) await expectAll(cluster, machine, 'k', 20);
  });

  it('that took the last synced round is not taken for a torn tail', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 303 });
    await cluster.startAll();
    const [first, , third] = cluster.machines as [Machine, Machine, Machine];
    await putMany(cluster, first, 'k', 20);
    await cluster.world.run(2_000);
    cluster.kill(third);
    const last = (await roundsOf(third)).at(-1) as FoundRound;
    const file = await third.vfs.open(last.path, 'write');
    await file.truncate(last.offset);
    await file.sync();
    await file.close();
    await cluster.start(third);
    await cluster.world.until('it is back', () => third.joined);
    expect(third.node?.identity.generation).toBe(2);
    await untilSettled(cluster, 3);
    await expectAll(cluster, third, 'k', 20);
  });

  it('is not seen in a torn tail that was never synced', async () => {
    for (let seed = 310; seed < 325; seed++) {
      const cluster = new SimCluster({ nodes: 3, seed });
      await cluster.startAll();
      const third = cluster.machine(2);
      third.syncGate = new Promise(() => {});
      for (let i = 0; i < 20; i++)
        cluster.put(cluster.machine(i % 2), `k${i}`, 'x'.repeat(2_000)).catch(() => {});
      await cluster.world.until('a round waits for its sync', () => third.syncsHeld.length > 0);
      third.syncGate = undefined;
      cluster.cutPower(third, 0.5);
      await cluster.start(third);
      await cluster.untilLed();
      expect(suspectsOf(third), `seed ${seed}`).toEqual([]);
      await putMany(cluster, third, 'after', 2);
    }
  });

  it('keeps a replica suspect whose log ends before its tables do, whatever is flushed afterwards', async () => {
    const cluster = new SimCluster({ nodes: 1, seed: 326, memtableBytes: 16 * 1024 });
    await cluster.startAll();
    const only = cluster.machine(0);
    const { map } = only.active;
    const groupOf = (key: string) => map.groupOf(encode(key), 0, encode(key).length);
    const victim = groupOf('k');
    const other = Array.from({ length: 50 }, (_, i) => `other${i}`).find(
      (key) => groupOf(key) !== victim,
    ) as string;
    const flushes = async (key: string) => {
      const before = only.active.engine.statistics().flushedBytes;
      for (let i = 0; only.active.engine.statistics().flushedBytes === before; i++) {
        await cluster.world.resolve('put', cluster.put(only, key, `${i}`.padEnd(1_000)));
      }
    };
    await cluster.world.run(1_000);
    const image = only.vfs.processCrashClone();
    await flushes('k');
    cluster.kill(only);
    for (const name of await image.list(LOG)) {
      await only.vfs.remove(`${LOG}/${name}`);
      await writeFileAtomically(only.vfs, LOG, name, await image.readFile(`${LOG}/${name}`));
    }
    for (let start = 0; start < 3; start++) {
      await cluster.start(only);
      await cluster.world.until('it is back', () => only.joined);
      expect(suspectsOf(only), `start ${start}`).toEqual([victim]);
      await cluster.world.until(
        'the others go on',
        () => only.active.map.leaderOf(groupOf(other)) !== undefined,
      );
      await flushes(other);
      cluster.kill(only);
    }
  });
});

describe('a leader whose disk hangs', () => {
  it.each([
    ['wholly', () => true],
    ['when tables are written', (path: string) => path.includes('/tables')],
  ])('(%s) lets another lead, though it is heard all the time', async (_, hangs) => {
    const cluster = new SimCluster({
      nodes: 3,
      seed: 341,
      shardCount: 1,
      memtableBytes: 16 * 1024,
    });
    await cluster.startAll();
    await cluster.world.run(5_000);
    const leader = cluster.leaderOf('k');
    const other = cluster.machines.find((machine) => machine !== leader) as Machine;
    const inner = leader.vfs.onOperation;
    leader.vfs.onOperation = (operation) =>
      operation.kind === 'sync' && hangs(operation.path)
        ? new Promise(() => {})
        : inner?.(operation);
    for (let i = 0; i < 20; i++) {
      const put = cluster.put(other, 'k', `${i}`.padEnd(10_000)).catch(() => {});
      await cluster.world.resolve('a put, or its end', put, 30_000);
    }
    await cluster.world.resolve('a put', cluster.put(other, 'k', 'after'), 10_000);
    expect(cluster.leaderOf('k')).not.toBe(leader);
  });
});

describe('bits that change in the log of a node that runs', () => {
  it('go to no other: a leader that reads them ends, and is suspect when it is back', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 327, shardCount: 1 });
    await cluster.startAll();
    const [first, , third] = cluster.machines as [Machine, Machine, Machine];
    await cluster.makeLead(first, 'k0');
    cluster.kill(third);
    const value = 'A'.repeat(50_000);
    for (let i = 0; i < 20; i++) {
      await cluster.world.resolve('put', cluster.put(first, `k${i}`, value));
    }
    await spoil(first, 'A'.repeat(1_000));
    await cluster.start(third);
    await cluster.world.until('it is found', () => first.fatal !== undefined);
    expect(first.fatal).toMatchObject({ code: 'CORRUPTION' });
    await cluster.start(first);
    await cluster.world.until('it is back', () => first.joined);
    const group = first.active.map.shards()[0]?.group;
    expect(suspectsOf(first)).toEqual([group]);
    await cluster.untilLed();
    for (const machine of cluster.machines) {
      for (let i = 0; i < 20; i++) expect(await cluster.get(machine, `k${i}`)).toBe(value);
    }
  });

  /** Changes the first place in its newest segment that holds this text. */
  async function spoil({ vfs }: Machine, text: string): Promise<void> {
    const segments = (await vfs.list(LOG)).filter((name) => name.endsWith('.log')).sort();
    const path = `${LOG}/${segments.at(-1)}`;
    const at = Buffer.from(await vfs.readFile(path)).indexOf(text);
    expect(at).toBeGreaterThan(0);
    vfs.damage(path, at + 500, 0x02);
  }
});

describe('a log that is lost', () => {
  const complaintsOf = (cluster: SimCluster, machine: Machine) =>
    cluster.world.log.filter(
      ({ name, node }) => name === 'waiting-for-peers' && node === machine.name,
    );

  async function removeLog({ vfs }: Machine): Promise<void> {
    for (const name of await vfs.list(LOG)) await vfs.remove(`${LOG}/${name}`);
  }

  async function spoilLog(machine: Machine): Promise<void> {
    for (const { path, offset } of await roundsOf(machine)) machine.vfs.damage(path, offset, 0xff);
  }

  /** A log that is whole, but none that this node has written. */
  async function exchangeLog(machine: Machine): Promise<void> {
    await removeLog(machine);
    const { log } = await Log.open({
      vfs: machine.vfs,
      directory: LOG,
      newLogId: () => new Uint8Array(8),
    });
    await log.close();
  }

  /** The only round that named one of its replicas cannot be read. */
  async function forgetReplica({ vfs }: Machine): Promise<void> {
    const newLogId = () => new Uint8Array(8);
    const { log, groups } = await Log.open({ vfs, directory: LOG, newLogId });
    const [known] = groups as [RecoveredGroup];
    const segment = (await vfs.list(LOG)).at(-1);
    const path = `${LOG}/${segment}`;
    const offset = (await vfs.readFile(path)).length;
    log.addGroup({ ...known, group: 1_000 });
    await log.commitRound();
    log.stage(known.group, known.hardState, []);
    await log.commitRound();
    await log.close();
    vfs.damage(path, offset, 0xff);
  }

  it.each([
    ['gone', removeLog],
    ['does not tell any more which replicas', spoilLog],
    ['does not tell any more which replicas', forgetReplica],
    ['lost all traces', exchangeLog],
  ])('is %s: the node begins anew, though nobody remembers it', async (reason, lose) => {
    const cluster = new SimCluster({ nodes: 3, seed: 351, memtableBytes: 16 * 1024 });
    await cluster.startAll();
    const [first, , third] = cluster.machines as [Machine, Machine, Machine];
    await putMany(cluster, first, 'k', 20);
    const replicas = [...third.active.host.replicas()].length;
    for (const machine of cluster.machines) cluster.kill(machine);
    await lose(third);
    for (const { vfs } of cluster.machines.slice(0, 2)) {
      for (const name of ['peers', 'peers.copy']) {
        if (await vfs.exists(`/data/${name}`)) await vfs.remove(`/data/${name}`);
      }
    }
    for (const machine of cluster.machines) await cluster.start(machine);
    await cluster.untilLed();
    const events = cluster.world.log.filter(({ name }) => name === 'begins-anew');
    expect(events.map(({ node }) => node)).toEqual(['n3']);
    expect(events[0]?.message).toContain(reason);
    await untilSettled(cluster, 3);
    expect([...third.active.host.replicas()]).toHaveLength(replicas);
    for (const machine of cluster.machines) await expectAll(cluster, machine, 'k', 20);
  });

  it('is noticed by a node that has joined later, too', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 352 });
    await cluster.startAll();
    const first = cluster.machine(0);
    const fourth = cluster.addMachine({ join: { addresses: [first.address] } });
    await cluster.start(fourth);
    await cluster.world.until('it has joined', () => fourth.joined);
    await untilSettled(cluster, 3);
    cluster.kill(fourth);
    await removeLog(fourth);
    await cluster.start(fourth);
    await cluster.world.until('it is back', () => fourth.joined);
    expect(fourth.node?.identity.generation).toBe(2);
    await untilSettled(cluster, 3);
  });

  it('of the only node is waited for, and nothing is removed', async () => {
    const cluster = new SimCluster({ nodes: 1, seed: 353, memtableBytes: 16 * 1024 });
    await cluster.startAll();
    const only = cluster.machine(0);
    await putMany(cluster, only, 'k', 40);
    cluster.kill(only);
    const whole = only.vfs.processCrashClone();
    await spoilLog(only);
    const files = await only.vfs.list(LOG);
    for (let start = 0; start < 3; start++) {
      const before = complaintsOf(cluster, only).length;
      await cluster.start(only);
      await cluster.world.run(45_000);
      expect(only.joined).toBe(false);
      const complaints = complaintsOf(cluster, only).slice(before);
      expect(complaints.length).toBeGreaterThanOrEqual(4);
      expect(complaints[0]?.message).toContain('no other node is known');
      cluster.kill(only);
      expect(await readIdentity(only.vfs, '/data')).toMatchObject({ generation: 2 });
      for (const file of files) expect(await only.vfs.list(LOG)).toContain(file);
    }
    only.vfs = whole;
    await cluster.startAll();
    await expectAll(cluster, only, 'k', 40);
  });

  it('of one of two nodes is waited for: it had the only voter of some shards', async () => {
    const cluster = new SimCluster({ nodes: 2, seed: 355 });
    await cluster.startAll();
    const [first, second] = cluster.machines as [Machine, Machine];
    await putMany(cluster, first, 'k', 20);
    cluster.kill(second);
    const whole = second.vfs.processCrashClone();
    await spoilLog(second);
    const files = await second.vfs.list(LOG);
    await cluster.start(second);
    await cluster.world.run(30_000);
    expect(second.joined).toBe(false);
    expect(complaintsOf(cluster, second)[0]?.message).toContain('a leader of every shard');
    const disk = second.vfs.processCrashClone();
    for (const file of files) expect(await disk.list(LOG)).toContain(file);
    cluster.kill(second);
    second.vfs = whole;
    await cluster.start(second);
    await cluster.untilLed();
    for (const machine of cluster.machines) await expectAll(cluster, machine, 'k', 20);
  });

  it('by a majority of the nodes keeps them from beginning anew until one is whole again', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 354 });
    await cluster.startAll();
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    await putMany(cluster, first, 'k', 20);
    for (const machine of cluster.machines) cluster.kill(machine);
    const whole = second.vfs.processCrashClone();
    for (const machine of [second, third]) await spoilLog(machine);
    const files = await third.vfs.list(LOG);
    for (const machine of cluster.machines) await cluster.start(machine);
    await cluster.world.run(30_000);
    expect(cluster.machines.map(({ joined }) => joined)).toEqual([false, false, false]);
    expect(complaintsOf(cluster, third)[0]?.message).toContain('a majority of the cluster');
    for (const machine of [second, third]) {
      const disk = machine.vfs.processCrashClone();
      for (const file of files) expect(await disk.list(LOG)).toContain(file);
    }
    cluster.kill(second);
    second.vfs = whole;
    await cluster.start(second);
    await cluster.untilLed();
    await untilSettled(cluster, 3);
    for (const machine of cluster.machines) await expectAll(cluster, machine, 'k', 20);
  });
});

describe('a disk that fails to sync', () => {
  it.each(['/data/log/', '/data/tables/'])(
    'ends its node (%s): it steps down everywhere, nothing acknowledged is lost, and it can start again',
    async (failing) => {
      const cluster = new SimCluster({ nodes: 3, seed: 331, memtableBytes: 16 * 1024 });
      await cluster.startAll();
      const victim = cluster.leaderOf('k0');
      const writer = cluster.machines.find((machine) => machine !== victim) as Machine;
      await putMany(cluster, writer, 'k', 10);
      victim.failSync = (path) => (path.startsWith(failing) ? new Error('EIO') : undefined);
      const acknowledged = new Map<string, string>();
      for (let i = 0; i < 120; i++) {
        const [key, value] = [`during${i}`, `${i}`.repeat(300)];
        await cluster.world.resolve('put', cluster.put(writer, key, value));
        acknowledged.set(key, value);
      }
      expect(victim.fatal).toBeDefined();
      expect(victim.life?.alive).toBe(false);
      const others = cluster.machines.filter((machine) => machine !== victim);
      await cluster.untilLed(others);
      victim.failSync = undefined;
      await cluster.start(victim);
      await cluster.untilLed();
      expect(suspectsOf(victim)).toEqual([]);
      for (const [key, value] of acknowledged) {
        expect(await cluster.get(victim, key)).toBe(value);
      }
      await expectAll(cluster, victim, 'k', 10);
    },
  );
});

describe('log segments', () => {
  const bytesOf = (machine: Machine) => machine.active.log.statistics().bytesOnDisk;
  /** About what one call of `fill` writes to every log. */
  const FILL_BYTES = 150 * 550;

  async function fill(cluster: SimCluster, machine: Machine, round: number): Promise<void> {
    const puts = Array.from({ length: 150 }, (_, i) =>
      cluster.put(machine, `fill${round}/${i}`, `${round} ${i} `.repeat(100)),
    );
    await cluster.world.resolve('puts', Promise.all(puts));
  }

  it('go when everything in them is flushed, and who was away for long catches up by snapshots', async () => {
    const cluster = new SimCluster({
      nodes: 3,
      seed: 341,
      shardCount: 2,
      memtableBytes: 16 * 1024,
      segmentBytes: 16 * 1024,
    });
    await cluster.startAll();
    const [first, second, third] = cluster.machines as [Machine, Machine, Machine];
    for (let round = 0; round < 6; round++) {
      await fill(cluster, first, round);
      await cluster.world.run(2_500);
    }
    for (const machine of cluster.machines) {
      expect(bytesOf(machine), machine.name).toBeLessThan(4 * FILL_BYTES);
    }

    cluster.kill(third);
    await cluster.untilLed([first, second]);
    for (let round = 6; round < 12; round++) {
      await fill(cluster, first, round);
      await cluster.world.run(2_500);
    }
    expect(bytesOf(first)).toBeLessThan(4 * FILL_BYTES);
    expect(bytesOf(second)).toBeLessThan(4 * FILL_BYTES);

    await cluster.start(third);
    await cluster.untilLed();
    for (const round of [0, 6, 11]) {
      expect(await cluster.get(third, `fill${round}/77`)).toBe(`${round} 77 `.repeat(100));
    }
    await fill(cluster, first, 12);
    await cluster.world.run(10_000);
    await fill(cluster, first, 13);
    await cluster.world.run(10_000);
    for (const machine of cluster.machines) {
      expect(bytesOf(machine), machine.name).toBeLessThan(4 * FILL_BYTES);
    }
    for (const machine of cluster.machines) cluster.cutPower(machine);
    await cluster.startAll();
    for (let round = 0; round < 14; round++) {
      const reader = cluster.random.pick(cluster.machines);
      expect(await cluster.get(reader, `fill${round}/149`)).toBe(`${round} 149 `.repeat(100));
    }
  });
});
