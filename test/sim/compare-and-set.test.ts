import { describe, expect, it } from 'vitest';
import type { CompareAndSetOutcome } from '../../broker/data-plane.ts';
import { encode, type Machine, SimCluster, watch } from './cluster.ts';

const UNITS_PER_MS = 4096;

interface Attempt {
  readonly value: string;
  readonly ifVersion: number | null;
  readonly ttlMs?: number;
  readonly token?: Uint8Array;
}

function attempt(machine: Machine, key: string, request: Attempt): Promise<CompareAndSetOutcome> {
  const { value, ifVersion, ttlMs = 0, token } = request;
  return (machine.node as NonNullable<Machine['node']>).dataPlane.compareAndSet({
    key: encode(key),
    value: encode(value),
    ifVersion,
    ttlMs,
    token,
  });
}

/** A token is unlike any other. */
function token(number: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/** The outcome, or undefined if the node is gone before there is one. */
async function outcomeOf(
  cluster: SimCluster,
  machine: Machine,
  request: Promise<CompareAndSetOutcome>,
) {
  const { life } = machine;
  let outcome: CompareAndSetOutcome | undefined;
  void request.then((decided) => {
    if (life?.alive) outcome = decided;
  });
  await cluster.world.until('an outcome', () => outcome !== undefined || !life?.alive);
  return outcome;
}

describe('compare-and-set', () => {
  it('succeeds for the version that is current, and says which one is when it does not', async () => {
    const cluster = new SimCluster({ nodes: 5, seed: 71 });
    await cluster.startAll();
    const ask = (index: number, request: Attempt) =>
      cluster.world.resolve('cas', attempt(cluster.machine(index), 'k', request));
    const first = await ask(0, { value: 'a', ifVersion: null });
    expect(first).toMatchObject({ kind: 'won', expiresAt: undefined });
    const { version } = first as Extract<CompareAndSetOutcome, { kind: 'won' }>;
    expect(await ask(1, { value: 'b', ifVersion: null })).toEqual({ kind: 'lost', version });
    expect(await ask(2, { value: 'b', ifVersion: version - 1 })).toEqual({ kind: 'lost', version });
    expect(await ask(3, { value: 'b', ifVersion: version })).toMatchObject({ kind: 'won' });
    for (const machine of cluster.machines) expect(await cluster.get(machine, 'k')).toBe('b');
    const last = await cluster.world.resolve('put', cluster.put(cluster.machine(4), 'k', ''));
    expect(await ask(0, { value: 'c', ifVersion: last })).toEqual({ kind: 'lost', version: null });
    expect(await ask(1, { value: 'c', ifVersion: null })).toMatchObject({ kind: 'won' });
  });

  it('answers a repetition as it did, as long as its value is current', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 72 });
    await cluster.startAll();
    const ask = (request: Attempt) =>
      cluster.world.resolve('cas', attempt(cluster.machine(0), 'k', request));
    const request = { value: 'mine', ifVersion: null, token: token(1), ttlMs: 60_000 };
    const won = await ask(request);
    expect(won).toMatchObject({ kind: 'won' });
    expect(await ask(request)).toEqual(won);
    const { version } = won as Extract<CompareAndSetOutcome, { kind: 'won' }>;
    expect(await ask({ ...request, token: token(2) })).toEqual({ kind: 'lost', version });
    await ask({ value: 'other', ifVersion: version });
    expect(await ask(request)).toMatchObject({ kind: 'lost' });
  });

  it('decides writes to a key in one batch one after the other', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 73 });
    await cluster.startAll();
    const requests = ['a', 'b', 'c'].map((value) =>
      attempt(cluster.machine(0), 'k', { value, ifVersion: null }),
    );
    const outcomes = await cluster.world.resolve('cas', Promise.all(requests));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['won', 'lost', 'lost']);
    expect(await cluster.get(cluster.machine(1), 'k')).toBe('a');
  });

  it.each([81, 82, 83])(
    'each success sees the one before, with leaders killed (seed %i)',
    async (seed) => {
      const cluster = new SimCluster({ nodes: 3, seed, shardCount: 1, memtableBytes: 32 * 1024 });
      for (const [i, machine] of cluster.machines.entries()) machine.skewMs = (i - 1) * 5_000;
      await cluster.startAll();
      const { world, random } = cluster;
      const wins: { version: number; from: number | null }[] = [];
      let number = 0;
      let stopping = false;
      let running = 2;
      const client = async (name: string) => {
        let known: number | null = null;
        while (!stopping) {
          const usable = cluster.machines.filter((machine) => machine.joined);
          if (usable.length === 0) {
            await world.run(100);
            continue;
          }
          const machine = random.pick(usable);
          const request = { value: `${name}${++number}`, ifVersion: known, token: token(number) };
          const { life } = machine;
          let settled: CompareAndSetOutcome | undefined;
          void attempt(machine, 'counter', request).then((outcome) => {
            if (life?.alive) settled = outcome;
          });
          await new Promise<void>((resolve) => {
            const poll = () =>
              settled !== undefined || !life?.alive ? resolve() : world.at(1, poll);
            poll();
          });
          if (settled?.kind === 'won') {
            wins.push({ version: settled.version, from: known });
            known = settled.version;
          } else if (settled?.kind === 'lost') known = settled.version;
          // Of what failed nobody knows: the next one that loses says what is current.
        }
        running -= 1;
      };
      void client('a');
      void client('b');
      for (let round = 0; round < 4; round++) {
        await world.run(2_000);
        const victim = cluster.leaderOf('counter');
        cluster.kill(victim);
        await world.run(500);
        await cluster.start(victim);
        await cluster.untilLed();
      }
      stopping = true;
      await world.until('the clients end', () => running === 0);
      expect(wins.length).toBeGreaterThan(100);
      const byVersion = wins.toSorted((x, y) => x.version - y.version);
      for (const [i, { version, from }] of byVersion.entries()) {
        const before = byVersion[i - 1]?.version ?? 0;
        // What was won without anybody hearing of it may lie in between, but nothing that was heard of.
        if (from !== null) expect(from).toBeGreaterThanOrEqual(before);
        expect(version).toBeGreaterThan(from ?? 0);
      }
      expect(new Set(wins.map(({ from }) => from)).size).toBe(wins.length);
    },
  );
});

describe('a lease', () => {
  it('is held by one at a time in version order, whatever the clocks and whoever leads', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 91, shardCount: 1 });
    for (const [i, machine] of cluster.machines.entries()) machine.skewMs = (i - 1) * 5_000;
    await cluster.startAll();
    const { world, random } = cluster;
    const held: { version: number; expiresAt: number }[] = [];
    for (let round = 0; round < 60; round++) {
      const usable = cluster.machines.filter((machine) => machine.joined);
      const machine = random.pick(usable);
      const request = {
        value: `holder ${round}`,
        ifVersion: null,
        ttlMs: 1_500,
        token: token(round),
      };
      const outcome = await outcomeOf(cluster, machine, attempt(machine, 'lease', request));
      if (outcome?.kind === 'won') {
        held.push({ version: outcome.version, expiresAt: outcome.expiresAt as number });
      }
      await world.run(random.below(900));
      if (round % 10 !== 9) continue;
      const victim = cluster.leaderOf('lease');
      cluster.kill(victim);
      await cluster.start(victim);
      await cluster.untilLed();
    }
    expect(held.length).toBeGreaterThan(5);
    for (const [i, { version }] of held.entries()) {
      const before = held[i - 1];
      if (before === undefined) continue;
      expect(version).toBeGreaterThanOrEqual(before.expiresAt);
    }
    for (const { version, expiresAt } of held) {
      expect(expiresAt).toBe(version + 1_500 * UNITS_PER_MS);
    }
  });

  it('ends by itself: watchers see its tombstone on every node, in order, once', async () => {
    const cluster = new SimCluster({ nodes: 5, seed: 92, shardCount: 4 });
    await cluster.startAll();
    const watchers = cluster.machines.map((machine) => watch(cluster.dataPlane(machine), '#'));
    await cluster.world.until('snapshots', () => watchers.every((each) => each.snapshotDone));
    const request = { value: 'held', ifVersion: null, ttlMs: 3_000 };
    await cluster.world.resolve('cas', attempt(cluster.machine(0), 'lease', request));
    expect(await cluster.get(cluster.machine(3), 'lease')).toBe('held');
    await cluster.world.until('all see the end', () =>
      watchers.every(({ seen }) => seen.at(-1)?.deleted === true),
    );
    for (const machine of cluster.machines)
      expect(await cluster.get(machine, 'lease')).toBe('<not-found>');
    await cluster.world.run(5_000);
    for (const { seen } of watchers) {
      expect(seen.map(({ text, deleted }) => [text, deleted])).toEqual([
        ['held', false],
        ['', true],
      ]);
    }
  });

  it('ends in time though every node lost its power meanwhile', async () => {
    const cluster = new SimCluster({ nodes: 3, seed: 93, shardCount: 2, memtableBytes: 16 * 1024 });
    await cluster.startAll();
    for (let i = 0; i < 20; i++) {
      const request = { value: 'held', ifVersion: null, ttlMs: 2_000 + i * 100 };
      await cluster.world.resolve('cas', attempt(cluster.machine(i % 3), `lease/${i}`, request));
    }
    for (const machine of cluster.machines) cluster.cutPower(machine);
    await cluster.startAll();
    await cluster.world.run(8_000);
    const keys = { prefix: encode('lease'), after: new Uint8Array(0), limit: 99, values: false };
    const listing = cluster.dataPlane(cluster.machine(1)).list(keys);
    const page = await cluster.world.resolve('list', listing);
    expect(page).toMatchObject({ kind: 'page', items: [] });
  });
});
