import { describe, expect, it } from 'vitest';
import { parseJsonPath, pathBelow, valueAt } from '../../../broker/ingest-rules/json-path.ts';

const json = JSON.parse(
  '{"a":{"b":[10,{"c":"deep"}],"x y":1,"__proto__":5},"switch:0":{"apower":8.9},"n":null,"$id":3,"0":4}',
) as unknown;

function at(text: string): unknown {
  const path = parseJsonPath(text);
  if ('wrong' in path) throw new Error(path.wrong);
  return valueAt(json, path.value);
}

describe('a JSON path', () => {
  it.each([
    ['a.b[0]', 10],
    ['$.a.b[1].c', 'deep'],
    ['$["a"]["b"][1]["c"]', 'deep'],
    ["a['x y']", 1],
    ['["a"].b[0]', 10],
    ['["\\u0061"].b[0]', 10],
    ['switch:0.apower', 8.9],
    ['n', null],
    ['$id', 3],
    ['0', 4],
    ['a.__proto__', 5],
    ['$', json],
  ])('%s leads to its value', (text, value) => {
    expect(at(text)).toEqual(value);
  });

  it.each(['a.c', 'a.b[2]', 'a.b.0', 'a.b.length', 'a[0]', 'n.x', 'toString', '__proto__', '$[0]'])(
    '%s leads nowhere',
    (text) => expect(at(text)).toBeUndefined(),
  );

  it.each([
    '',
    '.a',
    'a.',
    'a..b',
    'a[',
    'a[-1]',
    'a[*]',
    'a b',
    '$a b',
    'a["x]',
    'a["\\q"]',
    '$$.',
  ])('%s is not one', (text) => expect(parseJsonPath(text)).toHaveProperty('wrong'));

  it('has an end', () => {
    expect(parseJsonPath(Array(32).fill('a').join('.'))).toHaveProperty('value');
    expect(parseJsonPath(Array(33).fill('a').join('.'))).toHaveProperty('wrong');
  });

  it('can be seen from a place on its way', () => {
    expect(pathBelow(['a'], ['a', 'b', 0])).toEqual(['b', 0]);
    expect(pathBelow([], ['a'])).toEqual(['a']);
    expect(pathBelow(['a'], ['b', 'a'])).toBeUndefined();
  });
});
