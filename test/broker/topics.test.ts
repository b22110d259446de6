import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  filterUse,
  isTopicFilter,
  isTopicName,
  matches,
  parseOurTopic,
} from '../../broker/topics.ts';

const bytes = (text: string) => Buffer.from(text);
const level = fc.constantFrom('a', 'b', '', '$x', 'ä');
const topics = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filters = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'));

/** What the specification says, as a regular expression. */
function pattern(filter: string): RegExp {
  const levels = filter.split('/');
  const open = levels.at(-1) === '#';
  const body = (open ? levels.slice(0, -1) : levels)
    .map((part) => (part === '+' ? '[^/]*' : part.replaceAll('$', '\\$')))
    .join('/');
  if (filter === '#') return /^/;
  return new RegExp(`^${body}${open ? '(/.*)?' : ''}$`, 's');
}

describe('matches', () => {
  it('agrees with the specification', () => {
    fc.assert(
      fc.property(filters, topics, (filter, topic) => {
        expect(matches(filter, topic)).toBe(pattern(filter).test(topic));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['#', '/esp/temp', true],
    ['#', '$x/y', true],
    ['+/esp/temp', '/esp/temp', true],
    ['plant1/#', 'plant1', true],
    ['plant1/#', 'plant10', false],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['a//b', 'a/b', false],
  ])('%s and %s: %s', (filter, topic, expected) => {
    expect(matches(filter, topic)).toBe(expected);
  });
});

describe('isTopicName', () => {
  const valid = (topic: Uint8Array) => isTopicName(topic, 0, topic.length);

  it('accepts all of UTF-8 but wildcards and U+0000', () => {
    for (const topic of ['a', '/', 'räume/küche 1', '€/😀', '$x'])
      expect(valid(bytes(topic))).toBe(true);
    for (const topic of ['', '#', 'a/+/b', 'a\0']) expect(valid(bytes(topic))).toBe(false);
  });

  it('refuses ill-formed UTF-8', () => {
    expect(valid(Buffer.of(0x61, 0xff))).toBe(false);
    expect(valid(Buffer.of(0x61, 0xc0, 0xaf))).toBe(false); // overlong slash
    expect(valid(Buffer.of(0xed, 0xa0, 0x80))).toBe(false); // a surrogate [MQTT-1.5.3-1]
    expect(valid(bytes('ä').subarray(0, 1))).toBe(false);
  });
});

describe('isTopicFilter', () => {
  it.each(['#', '+', 'a/#', '+/a/+', '/', 'a//+'])('accepts %s', (filter) => {
    expect(isTopicFilter(filter)).toBe(true);
  });
  it.each(['', 'a#', '#/a', 'a/b+', '+a', 'a/#/b', 'a\0'])('refuses %j', (filter) => {
    expect(isTopicFilter(filter)).toBe(false);
  });
});

describe('parseOurTopic', () => {
  const parse = (topic: string) => parseOurTopic(bytes(topic), 0, bytes(topic).length);

  it('reads verbs and leaves the rest as it is', () => {
    expect(parse('dss/put//a')).toEqual({ kind: 'verb', verb: 'put', restStart: 8 });
    expect(parse('dss/list')).toEqual({ kind: 'verb', verb: 'list', restStart: 8 });
  });

  it('knows what is reserved and what it does not know', () => {
    expect(parse('dss/cluster/x').kind).toBe('reserved');
    expect(parse('dss/sys').kind).toBe('reserved');
    expect(parse('dss/puts/x')).toEqual({ kind: 'unknown', name: 'puts' });
    expect(parse('dss/constructor/x').kind).toBe('unknown');
    expect(parse('dss/').kind).toBe('unknown');
  });
});

describe('filterUse', () => {
  it.each([
    ['dss/value/plant1/#', 'plant1/#'],
    ['dss/value/#', '#'],
    ['dss/value//esp/temp', '/esp/temp'],
    ['#', '#'],
    ['dss/#', '#'],
    ['+/#', '#'],
    ['+/+/x', 'x'],
    ['dss/+/x/+', 'x/+'],
    ['dss/+', undefined],
    ['+/cluster/#', undefined],
    ['dss/value', undefined],
    ['other/value/x', undefined],
    ['dss/sys/#', undefined],
    ['+/watch/#', undefined],
    ['dss/watch', undefined],
  ])('%s sees the keys %s, raw', (filter, keys) => {
    expect(filterUse(filter)).toMatchObject({ keys, refusal: undefined });
    if (keys !== undefined) expect(filterUse(filter).form).toBe('value');
  });

  it('sees dss/watch only where it is named', () => {
    expect(filterUse('dss/watch/a/#')).toMatchObject({ keys: 'a/#', form: 'watch', ours: true });
  });

  it.each([
    ['dss/put/#', 'INVALID_FILTER'],
    ['dss/get/a', 'INVALID_FILTER'],
    ['dss/nonsense', 'INVALID_FILTER'],
    ['dss/cluster/#', 'RESERVED_TOPIC'],
    ['$share/g/dss/watch/#', 'INVALID_FILTER'],
    ['$share/+/a', 'INVALID_FILTER'],
    ['$share/g', 'INVALID_FILTER'],
    ['dss/replay/-1h/#', 'NOT_SUPPORTED'],
    ['dss/query/#', 'NOT_SUPPORTED'],
  ])('refuses %s: %s', (filter, code) => {
    expect(filterUse(filter).refusal?.code).toBe(code);
  });

  it('gives answers only to those who name them', () => {
    for (const filter of ['dss/reply/me', 'dss/reply/+', 'dss/reply/#']) {
      expect(filterUse(filter)).toMatchObject({ replies: true, errors: false, ours: true });
    }
    for (const filter of ['#', 'dss/#', 'dss/+/me', '+/reply/me', 'dss/reply/you']) {
      expect(filterUse(filter).replies).toBe(false);
    }
    expect(filterUse('dss/error/me').errors).toBe(true);
  });
});
