import { describe, expect, it } from 'vitest';
import { unixMsToVersion } from '../../../broker/data-plane.ts';
import { compileRule } from '../../../broker/ingest-rules/compiled-rule.ts';
import { DEFAULT_INGEST_LIMITS, evaluate } from '../../../broker/ingest-rules/ingest-message.ts';
import { parseIngestRule } from '../../../broker/ingest-rules/rule.ts';

const NOW_MS = Date.UTC(2024, 5, 1, 12);
const TIME_MS = Date.UTC(2024, 5, 1, 11);
const TIME = unixMsToVersion(TIME_MS);

/** What a rule makes of a message: texts of what is written, and codes of what is wrong. */
function run(rule: object, topic: string, payload: unknown, limits = {}) {
  const parsed = parseIngestRule(rule);
  if ('wrong' in parsed) throw new Error(parsed.wrong);
  const compiled = compileRule(parsed.value);
  if ('wrong' in compiled) throw new Error(compiled.wrong);
  expect(compiled.value.filter.matches(topic)).toBe(true);
  const isRaw = typeof payload === 'string' || payload instanceof Uint8Array;
  const bytes = Buffer.from(isRaw ? payload : JSON.stringify(payload));
  const message = { topic, payload: bytes, receivedAtMs: NOW_MS };
  const evaluation = evaluate(compiled.value, message, { ...DEFAULT_INGEST_LIMITS, ...limits });
  if (evaluation.kind === 'nothing') return { nothing: evaluation.problem.code };
  const { writes, notes } = evaluation;
  const text = (part: Uint8Array) => Buffer.from(part).toString();
  return {
    writes: writes.map(({ key, value, time }) => [
      text(key),
      text(value),
      ...(time === 0 ? [] : [time]),
    ]),
    notes: notes.map(({ code }) => code),
  };
}

const stored = (...writes: (string | number)[][]) => ({ writes, notes: [] });

describe('a rule for whole payloads', () => {
  it('stores them byte for byte under the topic', () => {
    expect(run({ filter: '#' }, 'a/b', '21.50')).toEqual(stored(['a/b', '21.50']));
    expect(run({ filter: '#' }, '/x//y ', ' {')).toEqual(stored(['/x//y ', ' {']));
    const limits = { valueBytesMax: 3 };
    expect(run({ filter: '#' }, 'a', '1234', limits)).toEqual({ nothing: 'too-large' });
  });

  it('deletes with an empty payload', () => {
    expect(run({ filter: '#' }, 'a/b', '')).toEqual(stored(['a/b', '']));
    expect(run({ filter: '#', time: 't' }, 'a/b', '')).toEqual(stored(['a/b', '']));
  });

  it('takes the time out of them if they are JSON, and stores them anyway if not', () => {
    const rule = { filter: '#', time: 'at' };
    const payload = `{"at":${TIME_MS},"v":1}`;
    expect(run(rule, 'a', payload)).toEqual(stored(['a', payload, TIME]));
    const noTime = { notes: ['no-time'] };
    expect(run(rule, 'a', '{"v":1}')).toEqual({ writes: [['a', '{"v":1}']], ...noTime });
    expect(run(rule, 'a', 'on')).toEqual({ writes: [['a', 'on']], ...noTime });
    expect(run(rule, 'a', '{"at":13}')).toMatchObject({ notes: ['absurd-time'] });
  });
});

describe('a key template', () => {
  it('is filled with the topic and the levels of the wildcards', () => {
    const at = (filter: string, key: string, topic: string) => run({ filter, key }, topic, '1');
    expect(at('tele/+/+', '$2/$1', 'tele/plug/LWT')).toEqual(stored(['LWT/plug', '1']));
    expect(at('a/#', 'k/$1', 'a/b/c')).toEqual(stored(['k/b/c', '1']));
    expect(at('a/#', 'k/$1', 'a')).toEqual(stored(['k/', '1']));
    expect(at('+/#', '$1$1-$2', 'a/')).toEqual(stored(['aa-', '1']));
    expect(at('a', 'cost$$/$topic', 'a')).toEqual(stored(['cost$/a', '1']));
  });

  it('never gives a key that cannot be', () => {
    const rule = { filter: 'a/#', key: '$1' };
    expect(run(rule, 'a', '1')).toEqual({ nothing: 'bad-key' });
    expect(run(rule, `a/${'x'.repeat(1_024)}`, '1')).toMatchObject({ notes: [] });
    expect(run(rule, `a/${'x'.repeat(1_025)}`, '1')).toEqual({ nothing: 'bad-key' });
  });
});

describe('a rule with a path', () => {
  const rule = { filter: '#', value: 'v', time: 'at' };

  it('stores text as it is, and anything else as JSON', () => {
    const at = TIME_MS;
    const key = 'a';
    expect(run(rule, key, { v: 21.5, at })).toEqual(stored([key, '21.5', TIME]));
    expect(run(rule, key, { v: 'on', at })).toEqual(stored([key, 'on', TIME]));
    expect(run(rule, key, { v: false, at })).toEqual(stored([key, 'false', TIME]));
    expect(run(rule, key, { v: { x: [1] }, at })).toEqual(stored([key, '{"x":[1]}', TIME]));
    expect(run({ filter: '#', value: '$' }, key, ' [1, 2] ')).toEqual(stored([key, '[1,2]']));
  });

  it.each([
    ['', 'empty'],
    ['on', 'not-json'],
    ['{"v":1', 'not-json'],
    [new Uint8Array([0xff, 0xfe]), 'not-json'],
    [{ w: 1 }, 'missing-path'],
    [{ v: null }, 'missing-path'],
    ['7', 'missing-path'],
    [`${'['.repeat(33)}${']'.repeat(33)}`, 'too-deep'],
    ['['.repeat(1_000_000), 'too-deep'],
    ['{"v":1e999}', 'too-large'],
  ])('stores nothing of %.20j: %s', (payload, code) => {
    expect(run(rule, 'a', payload)).toEqual({ nothing: code });
  });

  it('does not take brackets in text for depth', () => {
    const text = `${'[{'.repeat(100)}"\\`;
    const plain = { filter: '#', value: 'v' };
    expect(run(plain, 'a', { v: text })).toEqual(stored(['a', text]));
  });

  it('says when a number lost digits', () => {
    const plain = { filter: '#', value: 'v' };
    expect(run(plain, 'a', '{"v":12345678901234567890}')).toMatchObject({ notes: ['rounded'] });
    expect(run(plain, 'a', '{"v":9007199254740991}')).toMatchObject({ notes: [] });
  });

  it('does not store JSON that has grown over the limit', () => {
    const plain = { filter: '#', value: 'v' };
    const limits = { valueBytesMax: 40 };
    expect(run(plain, 'a', `{"v":[1e20,1e20]}`, limits)).toEqual({ nothing: 'too-large' });
  });
});

describe('a rule with each', () => {
  const rule = { filter: '#', value: 'each', time: 'at' };

  it('stores one key per scalar field: objects become levels, arrays stay whole, null is left out', () => {
    const payload = {
      at: TIME_MS,
      t: 21.5,
      on: true,
      mode: 'eco',
      update: { state: 'idle', versions: { installed: 3 }, at: 'kept' },
      list: [1, { a: 2 }],
      unknown: null,
      none: {},
    };
    expect(run(rule, 'z/dev', payload)).toEqual(
      stored(
        ['z/dev/t', '21.5', TIME],
        ['z/dev/on', 'true', TIME],
        ['z/dev/mode', 'eco', TIME],
        ['z/dev/update/state', 'idle', TIME],
        ['z/dev/update/versions/installed', '3', TIME],
        ['z/dev/update/at', 'kept', TIME],
        ['z/dev/list', '[1,{"a":2}]', TIME],
      ),
    );
  });

  it('can begin at a path, and its time can be inside or outside', () => {
    const inside = { filter: '#', value: 'each params', time: 'params.ts.ms', key: '$field' };
    const payload = { id: 1, params: { ts: { ms: TIME_MS, src: 'ntp' }, x: { y: 1 } } };
    expect(run(inside, 'a', payload)).toEqual(stored(['ts/src', 'ntp', TIME], ['x/y', '1', TIME]));
    const outside = { filter: '#', value: 'each a', time: 'b', key: '$field' };
    expect(run(outside, 'a', { a: { b: 2 }, b: TIME_MS })).toEqual(stored(['b', '2', TIME]));
  });

  it('takes an empty text for an empty value, which deletes', () => {
    const plain = { filter: '#', value: 'each' };
    expect(run(plain, 'btn', { action: '' })).toEqual(stored(['btn/action', '']));
  });

  it('leaves out fields that cannot be keys, and says so once', () => {
    const plain = { filter: '#', value: 'each' };
    const payload = `{"a+b":1,"c#":2,"d\\u0000":3,"\\ud800":4,"${'x'.repeat(1_024)}":5,"ok/so":6,"":7}`;
    expect(run(plain, 't', payload)).toEqual({
      writes: [
        ['t/ok/so', '6'],
        ['t/', '7'],
      ],
      notes: ['bad-key'],
    });
    expect(run(plain, 't', '{"a+b":1}')).toEqual({ nothing: 'bad-key' });
    expect(run({ ...plain, key: '$field' }, 't', '{"":1}')).toEqual({ nothing: 'bad-key' });
  });

  it.each([
    ['', 'empty'],
    ['21.5', 'not-an-object'],
    ['"on"', 'not-an-object'],
    ['[1]', 'not-an-object'],
    ['null', 'missing-path'],
    ['{}', 'no-fields'],
    [`{"at":${TIME_MS},"n":null}`, 'no-fields'],
  ])('stores nothing of %s: %s', (payload, code) => {
    expect(run(rule, 'a', payload)).toEqual({ nothing: code });
  });

  it('stores a thousand fields, but none of more', () => {
    const plain = { filter: '#', value: 'each' };
    const fields = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, i]));
    expect(run(plain, 'a', fields(1_000)).writes).toHaveLength(1_000);
    expect(run(plain, 'a', fields(1_001))).toEqual({ nothing: 'too-many-fields' });
    const nested = { a: fields(600), b: { c: fields(401) } };
    expect(run(plain, 'a', nested)).toEqual({ nothing: 'too-many-fields' });
  });

  it('stores with the time of arrival what has no time to believe', () => {
    expect(run(rule, 'a', { v: 1 })).toEqual({ writes: [['a/v', '1']], notes: ['no-time'] });
    expect(run(rule, 'a', { v: 1, at: 'noon' })).toEqual({
      writes: [['a/v', '1']],
      notes: ['absurd-time'],
    });
  });
});
