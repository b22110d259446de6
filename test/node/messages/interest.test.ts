import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Interest } from '../../../broker/ordinary/peers.ts';
import { KnownInterest } from '../../../node/messages/known-interest.ts';
import { type InterestNews, OwnInterest } from '../../../node/messages/own-interest.ts';
import { decode, encode, peers } from '../../../protos/index.ts';

const interest = (filter: string): Interest => ({ group: '', filter, clientId: '' });

/** What one node knows of another. */
function observer() {
  const known = new Set<string>();
  const learner = new KnownInterest({
    onAdded: ({ filter }) => void known.add(filter),
    onRemoved: ({ filter }) => void known.delete(filter),
  });
  const hear = (news: readonly InterestNews[]) => {
    for (const each of news) {
      const sets = each.kind === 'set' ? [each.set] : [];
      const changes = each.kind === 'changes' ? [each.changes] : [];
      const envelope = decode(peers.Envelope, encode(peers.Envelope, { sets, changes }));
      for (const set of envelope.sets) learner.learnSet(set as peers.InterestSet);
      for (const one of envelope.changes) learner.learnChanges(one as peers.InterestChanges);
    }
  };
  return { known, learner, hear };
}

describe('what a node wants', () => {
  it('is known elsewhere whenever the numbers agree, whatever was lost or came twice', () => {
    const step = fc.record({
      filter: fc.constantFrom('a', 'b', 'c', 'd'),
      isAnnounced: fc.boolean(),
      fate: fc.constantFrom('told', 'twice', 'lost', 'silent', 'asked', 'asked and lost'),
    });
    const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const own = new OwnInterest();
      const held = new Map<string, number>();
      const { known, learner, hear } = observer();
      for (const { filter, isAnnounced, fate } of steps) {
        const count = held.get(filter) ?? 0;
        if (isAnnounced) own.announce(interest(filter));
        else own.withdraw(interest(filter));
        held.set(filter, Math.max(0, count + (isAnnounced ? 1 : -1)));
        if (fate === 'asked') hear(own.set());
        if (fate === 'silent' || fate.startsWith('asked')) continue;
        const news = own.takeChanges();
        if (fate !== 'lost') hear(news);
        if (fate === 'twice') hear(news);
        const wanted = [...held].filter(([, count]) => count > 0).map(([each]) => each);
        if (learner.number === own.number) expect([...known].sort()).toEqual(wanted.sort());
        expect(learner.number).toBeLessThanOrEqual(own.number);
      }
      hear(own.set());
      expect(learner.number).toBe(own.number);
      learner.forget();
      expect([...known]).toEqual([]);
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('is told in parts, of which none may be missing', () => {
    const own = new OwnInterest();
    for (let i = 0; i < 10_000; i++) own.announce(interest(`plant/line/${i}`));
    const parts = own.set();
    expect(parts.length).toBeGreaterThan(2);
    expect(Math.max(...parts.map(({ bytes }) => bytes))).toBeLessThanOrEqual(256 * 1024);

    const { known, learner, hear } = observer();
    hear(parts.toSpliced(1, 1));
    expect([learner.number, known.size]).toEqual([0, 0]);
    hear(parts.slice(0, 2));
    hear(parts);
    expect([learner.number, known.size]).toEqual([10_001, 10_000]);
    hear(own.takeChanges());
    expect([learner.number, known.size]).toEqual([10_001, 10_000]);
  });
});
