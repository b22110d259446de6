import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideLeases, type Holder } from '../../../node/beside/leases.ts';

const well = (node: string, ...links: string[]): Holder => ({ node, state: 'well', links });

describe('leases', () => {
  it('are given out evenly, and always in the same way', () => {
    const nodes = [well('b', 'x', 'y'), well('a', 'x', 'y'), well('c', 'x')];
    expect(decideLeases([], nodes)).toEqual([
      { name: 'x', node: 'a' },
      { name: 'y', node: 'b' },
    ]);
  });

  it('stay with a node that is well, or silent', () => {
    const leases = [{ name: 'x', node: 'b' }];
    expect(decideLeases(leases, [well('a', 'x'), well('b', 'x')])).toBe(leases);
    const silent: Holder = { node: 'b', state: 'silent', links: [] };
    expect(decideLeases(leases, [well('a', 'x'), silent])).toBe(leases);
  });

  it.each<[string, Holder[]]>([
    ['is out', [well('a', 'x'), { node: 'b', state: 'out', links: ['x'] }]],
    ['is not in the cluster', [well('a', 'x')]],
    ['does not have it in its configuration any more', [well('a', 'x'), well('b')]],
  ])('move when their node %s', (_why, nodes) => {
    expect(decideLeases([{ name: 'x', node: 'b' }], nodes)).toEqual([{ name: 'x', node: 'a' }]);
  });

  it('wait for a node that is out while no other has what they are for', () => {
    const leases = [{ name: 'x', node: 'b' }];
    const out: Holder = { node: 'b', state: 'out', links: ['x'] };
    expect(decideLeases(leases, [well('a'), out])).toBe(leases);
  });

  it('end when nobody has what they are for', () => {
    expect(decideLeases([{ name: 'x', node: 'a' }], [well('a')])).toEqual([]);
  });

  it('are one for each name that a node offers which is well, and settle at once', () => {
    const name = fc.constantFrom('x', 'y', 'z');
    const node = fc.constantFrom('a', 'b', 'c', 'd');
    const holders = fc.uniqueArray(
      fc.record({
        node,
        state: fc.constantFrom('well', 'silent', 'out'),
        links: fc.uniqueArray(name),
      }) as fc.Arbitrary<Holder>,
      { selector: (holder) => holder.node },
    );
    const leases = fc.uniqueArray(fc.record({ name, node }), { selector: (lease) => lease.name });
    fc.assert(
      fc.property(leases, holders, (before, nodes) => {
        const after = decideLeases(before, nodes);
        const names = after.map((lease) => lease.name);
        expect(new Set(names).size).toBe(names.length);
        const offered = nodes.filter(({ state }) => state === 'well').flatMap((each) => each.links);
        expect(names).toEqual(expect.arrayContaining(offered));
        expect(decideLeases(after, nodes)).toBe(after);
      }),
    );
  });
});
