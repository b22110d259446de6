import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketIds } from '../../broker/packet-ids.ts';

describe('PacketIds', () => {
  it('has as many as the client takes, and never more than there are', () => {
    const few = new PacketIds<string>(2);
    few.take('a');
    few.take('b');
    expect(few.hasRoom).toBe(false);
    const all = new PacketIds<string>(Number.POSITIVE_INFINITY);
    const taken = new Set(Array.from({ length: 65_535 }, () => all.take('a')));
    expect(taken.size).toBe(65_535);
    expect(all.hasRoom).toBe(false);
  });

  it('leaves alone what the client knows from before', () => {
    const ids = new PacketIds<string>(10);
    ids.keep(1, 'resent');
    expect(ids.take('new')).toBe(2);
    expect(ids.owner(1)).toBe('resent');
  });

  it('gives an id to one owner at a time, from 1 to 65,535, and knows whose it is', () => {
    const step = fc.oneof(fc.constant('take' as const), fc.nat(70_000));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const ids = new PacketIds<number>(100);
        const model = new Map<number, number>();
        steps.forEach((each, owner) => {
          if (each !== 'take') {
            const id = [...model.keys()][each % (model.size + 1)] ?? each;
            ids.release(id);
            model.delete(id);
          } else if (ids.hasRoom) {
            const id = ids.take(owner);
            expect(id).toBeGreaterThan(0);
            expect(id).toBeLessThan(65_536);
            expect(model.has(id)).toBe(false);
            model.set(id, owner);
          }
          for (const [id, expected] of model) expect(ids.owner(id)).toBe(expected);
          expect(ids.hasRoom).toBe(model.size < 100);
        });
      }),
    );
  });
});
