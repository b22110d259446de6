import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketIds } from '../../broker/packet-ids.ts';

describe('PacketIds', () => {
  it('keeps the ids of the session where it can', () => {
    const ids = new PacketIds();
    expect(ids.toWire(17)).toBe(17);
    expect(ids.toWire(17)).toBe(17);
    expect(ids.owner(17)).toBe(17);
  });

  it('renames an id of the session that is in use, in both directions', () => {
    const ids = new PacketIds();
    const own = ids.takeOwn() as number;
    const wire = ids.toWire(own) as number;
    expect(wire).not.toBe(own);
    expect(ids.owner(wire)).toBe(own);
    expect(ids.owner(own)).toBe('own');
    expect(ids.toWire(own)).toBe(wire);
    ids.release(wire);
    ids.release(own);
    expect(ids.size).toBe(0);
    expect(ids.toWire(own)).toBe(own);
  });

  it('has 65,535 ids and says when they are used up', () => {
    const ids = new PacketIds();
    const taken = new Set(Array.from({ length: 65_535 }, () => ids.takeOwn()));
    expect(taken.size).toBe(65_535);
    expect(ids.takeOwn()).toBeUndefined();
    expect(ids.toWire(5)).toBeUndefined();
    ids.release(1_234);
    expect(ids.takeOwn()).toBe(1_234);
  });

  it('never gives one id to two, whatever happens', () => {
    const steps = fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 65_525, max: 65_535 })));
    fc.assert(
      fc.property(steps, (todo) => {
        const ids = new PacketIds();
        const inFlight = new Map<number, number | 'own'>();
        for (const [action, id] of todo) {
          if (action === 0) {
            const own = ids.takeOwn() as number;
            expect(inFlight.has(own)).toBe(false);
            inFlight.set(own, 'own');
          } else if (action === 1) {
            const wire = ids.toWire(id) as number;
            if (inFlight.has(wire)) expect(inFlight.get(wire)).toBe(id);
            inFlight.set(wire, id);
          } else {
            ids.release(id);
            inFlight.delete(id);
          }
          for (const [wire, owner] of inFlight) expect(ids.owner(wire)).toBe(owner);
          expect(ids.size).toBe(inFlight.size);
        }
      }),
    );
  });
});
