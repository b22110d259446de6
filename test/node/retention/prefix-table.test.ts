import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PrefixTable } from '../../../node/retention/prefix-table.ts';
import { utf8 } from '../../support/text.ts';

const level = fc.constantFrom('', 'a', 'ab', 'a-b', 'b', '.', 'ü', '\u0001');
const paths = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));

const tableOf = (...prefixes: string[]) => new PrefixTable(prefixes.map((prefix) => ({ prefix })));

function longestCovering(prefixes: readonly string[], key: string): string {
  const covering = prefixes.filter(
    (prefix) => prefix === '' || key === prefix || key.startsWith(`${prefix}/`),
  );
  return covering.sort((a, b) => b.length - a.length)[0] as string;
}

it('a prefix is whole levels, and the longest counts', () => {
  const table = tableOf('', 'plant1', 'plant1/hall', 'plant10/x');
  const keys = ['plant1', 'plant1/a', 'plant10', 'plant1-a', 'plant1/hall/7', 'plant1/halls', 'x'];
  expect(keys.map((key) => table.coveringPrefix(key).prefix)).toEqual([
    ...['plant1', 'plant1', '', '', 'plant1/hall', 'plant1', ''],
  ]);
});

it('finds what a look at every prefix finds', () => {
  fc.assert(
    fc.property(fc.uniqueArray(paths, { maxLength: 12 }), paths, (some, key) => {
      const prefixes = [...new Set(['', ...some])];
      const table = tableOf(...prefixes);
      const bytes = utf8(`..${key}..`);
      expect(table.covering(bytes, 2, bytes.length - 2).prefix).toBe(
        longestCovering(prefixes, key),
      );
      for (const [index, { prefix }] of table.items.entries()) {
        const others = prefixes.filter((other) => other !== prefix);
        expect(table.parentAt(index)?.prefix).toBe(
          prefix === '' ? undefined : longestCovering(others, prefix),
        );
      }
    }),
  );
});
