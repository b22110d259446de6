import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_INGEST_LIMITS, evaluate } from '../../../broker/ingest-rules/ingest-message.ts';
import { parseIngestRule } from '../../../broker/ingest-rules/rule.ts';
import { RuleCounters } from '../../../broker/ingest-rules/rule-counters.ts';
import { IngestRules } from '../../../broker/ingest-rules/rules.ts';
import { isTopicName } from '../../../broker/topics.ts';

const values = ['', '$', 'a', 'a.b[0]', 'each', 'each a', 'each $["b c"]'];
const keys = ['', '$topic', '$1', 'k/$2/$1', 'x$$', '$field', '$1/$field'];
const times = ['', 'a', 'time', 'a.time', '$'];

const source = fc.constantFrom(
  { value: '', key: '' },
  { value: '', key: '$1' },
  { value: '$', key: 'k/$1/$topic' },
  { value: 'a', key: '$topic' },
  { value: 'each', key: '' },
  { value: 'each', key: '$1/$field' },
  { value: 'each', key: '$field' },
  { value: 'each a', key: '$field$$' },
);
const rule = fc
  .record({
    filter: fc.constantFrom('#', '+/#', '+/+', 'a/+'),
    except: fc.constantFrom([], ['+/c']),
    source,
    time: fc.constantFrom(...times),
    timeZone: fc.constantFrom('', 'Europe/Berlin'),
  })
  .map(({ source: { value, key }, time, timeZone, ...rest }) => {
    return { ...rest, value, key, time, timeZone: time && timeZone };
  });

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'b c', 'time', '+', '#', '', '\0', '\ud800', '__proto__'),
  fc.string({ unit: 'binary' }),
);
const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('2024-03-31T02:30:00', '2024-05-01T00:00:00Z', 1_714_521_600_000, 1e300),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(name, tie('json'), { maxKeys: 6, noNullPrototype: false }),
  ),
}));
const object = fc.dictionary(name, json, { maxKeys: 8 });
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  json.map((value) => Buffer.from(JSON.stringify(value))),
  { weight: 4, arbitrary: object.map((value) => Buffer.from(JSON.stringify(value))) },
  object.map((value) => Buffer.from(JSON.stringify(value).slice(0, -1))),
  fc.constantFrom('{"a":1e999}', '{"a":[1e999]}', '{"a":{"__proto__":{"b":1}}}').map(Buffer.from),
);
const topic = fc
  .oneof(fc.constantFrom('a/b', 'a/', '/', '/x', 'a/c'), fc.string({ unit: 'grapheme' }))
  .filter((text) => !/[+#\0]|\p{Surrogate}/u.test(text) && text !== '');

describe('whatever a device sends', () => {
  it('a valid rule never throws, and writes only keys and values that may be', () => {
    fc.assert(
      fc.property(rule, topic, payload, (input, someTopic, bytes) => {
        const parsed = parseIngestRule(input);
        if ('wrong' in parsed) throw new Error(parsed.wrong);
        const rules = new IngestRules([parsed.value]);
        expect(rules.unusable).toEqual([]);
        const found = rules.match(someTopic);
        if (found === undefined) return;
        const message = { topic: someTopic, payload: bytes, receivedAtMs: 1_714_600_000_000 };
        const limits = { ...DEFAULT_INGEST_LIMITS, keyBytesMax: 30, fieldsMax: 5, depthMax: 6 };
        const evaluation = evaluate(found, message, limits);
        const counters = new RuleCounters();
        counters.record('r', message, evaluation);
        JSON.stringify(counters.of('r'));
        if (evaluation.kind === 'nothing') return;
        expect(evaluation.writes.length).toBeGreaterThan(0);
        for (const { key, value, time } of evaluation.writes) {
          expect(isTopicName(key, 0, key.length)).toBe(true);
          expect(key.length).toBeLessThanOrEqual(30);
          expect(value.length).toBeLessThanOrEqual(limits.valueBytesMax);
          expect(Number.isSafeInteger(time) && time >= 0).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('no input makes reading a rule throw', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...values, ...keys));
    const input = fc.oneof(
      fc.anything(),
      fc.record({ filter: text, key: text, value: text, time: text }, { requiredKeys: [] }),
    );
    fc.assert(
      fc.property(input, (given) => {
        const parsed = parseIngestRule(given);
        if ('value' in parsed) expect(parseIngestRule(parsed.value)).toEqual(parsed);
        else expect(parsed.wrong).toMatch(/\w/);
      }),
    );
  });
});
