import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowFromWire, rowToWire } from '../../../node/dataplane/map-codec.ts';
import {
  acknowledgedCopies,
  type MapChange,
  type Place,
  type PlaceRole,
  ShardMap,
} from '../../../node/dataplane/shard-map.ts';
import { createGenesis } from '../../../node/membership/genesis.ts';
import { cluster, decode, encode } from '../../../protos/index.ts';

const GROUP = 1;
const voters = (...nodes: string[]): Place[] => nodes.map((node) => ({ node, role: 'voter' }));
const learners = (...nodes: string[]): Place[] => nodes.map((node) => ({ node, role: 'learner' }));

/** A map of one shard on a, b and c, in a cluster of these and others. */
function fixture(...others: string[]) {
  const nodes = ['a', 'b', 'c'].map((node) => ({ node, name: node, mqttAddress: '' }));
  const genesis = { clusterId: 'x', nowMs: 1, replicationFactor: 3, shardCount: 1, nodes };
  const members = new Set(['a', 'b', 'c', ...others]);
  const map = new ShardMap(createGenesis(genesis), {
    has: (node) => members.has(node),
    others: () => [...members].filter((node) => node !== 'a'),
  });
  const changes: MapChange[] = [];
  map.onChange((change) => changes.push(change));
  const report = (node: string, term: number, index = 0, places: Place[] = []) =>
    map.report(GROUP, {
      node,
      term,
      ...(places.length === 0 ? {} : { configuration: { index, places } }),
    });
  return { map, members, changes, report };
}

/** As it arrives at another node. */
function sent(map: ShardMap) {
  const { row } = rowToWire(map.find(GROUP));
  return rowFromWire(decode(cluster.MapRow, encode(cluster.MapRow, row ?? {})));
}

describe('a report of who leads a group', () => {
  it('is news in every newer term, of the same node too: what it was sent before may be lost', () => {
    const { map, report } = fixture();
    expect(report('a', 3)).toBe(true);
    expect(report('a', 3)).toBe(false);
    expect(report('b', 2)).toBe(false);
    expect(map.leaderOf(GROUP)).toBe('a');
    expect(report('a', 4)).toBe(true);
    expect(report('b', 5)).toBe(true);
    expect(map.candidates(GROUP)[0]).toBe('b');
  });

  it('says nothing of who is in the group, if our own Raft made it', () => {
    const { map, report } = fixture('d');
    report('a', 3, 7, voters('a', 'b', 'd'));
    report('b', 4);
    expect(map.row(GROUP).replicas).toEqual(['a', 'b', 'd']);
    expect(map.candidates(GROUP)).toEqual(['b', 'a', 'd']);
  });
});

describe('a report of who is in a group', () => {
  it('takes the place of the genesis, voters first, each node once', () => {
    const { map, report } = fixture('d', 'e');
    expect([...map.row(GROUP).replicas].sort()).toEqual(['a', 'b', 'c']);
    const swapped: Place[] = [
      ...learners('e'),
      { node: 'b', role: 'outgoing' },
      ...voters('a', 'b', 'd'),
    ];
    report('a', 3, 9, swapped);
    expect(map.row(GROUP).replicas).toEqual(['a', 'b', 'd', 'e']);
  });

  it('of a later configuration wins, and of a later term whatever its configuration', () => {
    const { map, report } = fixture('d');
    report('a', 3, 9, voters('a', 'b', 'd'));
    report('a', 3, 8, voters('a', 'b', 'c'));
    expect(map.row(GROUP).replicas, 'an old one').toEqual(['a', 'b', 'd']);
    // The configuration at 9 was never committed, and the leader of the next term has cut it from its log.
    report('b', 4, 8, voters('a', 'b', 'c'));
    expect(map.row(GROUP).replicas).toEqual(['a', 'b', 'c']);
    report('a', 3, 10, voters('a', 'd'));
    expect(map.row(GROUP).replicas, 'of a leader that is none any more').toEqual(['a', 'b', 'c']);
  });

  it('of a group that does not exist is nothing', () => {
    const { map, changes } = fixture();
    expect(map.report(99, { node: 'a', term: 1 })).toBe(false);
    expect(rowToWire(map.find(99))).toEqual({});
    expect(changes).toEqual([]);
  });

  it('is told to who listens, if it changes anything', () => {
    const { changes, report } = fixture('d');
    report('a', 3, 9, voters('a', 'b', 'd'));
    report('a', 3, 9, voters('a', 'b', 'd'));
    report('a', 3, 10, voters('a', 'b', 'c'));
    expect(changes).toEqual([
      { group: GROUP, isNewLeader: true },
      { group: GROUP, isNewLeader: false },
    ]);
  });
});

describe('where to try for a group', () => {
  it('is the leader, its other replicas, and after these every other member', () => {
    const { map, report } = fixture('d', 'e');
    report('d', 3, 9, voters('b', 'c', 'd'));
    expect(map.candidates(GROUP)).toEqual(['d', 'b', 'c']);
    expect(map.allCandidates(GROUP)).toEqual(['d', 'b', 'c', 'e']);
    expect(map.likeliest(GROUP)).toBe('d');
  });

  it('is never a node that has left', () => {
    const { map, members, report } = fixture('d', 'e');
    report('d', 3, 9, voters('b', 'c', 'd'));
    members.delete('d');
    expect(map.candidates(GROUP)).toEqual(['b', 'c']);
    expect(map.likeliest(GROUP)).toBe('b');
    members.delete('b');
    members.delete('c');
    expect(map.allCandidates(GROUP), 'nobody that the map knows is left').toEqual(['e']);
    expect(map.likeliest(GROUP)).toBeUndefined();
  });
});

describe('a row of another node', () => {
  it('counts as if its leaders had reported here, so nodes that exchange rows know the same', () => {
    const role = fc.constantFrom<PlaceRole>('voter', 'outgoing', 'learner');
    const place = fc.record({ node: fc.constantFrom('a', 'b', 'c', 'd'), role });
    // There is one leader of a term, and its configuration at an index is one.
    const reports = fc.uniqueArray(
      fc.record({
        node: fc.constantFrom('a', 'b', 'c', 'd'),
        term: fc.integer({ min: 1, max: 6 }),
        index: fc.integer({ min: 1, max: 20 }),
        places: fc.array(place, { maxLength: 4 }),
        isHere: fc.boolean(),
      }),
      { selector: ({ term }) => term, maxLength: 6 },
    );
    fc.assert(
      fc.property(reports, (all) => {
        const [here, there, both] = [fixture('d'), fixture('d'), fixture('d')];
        for (const { node, term, index, places, isHere } of all) {
          (isHere ? here : there).report(node, term, index, places);
          both.report(node, term, index, places);
        }
        here.map.relay(GROUP, sent(there.map));
        there.map.relay(GROUP, sent(here.map));
        expect(here.map.row(GROUP)).toEqual(both.map.row(GROUP));
        expect(there.map.row(GROUP)).toEqual(both.map.row(GROUP));
      }),
    );
  });

  it('that stems from the genesis says nothing', () => {
    const { map, report } = fixture('d');
    report('a', 3, 9, voters('a', 'b', 'd'));
    expect(map.relay(GROUP, sent(fixture().map))).toBe(false);
    expect(map.row(GROUP)).toMatchObject({ leader: { node: 'a' }, replicas: ['a', 'b', 'd'] });
  });
});

describe('how many copies an acknowledged write has', () => {
  const outgoing = (...nodes: string[]) =>
    nodes.map((node) => ({ node, role: 'outgoing' as const }));
  it.each([
    ['one voter and a warm copy', [...voters('a'), ...learners('b')], 1],
    ['three voters', voters('a', 'b', 'c'), 2],
    ['five voters', voters('a', 'b', 'c', 'd', 'e'), 3],
    ['from one to three', voters('a', 'b', 'c'), 2],
    ['from three to one', [...voters('a'), ...outgoing('b', 'c')], 2],
    ['one of three is swapped', [...voters('a', 'b', 'd'), ...outgoing('c')], 2],
  ])('%s', (_what, places, copies) => {
    expect(acknowledgedCopies({ places })).toBe(copies);
  });
});
