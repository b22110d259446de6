import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Access,
  EVERYTHING,
  FilteredAccess,
  mayReceive,
  maySubscribe,
} from '../../broker/access.ts';
import { KeyFilter } from '../../broker/key-filter.ts';
import { matches } from '../../broker/topics.ts';

const bytes = (text: string) => Buffer.from(text);

/** As it stands in a packet: with other bytes before and after. */
function askBytes(filter: KeyFilter, name: string): boolean {
  const packet = Buffer.from(`a/${name}/b`);
  return filter.matchesBytes(packet, 2, 2 + Buffer.byteLength(name));
}

const level = fc.constantFrom('a', 'b', 'é', '');
const name = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 3 }), fc.boolean())
  .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'))
  .filter((text) => text !== '');

/** Every name of up to four levels; `z` stands for all that no filter here mentions. */
const names: readonly string[] = (() => {
  const found: string[][] = [];
  let longest: string[][] = [[]];
  for (let length = 1; length <= 4; length += 1) {
    longest = longest.flatMap((levels) =>
      ['a', 'b', 'é', '', 'z'].map((next) => [...levels, next]),
    );
    found.push(...longest);
  }
  return found.map((levels) => levels.join('/'));
})();

describe('a filter on keys', () => {
  it('matches as MQTT says, in bytes and in text', () => {
    fc.assert(
      fc.property(filter, name, (text, key) => {
        const compiled = new KeyFilter(text);
        expect(compiled.matches(key)).toBe(matches(text, key));
        expect(askBytes(compiled, key)).toBe(matches(text, key));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['a/#', 'a', true],
    ['a/#', 'ab', false],
    ['a/+', 'a/', true],
    ['a/+', 'a', false],
    ['+/+', '/', true],
    ['a', 'a/', false],
    ['#', '$SYS/x', true],
    ['é/+', 'é/ü', true],
  ])('%s and %s', (text, key, expected) => {
    expect(new KeyFilter(text).matches(key)).toBe(expected);
    expect(askBytes(new KeyFilter(text), key)).toBe(expected);
  });

  it('covers another exactly when it matches all that the other matches', () => {
    fc.assert(
      fc.property(filter, filter, (left, right) => {
        const expected = names.every((key) => !matches(right, key) || matches(left, key));
        expect(new KeyFilter(left).covers(new KeyFilter(right))).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('overlaps another exactly when there is a name that both match', () => {
    fc.assert(
      fc.property(filter, filter, (left, right) => {
        const expected = names.some((key) => matches(right, key) && matches(left, key));
        expect(new KeyFilter(left).overlaps(new KeyFilter(right))).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('access', () => {
  const sensor: Access = new FilteredAccess('sensor', {
    read: ['plant1/+/set', 'common/#'],
    write: ['plant1/#'],
  });

  it('is what the filters of a user say, and nothing else', () => {
    expect(sensor.mayWriteKey(bytes('plant1/temp'), 0, 11)).toBe(true);
    expect(sensor.mayWriteKey(bytes('plant10/temp'), 0, 12)).toBe(false);
    expect(sensor.mayWriteKey(bytes('common/x'), 0, 8)).toBe(false);
    expect(sensor.mayReadKey(bytes('plant1/dev/set'), 0, 14)).toBe(true);
    expect(sensor.mayReadKey(bytes('plant1/temp'), 0, 11)).toBe(false);
    expect(sensor.mayRead('common')).toBe(true);
    expect(sensor.mayWrite('plant2')).toBe(false);
    const nobody = new FilteredAccess('nobody', { read: [], write: [] });
    expect(nobody.mayRead('x') || nobody.mayWrite('x') || nobody.mayReadBelow('x')).toBe(false);
    expect(nobody.readable('#')).toBe('none');
  });

  it('of a list is that of everything below its prefix', () => {
    expect(sensor.mayReadBelow('common')).toBe(true);
    expect(sensor.mayReadBelow('common/a/b')).toBe(true);
    expect(sensor.mayReadBelow('plant1')).toBe(false);
    expect(sensor.mayReadBelow('plant1/dev/set')).toBe(false);
    expect(sensor.mayReadBelow('')).toBe(false);
  });

  it('of a subscription may be all, some or none of it', () => {
    expect(sensor.readable('common/#')).toBe('all');
    expect(sensor.readable('plant1/dev/set')).toBe('all');
    expect(sensor.readable('plant1/#')).toBe('some');
    expect(sensor.readable('#')).toBe('some');
    expect(sensor.readable('plant2/#')).toBe('none');
    expect(sensor.readable('plant1/dev/temp')).toBe('none');
  });

  it.each([
    ['dss/value/common/x', true],
    ['dss/value/#', true],
    ['dss/watch/plant1/+/set', true],
    ['dss/value/plant2/#', false],
    ['dss/watch/plant2/#', false],
    ['dss/value', false],
    ['dss/reply/me', true],
    ['dss/error/me', true],
    ['dss/sys/durability', true],
    ['dss/replay/-1h/plant2/#', false],
    ['common/x', true],
    ['plant2/x', false],
    ['#', true],
    ['dss/#', true],
    ['+/value/common/#', true],
  ])('subscribing to %s: %s', (text, granted) => {
    expect(maySubscribe(sensor, text)).toBe(granted);
    expect(maySubscribe(EVERYTHING, text)).toBe(
      !['dss/value'].includes(text) && !text.includes('replay'),
    );
  });

  it('of a filter that begins with a wildcard reaches values too', () => {
    const one = new FilteredAccess('one', { read: ['a'], write: [] });
    expect(maySubscribe(one, '+/value/a')).toBe(true);
    expect(maySubscribe(one, '+/value/b')).toBe(false);
    expect(maySubscribe(one, '+/value')).toBe(false);
    expect(maySubscribe(one, '+/sys/+')).toBe(true);
  });

  it('lets every user read system topics, and other topics by its filters', () => {
    expect(mayReceive(sensor, 'dss/sys/durability')).toBe(true);
    expect(mayReceive(sensor, 'common/news')).toBe(true);
    expect(mayReceive(sensor, 'plant1/news')).toBe(false);
  });

  it('makes an administrator of who may read and write everything', () => {
    const isAdministrator = (read: string[], write: string[]) =>
      new FilteredAccess('u', { read, write }).isAdministrator;
    expect(isAdministrator(['#'], ['#'])).toBe(true);
    expect(isAdministrator(['x', '+/#'], ['#'])).toBe(true);
    expect(isAdministrator(['#'], ['plant1/#'])).toBe(false);
    expect(isAdministrator([], ['#'])).toBe(false);
    expect(sensor.isAdministrator).toBe(false);
    expect(EVERYTHING.isAdministrator).toBe(true);
  });
});
