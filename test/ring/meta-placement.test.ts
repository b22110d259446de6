import fc from 'fast-check';
import { expect, it } from 'vitest';
import { placeMeta } from '../../node/ring/meta-placement.ts';
import type { NodeState } from '../../node/ring/placement.ts';

const node = (id: string, zone = '', state: NodeState = 'active') => ({
  id,
  zone,
  state,
  weight: 1,
});
const place = (ids: string, current: string) =>
  placeMeta({ nodes: [...ids].map((id) => node(id)), current: [...current] }).sort();

it('has 1 voter on one or two nodes, 3 on three or four, 5 on more', () => {
  const counts = ['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef', 'abcdefg'].map(
    (ids) => place(ids, '').length,
  );
  expect(counts).toEqual([0, 1, 1, 3, 3, 5, 5, 5]);
});

it('keeps whom it has', () => {
  expect(place('abcd', 'bcd')).toEqual(['b', 'c', 'd']);
  expect(place('abcde', 'cd')).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(place('ab', 'b')).toEqual(['b']);
});

it('gives nothing to nodes that are leaving, dead or not there yet', () => {
  const states: NodeState[] = ['leaving', 'dead', 'gone', 'joining'];
  const nodes = [...states.map((state, i) => node(`a${i}`, '', state)), node('b')];
  expect(placeMeta({ nodes, current: ['a0', 'a1'] })).toEqual(['b']);
});

it('leaves a crowded zone for an empty one', () => {
  const nodes = [node('a', 'x'), node('b', 'x'), node('c', 'x'), node('d', 'y')];
  expect(placeMeta({ nodes, current: ['a', 'b', 'c'] }).sort()).toEqual(['a', 'b', 'd']);
});

it('rests once it is reached, and does not depend on the order of nodes', () => {
  const anyNode = fc.record({
    id: fc.string({ minLength: 1, maxLength: 4 }),
    weight: fc.constant(1),
    zone: fc.constantFrom('', 'a', 'b'),
    state: fc.constantFrom<NodeState>('active', 'active', 'leaving', 'dead'),
  });
  const anyNodes = fc.uniqueArray(anyNode, { maxLength: 9, selector: ({ id }) => id });
  fc.assert(
    fc.property(anyNodes, fc.integer({ min: 0, max: 5 }), (nodes, currentCount) => {
      const current = nodes.slice(0, currentCount).map(({ id }) => id);
      const voters = placeMeta({ nodes, current });
      expect(placeMeta({ nodes: nodes.toReversed(), current })).toEqual(voters);
      expect(placeMeta({ nodes, current: voters }).sort()).toEqual(voters.toSorted());
    }),
  );
});
