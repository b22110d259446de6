import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  joinBranches,
  type KeyBranch,
  type KeyPage,
  type KeyRange,
  rangeOfSearch,
  readLevel,
} from '../../../clients/dashboard/model/key-level.ts';

const PAGE = 3;
const bytes = (text: string) => Buffer.from(text);
const isBelow = (a: string, b: string) => Buffer.compare(bytes(a), bytes(b)) < 0;

/** Keys in byte order, three a page, as a node lists them. */
function storeOf(keys: readonly string[]) {
  const sorted = [...new Set(keys)].sort((a, b) => Buffer.compare(bytes(a), bytes(b)));
  let pages = 0;
  const read = async ({ from, after, to }: KeyRange): Promise<KeyPage> => {
    pages += 1;
    const found = sorted.filter(
      (key) =>
        (from === undefined || !isBelow(key, from)) &&
        (after === undefined || isBelow(after, key)) &&
        (to === undefined || isBelow(key, to)),
    );
    return { keys: found.slice(0, PAGE), more: found.length > PAGE };
  };
  return { read, pages: () => pages };
}

async function readAll(keys: readonly string[], parent: string | undefined, branchesMax: number) {
  const { read } = storeOf(keys);
  let level = await readLevel(parent, read, { branchesMax });
  let branches: KeyBranch[] = [...level.branches];
  while (level.next !== undefined) {
    level = await readLevel(parent, read, { begin: level.next, branchesMax });
    branches = joinBranches(branches, level.branches);
  }
  return branches;
}

const part = fc.constantFrom('', 'a', 'b', 'a-b', 'a0', 'a b', 'ü', '😀', '퟿');
const key = fc
  .array(part, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'))
  .filter((text) => text !== '');

describe('the levels of keys', () => {
  it('are those of the keys, whatever the pages cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(key, { maxLength: 40 }),
        fc.option(fc.constantFrom('', 'a', 'a/b', 'ü'), { nil: undefined }),
        fc.integer({ min: 1, max: 5 }),
        async (keys, parent, branchesMax) => {
          const start = parent === undefined ? '' : `${parent}/`;
          const below = keys.filter((each) => each.startsWith(start));
          const expected = new Map<string, { isKey: boolean; hasBelow: boolean }>();
          for (const each of below) {
            const [name = '', ...rest] = each.slice(start.length).split('/');
            const known = expected.get(name) ?? { isKey: false, hasBelow: false };
            if (rest.length === 0) known.isKey = true;
            else known.hasBelow = true;
            expected.set(name, known);
          }
          const found = await readAll(keys, parent, branchesMax);
          expect(found).toHaveLength(expected.size);
          for (const { name, path, ...kind } of found) {
            expect(path).toBe(start + name);
            expect(kind).toEqual(expected.get(name));
          }
        },
      ),
    );
  });

  it('are read without what is far below them', async () => {
    const devices = Array.from({ length: 500 }, (_, at) => `plant1/dev${at}`);
    const { read, pages } = storeOf([...devices, 'plant2/dev1', 'plant3']);
    const { branches, next } = await readLevel(undefined, read, { branchesMax: 100 });
    expect(branches.map(({ name }) => name)).toEqual(['plant1', 'plant2', 'plant3']);
    expect(next).toBeUndefined();
    expect(pages()).toBe(2);
  });

  it('come in parts where there are many', async () => {
    const { read } = storeOf(Array.from({ length: 20 }, (_, at) => `k${at + 10}`));
    const { branches, next } = await readLevel(undefined, read, { branchesMax: 5 });
    expect(branches).toHaveLength(6);
    expect(next).toEqual({ after: 'k15' });
  });
});

describe('a search', () => {
  it('finds the keys that begin with its text, and no others', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(key, { maxLength: 30 }),
        key,
        fc.nat(8),
        async (keys, text, cut) => {
          const typed = [...text].slice(0, cut + 1).join('');
          const { prefix, from, to } = rangeOfSearch(typed);
          const found = keys.filter(
            (each) =>
              (from === undefined || !isBelow(each, from)) &&
              (to === undefined || isBelow(each, to)),
          );
          expect(found).toEqual(keys.filter((each) => each.startsWith(typed)));
          if (prefix !== undefined) expect(typed.startsWith(`${prefix}/`)).toBe(true);
        },
      ),
    );
  });

  it('of nothing is everything', () => {
    expect(rangeOfSearch('')).toEqual({ prefix: undefined });
    expect(rangeOfSearch('plant1/de')).toEqual({
      prefix: 'plant1',
      from: 'plant1/de',
      to: 'plant1/df',
    });
  });
});
