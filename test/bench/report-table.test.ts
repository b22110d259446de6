import { expect, it } from 'vitest';
import { replacePlace } from '../../bench/performance-document.ts';
import { asMarkdown, asText, left, median, right } from '../../bench/report-table.ts';

const table = {
  title: 'Rates',
  columns: [left('Who'), right('msg/s')],
  rows: [
    ['a|b', '1,000'],
    ['c', '7'],
  ],
  notes: ['As fast as it goes.'],
};

it('prints a table', () => {
  expect(asText(table).split('\n')).toEqual([
    'Rates',
    '',
    'WHO  MSG/S',
    'a|b  1,000',
    'c        7',
    '',
    'As fast as it goes.',
  ]);
});

it('writes a table for a document', () => {
  expect(asMarkdown(table).split('\n')).toEqual([
    '**Rates**',
    '',
    '| Who | msg/s |',
    '| --- | ---: |',
    '| a\\|b | 1,000 |',
    '| c | 7 |',
    '',
    'As fast as it goes.',
  ]);
});

it('replaces one place of a document and leaves the others', () => {
  const document = 'x\n<!-- a -->\nold\n<!-- end of a -->\ny\n<!-- b -->\n<!-- end of b -->\n';
  const replaced = replacePlace(document, 'a', 'new');
  expect(replaced).toBe(
    'x\n<!-- a -->\n\nnew\n\n<!-- end of a -->\ny\n<!-- b -->\n<!-- end of b -->\n',
  );
  expect(replacePlace(replaced, 'a', 'new')).toBe(replaced);
  expect(() => replacePlace(document, 'c', 'new')).toThrow('no place for c');
});

it('takes the middle one, or the mean of two', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
});
