import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../support/random.ts';
import { ToyCluster, type ToyNode } from './toy-cluster.ts';

const limits = { receivingPerNodeMax: 2, receivingMax: 4, transfersMax: 4 };

const newNode = (index: number, zone = ''): ToyNode => ({
  id: `node-${index}`,
  ...{ zone, state: 'active', isUp: true, isFull: false },
});

function toyCluster(options: {
  readonly seed: number;
  readonly nodeCount: number;
  readonly shardCount: number;
  readonly lossRate?: number;
  readonly zones?: readonly string[];
}): { cluster: ToyCluster; below: (bound: number) => number } {
  const random = new SeededRandom(options.seed);
  const { nodeCount, shardCount, lossRate = 0, zones = [''] } = options;
  const chance = () => random.below(1_000_000) / 1_000_000;
  const rest = { replicationFactor: 3, limits, chance, fillRounds: 3, lossRate };
  const nodes = Array.from({ length: nodeCount }, (_, i) => newNode(i, zones[i % zones.length]));
  return { cluster: new ToyCluster({ shardCount, ...rest }, nodes), below: (n) => random.below(n) };
}

/** Rounds until two in a row had nothing to do. */
function runToRest(cluster: ToyCluster, roundsMax: number): number {
  const begin = cluster.rounds;
  for (let idle = 0; idle < 3; ) {
    idle = cluster.round() ? 0 : idle + 1;
    expect(cluster.rounds - begin, 'rounds to rest').toBeLessThanOrEqual(roundsMax);
  }
  return cluster.rounds - begin;
}

const holdersOf = (cluster: ToyCluster) =>
  cluster.groups.map(({ voters, learners }) => [...voters, ...learners].map(({ node }) => node));

/** What the target has that the truth has not. */
function difference(cluster: ToyCluster): number {
  const targets = cluster.targets();
  return cluster.groups.reduce((sum, { group }, index) => {
    const { voters = [], learners = [] } = targets.get(group) ?? {};
    const held = holdersOf(cluster)[index] ?? [];
    return sum + [...voters, ...learners].filter((node) => !held.includes(node)).length;
  }, 0);
}

function expectLeadersSpread(cluster: ToyCluster): void {
  const active = cluster.nodes.filter(({ state, isUp }) => state === 'active' && isUp);
  const counts = active.map(
    ({ id }) => cluster.groups.filter(({ group, leader }) => group > 0 && leader === id).length,
  );
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
}

describe('a quiet cluster', () => {
  it('moves exactly the difference when nodes join and leave, and rests with leaders spread', () => {
    const sizes = [1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1];
    const { cluster } = toyCluster({ seed: 1, nodeCount: 1, shardCount: 16 });
    runToRest(cluster, 20);
    for (const [step, size] of sizes.entries()) {
      const active = cluster.nodes.filter(({ state }) => state === 'active');
      if (active.length < size) cluster.nodes.push(newNode(100 + step));
      else for (const node of active.slice(size)) node.state = 'leaving';
      const created = cluster.created;
      const moves = difference(cluster);
      const rounds = runToRest(cluster, 30 + 6 * moves);
      expect(cluster.created - created).toBe(moves);
      expect(cluster.isReached).toBe(true);
      expectLeadersSpread(cluster);
      for (const { id } of cluster.nodes.filter(({ state }) => state === 'leaving')) {
        expect(holdersOf(cluster).flat()).not.toContain(id);
      }
      expect(rounds).toBeGreaterThan(0);
    }
  });

  it('stays as genesis made it', () => {
    for (const nodeCount of [1, 2, 3, 4, 5, 7]) {
      const { cluster } = toyCluster({ seed: nodeCount, nodeCount, shardCount: 64 });
      runToRest(cluster, 40);
      expect(cluster.created).toBe(0);
      expectLeadersSpread(cluster);
    }
  });

  it('repairs what a dead node held, with two copies left and no leader there', () => {
    const { cluster } = toyCluster({ seed: 5, nodeCount: 5, shardCount: 64 });
    runToRest(cluster, 40);
    const dead = cluster.nodes[3] as ToyNode;
    dead.isUp = false;
    runToRest(cluster, 20);
    expect(cluster.created).toBe(0);
    dead.state = 'dead';
    const moves = difference(cluster);
    runToRest(cluster, 30 + 6 * moves);
    expect(cluster.created).toBe(moves);
    expect(cluster.isReached).toBe(true);
    expect(holdersOf(cluster).flat()).not.toContain(dead.id);
  });

  it('keeps the place of a dead node among three, until another comes', () => {
    const { cluster } = toyCluster({ seed: 7, nodeCount: 3, shardCount: 8 });
    const dead = cluster.nodes[1] as ToyNode;
    dead.isUp = false;
    dead.state = 'dead';
    runToRest(cluster, 30);
    for (const { voters } of cluster.groups) expect(voters).toHaveLength(3);
    expect(cluster.created).toBe(0);

    cluster.nodes.push(newNode(9));
    runToRest(cluster, 200);
    expect(cluster.isReached).toBe(true);
    expect(cluster.created).toBe(9);
    expect(holdersOf(cluster).flat()).not.toContain(dead.id);
  });

  it('shrinks to one voter when one of three is dead and another is told to leave', () => {
    const { cluster } = toyCluster({ seed: 8, nodeCount: 3, shardCount: 8 });
    const [, dead, leaving] = cluster.nodes as [ToyNode, ToyNode, ToyNode];
    dead.isUp = false;
    dead.state = 'dead';
    leaving.state = 'leaving';
    runToRest(cluster, 60);
    expect(new Set(holdersOf(cluster).flat())).toEqual(new Set(['node-0']));
  });

  it('replaces every suspect of a node, two at a time', () => {
    const { cluster } = toyCluster({ seed: 9, nodeCount: 3, shardCount: 16 });
    runToRest(cluster, 40);
    for (const { voters } of cluster.groups) {
      for (const replica of voters) if (replica.node === 'node-2') replica.isSuspect = true;
    }
    runToRest(cluster, 120);
    expect(cluster.created).toBe(17);
    expect(cluster.isReached).toBe(true);
    expectLeadersSpread(cluster);
  });
});

type Happening = 'fail' | 'return' | 'die' | 'join' | 'leave' | 'stay' | 'suspect' | 'full';
const happenings = ['fail', 'return', 'die', 'join', 'leave', 'stay', 'suspect', 'full'] as const;

/** Makes something happen that no group loses its majority by. */
function happen(cluster: ToyCluster, what: Happening, below: (bound: number) => number): void {
  const { nodes, groups } = cluster;
  const node = nodes[below(nodes.length)] as ToyNode;
  const active = nodes.filter(({ state }) => state === 'active');
  const isThere = node.state === 'active' || node.state === 'leaving';
  switch (what) {
    case 'fail':
      if (isThere && cluster.survives({ node: node.id })) node.isUp = false;
      return;
    case 'return':
      if (isThere) node.isUp = true;
      return;
    case 'die':
      if (isThere && !node.isUp && cluster.survives({})) node.state = 'dead';
      return;
    case 'join':
      if (active.length < 7) nodes.push(newNode(nodes.length, 'xyz'[below(3)]));
      return;
    case 'leave':
      if (node.state === 'active' && active.length > 1) node.state = 'leaving';
      return;
    case 'stay':
      if (node.state === 'leaving') node.state = 'active';
      return;
    case 'suspect': {
      const { voters = [], learners = [] } = groups[below(groups.length)] ?? {};
      const replica = [...voters, ...learners][below(voters.length + learners.length)];
      if (replica !== undefined && cluster.survives({ replica })) replica.isSuspect = true;
      return;
    }
    case 'full':
      node.isFull = !node.isFull;
  }
}

describe('a cluster to which anything may happen', () => {
  it('comes to its target when that ends, and never breaks a rule on the way', () => {
    const anyHistory = fc.record({
      seed: fc.nat(),
      nodeCount: fc.integer({ min: 1, max: 6 }),
      shardCount: fc.integer({ min: 1, max: 8 }),
      lossRate: fc.constantFrom(0, 0.1, 0.4),
      zones: fc.constantFrom([''], ['x', 'y'], ['x', 'y', 'z']),
      happenings: fc.array(fc.constantFrom(...happenings), { maxLength: 30 }),
    });
    const property = fc.property(anyHistory, (history) => {
      const { cluster, below } = toyCluster(history);
      for (const what of history.happenings) {
        happen(cluster, what, below);
        for (let rounds = below(6); rounds > 0; rounds--) cluster.round();
      }
      for (const node of cluster.nodes) {
        node.isFull = false;
        if (node.state !== 'dead') node.isUp = true;
      }
      runToRest(cluster, 600);
      expect(cluster.truths()).toHaveLength(cluster.groups.length);
      expect(cluster.isReached).toBe(true);
    });
    fc.assert(property, { numRuns: 1_000 });
  });
});
