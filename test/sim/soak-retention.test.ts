import { expect, it } from 'vitest';
import type { HistoricValue, HistoryOutcome } from '../../broker/data-plane.ts';
import { removeRetention, setRetention } from '../../node/settings/settings.ts';
import { decode, encode, type Machine, SimCluster } from './cluster.ts';

/** More seeds: `SOAK_SEEDS=200 npx vitest run test/sim/soak-retention`; from another one on: `SOAK_FIRST_SEED=1000`. */
const { SOAK_SEEDS = '3', SOAK_FIRST_SEED = '1' } = process.env;
const SEEDS = Number(SOAK_SEEDS);
const FIRST_SEED = Number(SOAK_FIRST_SEED);
const KEYS = ['a', 'a/b', 'a/b/c', 'd/e', 'f'];
const UNITS_PER_MS = 4096;

/** Writers of all kinds, somebody who changes the rules, and somebody who watches what can be seen. */
class RetentionSoak {
  readonly cluster: SimCluster;
  working = true;
  /** Of each key the versions that were seen, and those that were seen no more. */
  readonly #seen = new Map<string, Set<number>>();
  readonly #gone = new Map<string, Set<number>>();
  reads = 0;
  hidden = 0;
  #number = 0;

  constructor(seed: number) {
    this.cluster = new SimCluster({
      nodes: 3,
      seed,
      shardCount: 2,
      memtableBytes: 8 * 1024,
      segmentBytes: 32 * 1024,
    });
  }

  get usable(): Machine[] {
    return this.cluster.machines.filter(({ joined, life }) => joined && life?.alive);
  }

  /** Does something at some node every now and then; what comes of it is nobody's business. */
  loop(pauseMs: number, work: (machine: Machine) => Promise<unknown>): void {
    const { world, random } = this.cluster;
    const next = () => {
      if (!this.working) return;
      const { usable } = this;
      if (usable.length > 0) void work(random.pick(usable)).catch(() => {});
      world.at(1 + random.below(pauseMs), next);
    };
    next();
  }

  write(machine: Machine): Promise<unknown> {
    const { random, world } = this.cluster;
    const plane = this.cluster.dataPlane(machine);
    const key = random.pick(KEYS);
    const value = random.chance(0.15) ? '' : `${++this.#number} `.repeat(1 + random.below(40));
    const wallMs = Date.UTC(2026, 0, 1) + world.nowMs;
    const age = random.pick([0, 0, 500, 5_000, 60_000]) + random.below(50);
    const time = random.chance(0.5) ? 0 : (wallMs - age - Date.UTC(2020, 0, 1)) * UNITS_PER_MS;
    const ttlMs = random.chance(0.2) && value !== '' ? 100 + random.below(3_000) : 0;
    if (random.chance(0.2)) {
      const ifVersion = null;
      return plane.compareAndSet({
        key: encode(key),
        value: encode(value),
        ifVersion,
        ttlMs,
        token: undefined,
      });
    }
    const bytes = encode(key + value);
    const keyEnd = encode(key).length;
    const sink = { writeCommitted: () => {}, writeFailed: () => {}, writesDrained: () => {} };
    plane.write(sink, 1, bytes, 0, keyEnd, keyEnd, bytes.length, time, ttlMs);
    return Promise.resolve();
  }

  changeRules({ active }: Machine): Promise<unknown> {
    const { random } = this.cluster;
    const prefix = random.pick(['', 'a', 'a/b', 'd']);
    if (random.chance(0.3)) return active.settings.change((now) => removeRetention(now, prefix));
    const rule = {
      prefix,
      keepMs: random.pick([undefined, 0, 1_000, 10_000, 3_600_000]),
      versions: random.pick([0, 0, 1, 3, 10]),
      ttlMs: random.pick([0, 0, 0, 2_000]),
    };
    return active.settings.change((now) => setRetention(now, rule));
  }

  /** Nothing that was hidden once is ever seen again, whoever is asked. */
  async look(machine: Machine): Promise<void> {
    const key = this.cluster.random.pick(KEYS);
    const items = await this.history(machine, key);
    if (items === undefined) return;
    this.reads += 1;
    const versions = new Set(items.map(({ version }) => version));
    const gone = this.#gone.get(key) ?? new Set();
    for (const version of versions) {
      expect(gone.has(version), `${key}: version ${version} is back on ${machine.name}`).toBe(
        false,
      );
    }
    for (const version of this.#seen.get(key) ?? []) if (!versions.has(version)) gone.add(version);
    this.hidden += gone.size;
    this.#gone.set(key, gone);
    this.#seen.set(key, versions);
  }

  async history(machine: Machine, key: string): Promise<readonly HistoricValue[] | undefined> {
    const { world } = this.cluster;
    const { life } = machine;
    const range = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 10_000, ascending: false };
    let answer: HistoryOutcome | undefined;
    const reading = this.cluster.dataPlane(machine).history({ key: encode(key), ...range });
    void reading.then((outcome) => {
      answer = outcome;
    });
    await world.until('an answer', () => answer !== undefined || !life?.alive);
    return answer?.kind === 'page' && life?.alive ? answer.items : undefined;
  }

  async disturb(): Promise<void> {
    const { cluster } = this;
    const { random, network } = cluster;
    const machine = random.pick(cluster.machines);
    const others = cluster.machines.filter((each) => each !== machine);
    switch (random.below(6)) {
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
      default:
        network.heal();
        for (const each of cluster.machines) if (!each.life?.alive) await cluster.start(each);
    }
  }

  async run(): Promise<void> {
    const { cluster } = this;
    for (const [i, machine] of cluster.machines.entries()) machine.skewMs = (i - 1) * 300;
    await cluster.startAll();
    for (let i = 0; i < 3; i++) this.loop(60, (machine) => this.write(machine));
    this.loop(4_000, (machine) => this.changeRules(machine));
    for (let step = 0; step < 16; step++) {
      for (let i = 0; i < 4; i++) {
        await cluster.world.run(cluster.random.below(1_500));
        const { usable } = this;
        if (usable.length > 0) await this.look(cluster.random.pick(usable));
      }
      await this.disturb();
    }
    cluster.network.heal();
    for (const machine of cluster.machines) if (!machine.life?.alive) await cluster.start(machine);
    this.working = false;
    await cluster.untilLed();
    await cluster.world.run(70_000);
  }
}

it(`what is hidden stays hidden, and all replicas show the same (seeds ${FIRST_SEED} to ${FIRST_SEED + SEEDS - 1})`, {
  timeout: 1_000 * (60 + SEEDS * 10),
}, async () => {
  let hidden = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const soak = new RetentionSoak(seed);
    try {
      await soak.run();
      for (const { fatal } of soak.cluster.machines) if (fatal !== undefined) throw fatal;
      for (const key of KEYS) {
        const shown = [];
        for (const machine of soak.cluster.machines) {
          const items = await soak.history(machine, key);
          shown.push(
            items?.map(({ version, time, value, deleted }) => [
              version,
              time,
              decode(value),
              deleted,
            ]),
          );
        }
        expect(shown[0], `${key} can be read`).toBeDefined();
        for (const each of shown) expect(each, key).toEqual(shown[0]);
      }
      expect(soak.reads).toBeGreaterThan(20);
      hidden += soak.hidden;
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message.slice(0, 2_000)}`, {
        cause: error,
      });
    }
  }
  expect(hidden, 'something was hidden').toBeGreaterThan(100);
});
