import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNITS_PER_MS } from '../../../broker/data-plane.ts';
import { Retention } from '../../../node/retention/retention.ts';
import { DEFAULT_RULES, type RetentionRule } from '../../../node/retention/rules.ts';
import { decode, encode, kv } from '../../../protos/index.ts';
import { utf8 } from '../../support/text.ts';

const MINUTE = 60_000 * UNITS_PER_MS;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = 1_000 * DAY;

const { initial } = Retention;
const of = (retention: Retention, key: string) => retention.of(utf8(key));

function rule(prefix: string, keepDays?: number, versions = 0): RetentionRule {
  const keepMs = keepDays === undefined ? undefined : (keepDays * DAY) / UNITS_PER_MS;
  return { prefix, keepMs, versions, ttlMs: 0 };
}

/** The rules reach the shard at a time, as the next revision. */
function under(retention: Retention, version: number, ...rules: RetentionRule[]): Retention {
  return retention.withRules(retention.revision + 1, rules, version);
}

function letGo(retention: Retention, version: number, cutoffs = retention.nextWatermark(version)) {
  return retention.withWatermark({ version, cutoffs, expiryFloor: 0 });
}

const prefixesOf = (retention: Retention) =>
  retention.nextWatermark(NOW).map(({ prefix }) => prefix);

describe('before anything is said', () => {
  it('the default rules hold, and nothing is gone', () => {
    expect(initial.rules).toEqual(DEFAULT_RULES);
    expect(of(initial, 'any')).toEqual({ cutoff: 0, tombstoneCutoff: 0, ttlMs: 0, limits: [] });
    expect([initial.revision, initial.hasTtl, initial.hasTombstoneCutoff]).toEqual([
      ...[0, false, false],
    ]);
    expect(Retention.fromProto(undefined).equals(initial)).toBe(true);
  });
});

describe('a watermark', () => {
  it('lets go what is older than the rules say', () => {
    const retention = letGo(under(initial, 1, rule('', 7), rule('p', 1), rule('q')), NOW);
    expect(of(retention, 'x').cutoff).toBe(NOW - 7 * DAY);
    expect(of(retention, 'p/a').cutoff).toBe(NOW - DAY);
    expect(of(retention, 'p1').cutoff).toBe(NOW - 7 * DAY);
    expect(of(retention, 'q').cutoff).toBe(0);
  });

  it('lets a tombstone go after an hour at the earliest', () => {
    const retention = letGo(under(initial, 1, rule('', 0)), NOW);
    expect(of(retention, 'x')).toMatchObject({ cutoff: NOW, tombstoneCutoff: NOW - HOUR });
    expect(retention.hasTombstoneCutoff).toBe(true);
    const later = letGo(retention, NOW + HOUR, [{ prefix: '', time: NOW }]);
    expect(of(later, 'x')).toMatchObject({ cutoff: NOW, tombstoneCutoff: NOW });
  });

  it('never goes back, and never beyond itself', () => {
    const retention = letGo(initial, NOW, [{ prefix: '', time: NOW + DAY }]);
    expect(of(retention, 'x').cutoff).toBe(NOW);
    expect(letGo(retention, NOW, [{ prefix: '', time: 5 }])).toBe(retention);
    expect(letGo(retention, NOW, [{ prefix: 'elsewhere', time: NOW }])).toBe(retention);
  });

  it('raises the expiry floor', () => {
    const retention = initial.withWatermark({ version: NOW, cutoffs: [], expiryFloor: 7 });
    expect(retention.expiryFloor).toBe(7);
    expect(retention.withWatermark({ version: NOW, cutoffs: [], expiryFloor: 5 })).toBe(retention);
  });

  it('is worth a log entry when it moves something by a minute or a hundredth of what is kept', () => {
    const retention = letGo(under(initial, 1, rule('', 7), rule('p', 1 / 24)), NOW);
    const moved = (prefix: string, by: number) =>
      retention.isNews([{ prefix, time: of(retention, prefix || 'x').cutoff + by }]);
    expect([moved('', MINUTE), moved('', MINUTE - 1)]).toEqual([true, false]);
    expect([moved('p', HOUR / 100), moved('p', HOUR / 100 - 1)]).toEqual([true, false]);
    expect([moved('', 0), moved('', -DAY), moved('elsewhere', DAY)]).toEqual([false, false, false]);
    expect([retention.isNews([], MINUTE), retention.isNews([], MINUTE - 1)]).toEqual([true, false]);
  });
});

describe('a full disk', () => {
  it('takes part of the time that is left, of what is kept for ever too', () => {
    const retention = letGo(under(initial, 1, rule('', 8), rule('p')), NOW);
    const press = (fraction: number) =>
      retention.pressed({ fraction, now: NOW, oldest: NOW - 100 * DAY });
    expect(press(0.25)).toEqual([
      { prefix: '', time: NOW - 6 * DAY },
      { prefix: 'p', time: NOW - 75 * DAY },
    ]);
    expect(press(1).map(({ time }) => time)).toEqual([NOW, NOW]);
    expect(press(0)).toEqual([
      { prefix: '', time: NOW - 8 * DAY },
      { prefix: 'p', time: NOW - 100 * DAY },
    ]);
  });

  it('asks for nothing that is not over yet', () => {
    const ahead = letGo(initial, NOW, [{ prefix: '', time: NOW }]);
    const options = { fraction: 0.5, now: NOW - HOUR, oldest: NOW - DAY };
    expect(ahead.pressed(options)).toEqual([{ prefix: '', time: NOW }]);
    expect(initial.pressed({ ...options, oldest: NOW })).toEqual([
      { prefix: '', time: NOW - HOUR },
    ]);
  });
});

describe('new rules', () => {
  it('of a known revision do not count', () => {
    const retention = initial.withRules(3, [rule('', 1)], NOW);
    expect(retention.withRules(3, [rule('', 2)], NOW)).toBe(retention);
    expect(retention.withRules(2, [rule('', 2)], NOW)).toBe(retention);
  });

  it('say how long values live', () => {
    const retention = under(initial, 1, { ...rule('p', 7), ttlMs: 5 });
    expect([of(retention, 'p').ttlMs, of(retention, 'x').ttlMs]).toEqual([5, 0]);
    expect(retention.hasTtl).toBe(true);
  });

  it('begin with what the keys of their prefix had', () => {
    const before = letGo(under(initial, 1, rule('', 1, 3)), NOW);
    const after = under(before, NOW + 1, rule('', 1, 3), rule('p', 30, 10));
    expect(of(after, 'p')).toEqual({
      ...of(before, 'p'),
      limits: [
        { upToVersion: NOW + 1, count: 3 },
        { upToVersion: Number.MAX_SAFE_INTEGER, count: 10 },
      ],
    });
  });

  it('that keep longer wait until time has caught up', () => {
    const before = letGo(under(initial, 1, rule('', 1)), NOW);
    const after = under(before, NOW, rule('', 7));
    expect(of(letGo(after, NOW + DAY), 'x').cutoff).toBe(NOW - DAY);
    expect(of(letGo(after, NOW + 10 * DAY), 'x').cutoff).toBe(NOW + 3 * DAY);
  });
});

describe('a removed rule', () => {
  it('leaves a ghost while its keys have lost more than others', () => {
    const before = letGo(under(initial, 1, rule('p', 1)), NOW);
    const after = under(before, NOW);
    expect(prefixesOf(after)).toEqual(['', 'p']);
    expect(of(after, 'p').cutoff).toBe(NOW - DAY);
    expect(prefixesOf(letGo(after, NOW + 5 * DAY))).toEqual(['', 'p']);
    expect(prefixesOf(letGo(after, NOW + 6 * DAY))).toEqual(['']);
  });

  it('that kept more leaves none: what it kept is due now', () => {
    const before = letGo(under(initial, 1, rule('', 1), rule('p', 30)), NOW);
    const after = under(before, NOW, rule('', 1));
    expect(prefixesOf(after)).toEqual(['']);
    expect(of(after, 'p').cutoff).toBe(NOW - DAY);
  });

  it('loses nothing to the past of the rule that takes over', () => {
    const before = letGo(under(initial, 1, rule('', 1), rule('p', 30)), NOW);
    const after = under(before, NOW, rule('', 60));
    expect(of(after, 'p').cutoff).toBe(NOW - 30 * DAY);
    expect(of(after, 'x').cutoff).toBe(NOW - DAY);
  });

  it('is remembered for its count', () => {
    const before = under(initial, 1, rule('', undefined, 0), rule('p', undefined, 2));
    const after = under(before, NOW, rule(''));
    expect(of(after, 'p').limits).toEqual([{ upToVersion: NOW, count: 2 }]);
    expect(of(after, 'x').limits).toEqual([]);
    const pressed = letGo(after, NOW + DAY, [
      { prefix: '', time: NOW + 1 },
      { prefix: 'p', time: NOW + 1 },
    ]);
    expect(prefixesOf(pressed)).toEqual(['']);
  });

  it('is remembered while only its own tombstones may be gone', () => {
    const rules = [rule(''), rule('p')];
    const pressed = letGo(under(initial, 1, ...rules), NOW, [{ prefix: '', time: NOW }]);
    const later = letGo(pressed, NOW + DAY, [{ prefix: 'p', time: NOW }]);
    const after = under(later, NOW + DAY, rule(''));
    expect(of(after, 'p').tombstoneCutoff).toBe(NOW);
    expect(of(after, 'x').tombstoneCutoff).toBe(NOW - HOUR);
  });
});

describe('a count', () => {
  const present = (count: number) => ({ upToVersion: Number.MAX_SAFE_INTEGER, count });

  it('that is lowered is for all values, one that is raised for later ones', () => {
    const two = under(initial, 1, rule('', 7, 2));
    expect(of(two, 'x').limits).toEqual([present(2)]);
    const five = under(two, 10, rule('', 7, 5));
    expect(of(five, 'x').limits).toEqual([{ upToVersion: 10, count: 2 }, present(5)]);
    const three = under(five, 20, rule('', 7, 3));
    expect(of(three, 'x').limits).toEqual([{ upToVersion: 10, count: 2 }, present(3)]);
    const none = under(three, 30, rule('', 7));
    expect(of(none, 'x').limits).toEqual([
      { upToVersion: 10, count: 2 },
      { upToVersion: 30, count: 3 },
    ]);
    const one = under(none, 40, rule('', 7, 1));
    expect(of(one, 'x').limits).toEqual([present(1)]);
  });

  it('of the past is forgotten when all that it speaks of is gone', () => {
    const raised = under(under(initial, 1, rule('', 7, 2)), 10, rule('', 7));
    expect(of(letGo(raised, NOW, [{ prefix: '', time: 10 }]), 'x').limits).toHaveLength(1);
    expect(of(letGo(raised, NOW, [{ prefix: '', time: 11 }]), 'x').limits).toEqual([]);
  });

  it('is remembered eight times at most: then the newest two become one', () => {
    let retention = under(initial, 1, rule('', undefined, 1));
    for (let count = 2; count <= 12; count++) {
      retention = under(retention, count * 10, rule('', undefined, count));
    }
    const { limits } = of(retention, 'x');
    expect(limits.slice(0, 7).map(({ count }) => count)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(limits.slice(7)).toEqual([{ upToVersion: 120, count: 8 }, present(12)]);
  });
});

it('what was said can be stored and read back', () => {
  const rules = fc.array(
    fc.record({
      prefix: fc.constantFrom('', 'p', 'p/q', 'x'),
      keepMs: fc.option(fc.nat(1e9), { nil: undefined }),
      versions: fc.nat(3),
      ttlMs: fc.nat(3),
    }),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(fc.array(rules, { maxLength: 5 }), fc.nat(), (changes, expiryFloor) => {
      let retention = initial;
      for (const [index, change] of changes.entries()) {
        const version = NOW + index * HOUR;
        const cutoffs = retention.nextWatermark(version);
        retention = retention.withWatermark({ version, cutoffs, expiryFloor });
        retention = under(retention, version + 1, ...change);
      }
      const bytes = encode(kv.RetentionState, retention.toProto());
      const restored = Retention.fromProto(decode(kv.RetentionState, bytes));
      expect(restored.equals(retention)).toBe(true);
      for (const key of ['p', 'p/q/r', 'x', 'y']) {
        expect(of(restored, key)).toEqual(of(retention, key));
      }
      expect(restored.equals(under(retention, NOW * 2))).toBe(false);
    }),
  );
});
