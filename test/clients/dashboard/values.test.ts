import { describe, expect, it } from 'vitest';
import {
  likelyPath,
  numberAt,
  numberPaths,
  parseJsonPath,
} from '../../../clients/dashboard/model/json-path.ts';
import { brief, valueOfBytes, valueOfCarried } from '../../../clients/dashboard/model/value.ts';

describe('a value', () => {
  it.each([
    ['21.5', 'number'],
    [' -3e2\n', 'number'],
    ['{"a":1}', 'json'],
    ['["x"]', 'json'],
    ['"text"', 'json'],
    ['{"a":', 'text'],
    ['0x10', 'text'],
    ['', 'text'],
    ['open', 'text'],
  ])('%j is %s', (text, kind) => {
    expect(valueOfBytes(Buffer.from(text)).kind).toBe(kind);
    expect(valueOfCarried({ value: text })).toEqual(valueOfBytes(Buffer.from(text)));
  });

  it('that is no text is bytes, with their size', () => {
    const value = valueOfCarried({ base64: Buffer.from([0xde, 0xad, 0xff]).toString('base64') });
    expect(value).toMatchObject({ kind: 'binary', size: 3 });
    expect(brief(value)).toBe('de ad ff');
    expect(valueOfBytes(Buffer.from('grün')).size).toBe(5);
  });

  it('is cut for a table', () => {
    expect(brief(valueOfCarried({ value: 'a\n  b' }))).toBe('a b');
    expect(brief(valueOfCarried({ value: 'x'.repeat(50) }), 10)).toBe('xxxxxxxxxx…');
  });
});

describe('a path in JSON', () => {
  const json = {
    seq: 7,
    on: true,
    name: 'n',
    sensors: [{ value: '21.5' }, { 'air temp': 3 }],
    deep: { value: 1 },
  };

  it.each([
    ['seq', 7],
    ['on', 1],
    ['sensors[0].value', 21.5],
    ['sensors[1]["air temp"]', 3],
    ['name', undefined],
    ['sensors[2].value', undefined],
    ['toString', undefined],
  ])('%s is %s', (text, number) => {
    expect(numberAt(json, parseJsonPath(text) ?? [])).toBe(number);
  });

  it('that is none is known', () => {
    expect(parseJsonPath('a..b')).toBeUndefined();
    expect(parseJsonPath('[x]')).toBeUndefined();
  });

  it('is offered for each number, and can be read back', () => {
    const paths = numberPaths(json);
    expect(paths).toEqual(['seq', 'on', 'sensors[1]["air temp"]', 'deep.value']);
    for (const path of paths)
      expect(numberAt(json, parseJsonPath(path) ?? [])).toBeTypeOf('number');
    expect(numberAt(21.5, [])).toBe(21.5);
  });

  it('is guessed as people name it', () => {
    expect(likelyPath(json)).toBe('deep.value');
    expect(likelyPath({ seq: 1, temperature: 2 })).toBe('seq');
    expect(likelyPath({ a: 'x' })).toBe('');
  });
});
