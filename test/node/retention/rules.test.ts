import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DURATION_MS_MAX,
  formatDuration,
  parseDuration,
} from '../../../node/retention/duration.ts';
import {
  DEFAULT_RULES,
  describeRetentionRule,
  effectiveRules,
  parseRetentionRule,
  type RetentionRule,
  ruleFromProto,
  ruleToProto,
} from '../../../node/retention/rules.ts';
import { decode, encode, kv } from '../../../protos/index.ts';

const DAY = 24 * 60 * 60_000;

const durations = fc.oneof(
  fc.integer({ min: 1, max: DURATION_MS_MAX }),
  fc.integer({ min: 1, max: 10_000 }).map((minutes) => minutes * 60_000),
);
const rules: fc.Arbitrary<RetentionRule> = fc.record({
  prefix: fc.constantFrom('', 'plant1', '/esp/temp', 'a//b', 'ü x'),
  keepMs: fc.option(fc.oneof(fc.constant(0), durations), { nil: undefined }),
  versions: fc.nat(1_000_000),
  ttlMs: fc.oneof(fc.constant(0), durations),
});

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['90m', 90 * 60_000],
    ['36h', 1.5 * DAY],
    ['7d', 7 * DAY],
    ['4w', 28 * DAY],
    ['1.5h', 90 * 60_000],
    [30, 30_000],
    [0.25, 250],
    [0, 0],
    ['0.0001s', 1],
  ])('%s is %d ms', (written, ms) => expect(parseDuration(written)).toBe(ms));

  it.each(['7', '7 days', '-1s', '', 'forever', '1e3s', '40000d', -1, Number.NaN, null, {}, true])(
    '%s is none',
    (written) => expect(parseDuration(written)).toBeUndefined(),
  );

  it('is written in the greatest unit that says it exactly', () => {
    expect([0, 1_500, 90_000, 90 * 60_000, DAY, 28 * DAY].map(formatDuration)).toEqual([
      ...['0s', '1500ms', '90s', '90m', '1d', '28d'],
    ]);
    fc.assert(
      fc.property(durations, (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});

describe('a retention rule', () => {
  it('is read with defaults for what is not given', () => {
    expect(parseRetentionRule({ prefix: '' })).toEqual({ value: DEFAULT_RULES[0] });
    const given = { prefix: 'plant1', keep: 'forever', versions: 100, ttl: '1h' };
    expect(parseRetentionRule(given)).toEqual({
      value: { prefix: 'plant1', keepMs: undefined, versions: 100, ttlMs: 3_600_000 },
    });
  });

  it.each([
    [undefined, 'a retention rule must be an object'],
    [[], 'a retention rule must be an object'],
    [{}, '"prefix" must be'],
    [{ prefix: 'plant1/#' }, '"prefix" must have no wildcard'],
    [{ prefix: 'plant1/' }, '"prefix" must not end in "/"'],
    [{ prefix: 'a\0b' }, '"prefix" must be at most'],
    [{ prefix: '\ud800' }, '"prefix" must be at most'],
    [{ prefix: 'p', keep: 'long' }, '"keep" must be "forever" or a duration'],
    [{ prefix: 'p', keep: -1 }, '"keep" must be'],
    [{ prefix: 'p', versions: 0 }, '"versions" must be a whole number from 1'],
    [{ prefix: 'p', versions: '5' }, '"versions" must be'],
    [{ prefix: 'p', ttl: 'forever' }, '"ttl" must be a duration'],
    [{ prefix: 'p', ttl: 0 }, '"ttl" must be a duration above 0'],
    [{ prefix: 'p', days: 7 }, '"days" is not a member of a retention rule'],
  ])('is not %j', (input, sentence) => {
    expect(parseRetentionRule(input)).toEqual({ wrong: expect.stringContaining(sentence) });
  });

  it('has no longer a prefix than a key can be', () => {
    expect(parseRetentionRule({ prefix: 'x'.repeat(1_024) })).toHaveProperty('value');
    expect(parseRetentionRule({ prefix: 'x'.repeat(1_025) })).toHaveProperty('wrong');
  });

  it('reads back as it is described, and as it is stored', () => {
    expect(describeRetentionRule(DEFAULT_RULES[0] as RetentionRule)).toEqual({
      ...{ prefix: '', keep: '7d', versions: null, ttl: null },
    });
    fc.assert(
      fc.property(rules, (rule) => {
        expect(parseRetentionRule(describeRetentionRule(rule))).toEqual({ value: rule });
        const bytes = encode(kv.RetentionRule, ruleToProto(rule));
        expect(ruleFromProto(decode(kv.RetentionRule, bytes))).toEqual(rule);
      }),
    );
  });

  it('for every key there is always one', () => {
    const plant: RetentionRule = { prefix: 'plant1', keepMs: 1, versions: 0, ttlMs: 0 };
    const all: RetentionRule = { ...plant, prefix: '' };
    expect(effectiveRules([plant])).toEqual([...DEFAULT_RULES, plant]);
    expect(effectiveRules([plant, all])).toEqual([all, plant]);
  });
});
