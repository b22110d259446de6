import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IngestRule } from '../../../broker/ingest-rules/rule.ts';
import type { RetentionRule } from '../../../node/retention/rules.ts';
import { applySettingsRecord, changeRecord, readRecord } from '../../../node/settings/meta-log.ts';
import {
  addIngest,
  type EditResult,
  EMPTY_SETTINGS,
  editInTurn,
  RULES_MAX,
  removeIngest,
  removeRetention,
  SETTINGS_BYTES_MAX,
  type Settings,
  setRetention,
} from '../../../node/settings/settings.ts';
import { settingsBytes, settingsFromProto } from '../../../node/settings/settings-codec.ts';
import { decode, kv } from '../../../protos/index.ts';
import { nodeRow } from './node-rows.ts';
import { ingest, retention } from './rules.ts';

const some: Settings = {
  revision: 7,
  retention: [retention(''), retention('plant1')],
  ingest: [ingest('a'), ingest('b'), ingest('c')],
  nodes: [],
  leases: [],
};

function done({ settings, problem }: EditResult): Settings {
  if (settings === undefined) throw new Error(problem.message);
  return settings;
}

const prefixes = ({ retention: rules }: Settings) => rules.map(({ prefix }) => prefix);
const names = ({ ingest: rules }: Settings) => rules.map(({ name }) => name);

describe('an edit of retention rules', () => {
  it('adds a rule, or replaces that of the prefix', () => {
    const added = done(setRetention(some, retention('plant0', 1)));
    expect(prefixes(added)).toEqual(['', 'plant0', 'plant1']);
    const replaced = done(setRetention(added, retention('plant1', 1)));
    expect(replaced.retention.at(-1)).toEqual(retention('plant1', 1));
    expect(prefixes(replaced)).toEqual(['', 'plant0', 'plant1']);
    expect(prefixes(some)).toEqual(['', 'plant1']);
  });

  it('removes one; a prefix without a rule is a problem', () => {
    expect(prefixes(done(removeRetention(some, '')))).toEqual(['plant1']);
    expect(removeRetention(some, 'plant').problem).toEqual({
      kind: 'not-found',
      message: 'there is no retention rule for the prefix "plant"',
    });
  });

  it('gives the same object when it changes nothing', () => {
    expect(done(setRetention(some, retention('plant1')))).toBe(some);
  });
});

describe('an edit of ingest rules', () => {
  it('replaces a rule where it stands, or appends it', () => {
    const replaced = done(addIngest(some, ingest('b', 'other/#')));
    expect(names(replaced)).toEqual(['a', 'b', 'c']);
    expect(replaced.ingest[1]?.filter).toBe('other/#');
    expect(names(done(addIngest(some, ingest('d'))))).toEqual(['a', 'b', 'c', 'd']);
    expect(done(addIngest(some, ingest('b')))).toBe(some);
  });

  it('puts a rule before another, since the first that matches counts', () => {
    expect(names(done(addIngest(some, ingest('d'), 'b')))).toEqual(['a', 'd', 'b', 'c']);
    expect(names(done(addIngest(some, ingest('c'), 'a')))).toEqual(['c', 'a', 'b']);
    expect(done(addIngest(some, ingest('b'), 'c'))).toBe(some);
    expect(done(addIngest(some, ingest('b'), 'b'))).toBe(some);
    expect(addIngest(some, ingest('b'), 'x').problem?.kind).toBe('not-found');
  });

  it('removes one; a name without a rule is a problem', () => {
    expect(names(done(removeIngest(some, 'b')))).toEqual(['a', 'c']);
    expect(removeIngest(some, 'x').problem).toEqual({
      kind: 'not-found',
      message: 'there is no ingest rule "x"',
    });
  });

  it('is one with others, or none of them', () => {
    const both = editInTurn(some, [(s) => addIngest(s, ingest('d')), (s) => removeIngest(s, 'a')]);
    expect(names(done(both))).toEqual(['b', 'c', 'd']);
    const wrong = editInTurn(some, [(s) => removeIngest(s, 'a'), (s) => removeIngest(s, 'a')]);
    expect(wrong.problem?.kind).toBe('not-found');
  });
});

describe('limits', () => {
  it('allow so many rules and no more, but still let them be replaced and removed', () => {
    const rules = Array.from({ length: RULES_MAX }, (_, i) => ingest(`r${i}`));
    const full = { ...EMPTY_SETTINGS, ingest: rules };
    expect(addIngest(full, ingest('one more')).problem?.kind).toBe('over-limit');
    expect(done(addIngest(full, ingest('r5', 'x'))).ingest).toHaveLength(RULES_MAX);
    expect(done(removeIngest(full, 'r5')).ingest).toHaveLength(RULES_MAX - 1);
  });

  it('bound the bytes of all rules together', () => {
    const long = (name: string) => ingest(name, 'x'.repeat(SETTINGS_BYTES_MAX / 2));
    const half = done(addIngest(EMPTY_SETTINGS, long('a')));
    const whole = addIngest(half, long('b'));
    expect(whole.problem?.kind).toBe('over-limit');
    expect(whole.problem?.message).toContain(String(SETTINGS_BYTES_MAX));
  });
});

const retentionRule: fc.Arbitrary<RetentionRule> = fc.record({
  prefix: fc.string({ unit: 'grapheme' }),
  keepMs: fc.option(fc.maxSafeNat(), { nil: undefined }),
  versions: fc.nat(),
  ttlMs: fc.maxSafeNat(),
});
const text = fc.string({ unit: 'grapheme' });
const ingestRule: fc.Arbitrary<IngestRule> = fc.record({
  name: text,
  filter: text,
  except: fc.array(text),
  key: text,
  value: text,
  time: text,
  timeUnit: text,
  timeZone: text,
});
const anyRow = fc
  .record({
    node: text,
    name: text,
    zone: text,
    weight: fc.double({ min: 0.1, max: 9, noNaN: true }),
  })
  .map((members) => nodeRow('x', members));
const anySettings: fc.Arbitrary<Settings> = fc.record({
  revision: fc.maxSafeNat(),
  retention: fc.array(retentionRule),
  ingest: fc.array(ingestRule),
  nodes: fc.array(anyRow),
  leases: fc.array(fc.record({ name: text, node: text })),
});

describe('settings as bytes', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        const back = settingsFromProto(decode(kv.Settings, settingsBytes(settings)));
        expect(back).toEqual(settings);
      }),
    );
  });
});

describe('a settings record', () => {
  const next = { ...some, ingest: [] };

  it('replaces the settings that it expects, and counts the revision up', () => {
    const outcome = applySettingsRecord(some, changeRecord(some, next));
    expect(outcome).toEqual({ kind: 'applied', settings: { ...next, revision: 8 } });
  });

  it('applies once only, and to no other revision', () => {
    const { settings } = applySettingsRecord(some, changeRecord(some, next));
    const again = applySettingsRecord(settings, changeRecord(some, next));
    expect(again).toEqual({ kind: 'conflict', settings });
    expect(again.settings).toBe(settings);
  });

  it('that reads changes nothing, and neither does one without settings', () => {
    expect(applySettingsRecord(EMPTY_SETTINGS, readRecord()).kind).toBe('conflict');
    expect(applySettingsRecord(some, readRecord())).toEqual({ kind: 'conflict', settings: some });
    const hollow = { format: 1, expectedRevision: some.revision };
    expect(applySettingsRecord(some, hollow)).toEqual({ kind: 'conflict', settings: some });
  });
});
