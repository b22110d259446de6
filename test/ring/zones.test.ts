import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeReplicas, type ShardPlacement } from '../../node/ring/placement.ts';
import { shardLayout } from '../../node/ring/slots.ts';
import { SeededRandom } from '../support/random.ts';

const shards = shardLayout(64);
const draws = 50;

const replicasOf = ({ voters, learners }: ShardPlacement) => [...voters, ...learners];

/** Nodes with random names, dealt to `zoneCount` zones in turn: `3.2f…` is in zone 3. */
function drawNodes(count: number, zoneCount: number, draw: number) {
  const random = new SeededRandom(draw * 64 + count);
  return Array.from({ length: count }, (_, index) => ({
    id: `${index % zoneCount}.${random.below(2 ** 32).toString(16)}`,
    weight: 1,
    zone: `${index % zoneCount}`,
    state: 'active' as const,
  }));
}

const zonesOf = (ids: readonly string[]) => new Set(ids.map((id) => id.split('.')[0])).size;

function place(nodes: ReturnType<typeof drawNodes>, replicationFactor = 3): string[][] {
  return placeReplicas({ nodes, shards, replicationFactor }).map(replicasOf);
}

describe.each([3, 4, 5, 6, 7, 8, 9])('%i nodes in three zones', (count) => {
  it('hold every shard in each of them, and no more than 1.16 × what that makes their share', () => {
    for (let draw = 0; draw < draws; draw++) {
      const nodes = drawNodes(count, 3, draw);
      const placement = place(nodes);
      for (const ids of placement) expect(zonesOf(ids)).toBe(3);
      for (const { id, zone } of nodes) {
        const held = placement.filter((ids) => ids.includes(id)).length;
        const neighbours = nodes.filter((other) => other.zone === zone).length;
        expect(held).toBeLessThanOrEqual((1.16 * shards.length) / neighbours);
      }
    }
  });

  it('take a further node within its zone: at most 1.4 × its share of that zone moves', () => {
    for (let draw = 0; draw < draws; draw++) {
      const nodes = drawNodes(count + 1, 3, draw);
      const before = place(nodes.slice(0, count));
      const moved = place(nodes).flatMap((ids, i) => ids.filter((id) => !before[i]?.includes(id)));
      const neighbours = nodes.filter(({ zone }) => zone === nodes.at(-1)?.zone).length;
      expect(moved.length).toBeLessThanOrEqual((1.4 * shards.length) / neighbours);
    }
  });
});

it('of two zones both hold nearly every shard', () => {
  for (let count = 2; count <= 10; count++) {
    let alone = 0;
    for (let draw = 0; draw < draws; draw++) {
      alone += place(drawNodes(count, 2, draw)).filter((ids) => zonesOf(ids) < 2).length;
    }
    expect(alone).toBeLessThanOrEqual(0.005 * draws * shards.length);
  }
});

it('a zone of one node still holds every shard', () => {
  for (const zones of ['abbbb', 'abbcc', 'abb']) {
    const nodes = [...zones].map((zone, index) => ({
      id: `${zone}.${index}`,
      weight: 1,
      zone,
      state: 'active' as const,
    }));
    const placement = place(nodes);
    for (const ids of placement) expect(zonesOf(ids)).toBe(new Set(zones).size);
  }
});

it('zones never cost a replica, and one zone is as good as none', () => {
  const anyNode = fc.record({
    id: fc.string({ minLength: 1, maxLength: 8 }),
    weight: fc.double({ min: 0.01, max: 20, noNaN: true }),
    zone: fc.constantFrom('', 'a', 'b', 'c'),
    state: fc.constant('active' as const),
  });
  const anyNodes = fc.uniqueArray(anyNode, { maxLength: 8, selector: ({ id }) => id });
  fc.assert(
    fc.property(anyNodes, fc.integer({ min: 1, max: 6 }), (nodes, replicationFactor) => {
      const placement = placeReplicas({ nodes, shards, replicationFactor });
      for (const shard of placement) {
        expect(new Set(replicasOf(shard)).size).toBe(Math.min(replicationFactor, nodes.length));
      }
      const inOneZone = nodes.map((node) => ({ ...node, zone: 'a' }));
      const inNone = nodes.map(({ zone: _, ...node }) => node);
      expect(placeReplicas({ nodes: inOneZone, shards, replicationFactor })).toEqual(
        placeReplicas({ nodes: inNone, shards, replicationFactor }),
      );
    }),
  );
});

it('of four replicas the learner is one that shares its zone', () => {
  for (let draw = 0; draw < draws; draw++) {
    const nodes = drawNodes(6, 3, draw);
    for (const { voters, learners } of placeReplicas({ nodes, shards, replicationFactor: 4 })) {
      expect(learners).toHaveLength(1);
      expect(zonesOf(voters)).toBe(3);
    }
  }
});
