import { describe, expect, it } from 'vitest';
import { slotOf } from '../../node/ring/slots.ts';
import { readCurrent } from '../../node/shard/current-values.ts';
import type { Replica } from '../../node/shard/replica.ts';
import { scan } from '../support/scan.ts';
import { hex } from '../support/text.ts';
import { decode, encode, type Machine, put, SimCluster, watch } from './cluster.ts';

/** More seeds: `SOAK_SEEDS=500 npx vitest run test/sim/soak`; from another one on: `SOAK_FIRST_SEED=1000`. */
const { SOAK_SEEDS = '30', SOAK_FIRST_SEED = '1' } = process.env;
const SEEDS = Number(SOAK_SEEDS);
const FIRST_SEED = Number(SOAK_FIRST_SEED);

interface Acknowledged {
  readonly value: string;
  readonly version: number;
}

/** Clients and watchers of a cluster to which everything happens that a network and a disk can do. */
class Soak {
  readonly cluster: SimCluster;
  /** What each key's newest acknowledged write was; 0 is the version of a write that was sent twice. */
  readonly acknowledged = new Map<string, Acknowledged>();
  readonly watchers = new Map<Machine, ReturnType<typeof watch>>();
  writes = 0;
  writing = true;

  constructor(seed: number) {
    this.cluster = new SimCluster({
      nodes: seed % 3 === 0 ? 5 : 3,
      seed,
      shardCount: 2,
      memtableBytes: 16 * 1024,
      segmentBytes: 32 * 1024,
    });
  }

  get usable(): Machine[] {
    return this.cluster.machines.filter((machine) => machine.joined && machine.life?.alive);
  }

  /** Writes its own keys one after the other, each through some node that is there. */
  client(name: string): void {
    const { world, random } = this.cluster;
    const next = () => {
      if (!this.writing) return;
      const usable = this.usable;
      if (usable.length === 0) return world.at(200, next);
      const machine = random.pick(usable);
      const key = `${name}/${random.below(6)}`;
      const value = random.chance(0.15) ? '' : `${++this.writes} `.repeat(1 + random.below(60));
      const life = machine.life;
      const done = () => world.at(1 + random.below(40), next);
      let isOver = false;
      const over = () => {
        if (!isOver) done();
        isOver = true;
      };
      put(this.cluster.dataPlane(machine), key, value).then(
        (version) => {
          if (!life?.alive) return;
          this.acknowledged.set(key, { value, version });
          over();
        },
        () => over(),
      );
      // A client whose node is gone goes to another one.
      const poll = () => {
        if (!life?.alive) over();
        else if (!isOver) world.at(100, poll);
      };
      poll();
    };
    next();
  }

  watchEverywhere(): void {
    for (const machine of this.usable) {
      if (!this.watchers.has(machine)) {
        this.watchers.set(machine, watch(this.cluster.dataPlane(machine), '#'));
      }
    }
  }

  /** Something bad, or something that mends it. */
  async disturb(): Promise<void> {
    const { cluster } = this;
    const { random, network } = cluster;
    const machine = random.pick(cluster.machines);
    const others = cluster.machines.filter((each) => each !== machine);
    switch (random.below(9)) {
      case 0:
        if (machine.life?.alive) cluster.kill(machine);
        break;
      case 1:
        if (machine.life?.alive) cluster.cutPower(machine, random.pick([0, 0.5, 1]));
        break;
      case 2:
        network.partition(
          [machine.address],
          others.map(({ address }) => address),
        );
        break;
      case 3:
        network.cuts.add(`${machine.address}>${random.pick(others).address}`);
        break;
      case 4:
        network.lossRatio = 0.05;
        network.duplicateRatio = 0.05;
        break;
      case 5:
        machine.syncMs = random.pick([1, 20, 150]);
        break;
      case 6:
        for (const each of cluster.machines) {
          if (each.life?.alive && random.chance(0.7)) cluster.cutPower(each, random.pick([0, 0.5]));
        }
        break;
      default:
        network.heal();
        for (const each of cluster.machines) if (!each.life?.alive) await cluster.start(each);
    }
    for (const each of cluster.machines) {
      if (!each.life?.alive) this.watchers.delete(each);
    }
  }

  checkInvariants(): void {
    for (const { node } of this.usable) {
      for (const { raft } of node?.active.host.replicas() ?? []) raft.checkInvariants();
    }
    for (const { fatal } of this.cluster.machines) if (fatal !== undefined) throw fatal;
  }

  async run(steps: number): Promise<void> {
    const { cluster } = this;
    await cluster.startAll();
    for (let i = 0; i < 4; i++) this.client(`c${i}`);
    for (let step = 0; step < steps; step++) {
      this.watchEverywhere();
      await cluster.world.run(50 + cluster.random.below(900));
      this.checkInvariants();
      await this.disturb();
    }
    cluster.network.heal();
    for (const machine of cluster.machines) {
      machine.syncMs = 1;
      if (!machine.life?.alive) await cluster.start(machine);
    }
    await cluster.untilLed();
    this.watchEverywhere();
    await cluster.world.run(1_000);
    this.writing = false;
    await cluster.world.run(15_000);
  }
}

/** Every value, old ones too, that the replica of a group on this machine holds. */
async function contentOf(machine: Machine, group: number): Promise<string[]> {
  const { engine, map } = machine.active;
  const { firstSlot, slotCount } = map.row(group);
  const snapshot = engine.snapshot();
  const end = firstSlot + slotCount;
  const upper = end > 255 ? Uint8Array.of(255, 255, 255) : Uint8Array.of(end);
  const entries = await scan(snapshot, { lower: Uint8Array.of(firstSlot), upper });
  snapshot.close();
  return entries.map(({ key, value }) => `${hex(key)}=${hex(value)}`);
}

/** What a replica holds of a key, deletions included. */
async function storedValue(machine: Machine, key: Uint8Array) {
  const snapshot = machine.active.engine.snapshot();
  const found = await readCurrent(snapshot, slotOf(key, 0, key.length), key);
  snapshot.close();
  return found;
}

describe('a cluster to which everything happens', () => {
  it(`keeps its promises (seeds ${FIRST_SEED} to ${FIRST_SEED + SEEDS - 1})`, {
    timeout: 1_000 * (60 + SEEDS * 4),
  }, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const soak = new Soak(seed);
      try {
        await soak.run(16);
        await check(soak);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  });

  it('does the same again with the same seed', async () => {
    const traces: number[] = [];
    for (let run = 0; run < 2; run++) {
      const soak = new Soak(3);
      await soak.run(8);
      traces.push(soak.cluster.world.trace);
    }
    expect(traces[0]).toBe(traces[1]);
    const other = new Soak(6);
    await other.run(8);
    expect(other.cluster.world.trace).not.toBe(traces[0]);
  });
});

async function check({ cluster, acknowledged, watchers, writes }: Soak): Promise<void> {
  expect(acknowledged.size, 'something was acknowledged').toBeGreaterThan(5);
  expect(writes).toBeGreaterThan(20);
  const current = new Map<string, { version: number; value: string }>();
  for (const [key, { value, version }] of acknowledged) {
    for (const machine of cluster.machines) {
      const reading = cluster.dataPlane(machine).get(encode(key));
      const outcome = await cluster.world.resolve(`get ${key}`, reading);
      if (outcome.kind === 'unavailable')
        throw new Error(`${key} cannot be read from ${machine.name}`);
      const found = outcome.kind === 'found' ? decode(outcome.value) : '';
      if (outcome.kind === 'found') {
        expect(outcome.version, `${key} from ${machine.name}`).toBeGreaterThanOrEqual(version);
        current.set(key, { version: outcome.version, value: found });
        if (outcome.version === version) expect(found, `${key} from ${machine.name}`).toBe(value);
      }
    }
  }
  for (const [machine, watching] of watchers) {
    expect(watching.snapshotDone, `the snapshot on ${machine.name}`).toBe(true);
    const newest = new Map<string, { version: number; value: string }>();
    for (const { keyText, text, version, snapshot } of watching.seen) {
      const before = newest.get(keyText)?.version ?? 0;
      const isInOrder = snapshot ? version >= before : version > before;
      expect(isInOrder, `${keyText} on ${machine.name}: ${version} after ${before}`).toBe(true);
      newest.set(keyText, { version, value: text });
    }
    for (const [key, { version, value }] of current) {
      expect(newest.get(key), `${key} as watched on ${machine.name}`).toEqual({ version, value });
    }
    for (const [key, { value }] of newest) {
      if (!current.has(key)) expect(value, `${key} as watched on ${machine.name}`).toBe('');
    }
  }
  await checkReplicas(cluster, acknowledged);
}

/** All replicas of a group are at the same place, at or after everything acknowledged, and hold the same. */
async function checkReplicas(
  cluster: SimCluster,
  acknowledged: ReadonlyMap<string, Acknowledged>,
): Promise<void> {
  const { map, suspects } = cluster.machine(0).active;
  expect(suspects).toEqual([]);
  for (const { group } of map.shards()) {
    const holders = cluster.machines.filter(
      ({ node }) => node?.active.host.replica(group) !== undefined,
    );
    const states = holders.map((holder) => {
      const { state } = holder.active.host.replica(group) as Replica;
      const streams = [...state.streams.entries()];
      return { applied: state.appliedIndex, highest: state.highestVersion, streams };
    });
    for (const state of states) expect(state, `group ${group}`).toEqual(states[0]);
    for (const [key, { version, value }] of acknowledged) {
      const bytes = encode(key);
      if (map.groupOf(bytes, 0, bytes.length) !== group) continue;
      const found = await storedValue(holders[0] as Machine, bytes);
      expect(found?.version, key).toBeGreaterThanOrEqual(version);
      if (found?.version === version) expect(decode(found.value), key).toBe(value);
    }
    const contents = await Promise.all(holders.map((machine) => contentOf(machine, group)));
    for (const content of contents) expect(content, `group ${group}`).toEqual(contents[0]);
  }
}
