import assert from 'node:assert/strict';
import type { ListQuery, StoredValue } from '../../broker/data-plane.ts';
import { compareBytes } from '../../lsm/bytes.ts';
import { bytesOf, mergePages, PAGE_BYTES_MAX, type Page } from './page.ts';

/**
 * One page out of many parts, in rounds: keys are spread evenly, so each part is asked for little more than its
 * share, and those that have more keys among the first ones than that are asked again. Undefined if a part does
 * not answer.
 */
export async function gatherPage<Item extends StoredValue>(
  partCount: number,
  query: ListQuery,
  ask: (part: number, query: ListQuery) => Promise<Page<Item> | undefined>,
): Promise<Page<Item> | undefined> {
  const limit = shareOf(query.limit, partCount);
  const parts: { items: Item[]; more: boolean }[] = Array.from({ length: partCount }, () => ({
    items: [],
    more: true,
  }));
  let wanted = parts.map((_, part) => part);
  for (;;) {
    const answers = await Promise.all(
      wanted.map((part) => {
        const after = parts[part]?.items.at(-1)?.key ?? query.after;
        return ask(part, { ...query, limit, after });
      }),
    );
    for (const [index, answer] of answers.entries()) {
      if (answer === undefined) return undefined;
      const part = parts[wanted[index] as number] as { items: Item[]; more: boolean };
      assert(answer.items.length > 0 || !answer.more, 'a page that is not the last has items');
      part.items.push(...answer.items);
      part.more = answer.more;
    }
    const page = mergePages(parts, query.limit, query.reverse);
    if (!page.more || page.items.length >= query.limit || sizeOf(page) > PAGE_BYTES_MAX)
      return page;
    wanted = thatHoldUp(parts, query);
  }
}

/** The mean, and four standard deviations of where keys happen to hash: one page in many needs a second round. */
function shareOf(limit: number, partCount: number): number {
  const mean = limit / partCount;
  return Math.min(limit, Math.ceil(mean + 4 * Math.sqrt(mean)) + 1);
}

/** Those whose end lies among the first `limit` keys that are known. */
function thatHoldUp(
  parts: readonly Page<StoredValue>[],
  { limit, reverse = false }: ListQuery,
): number[] {
  const order = (a: Uint8Array, b: Uint8Array) =>
    reverse ? compareBytes(b, a) : compareBytes(a, b);
  const keys = parts.flatMap(({ items }) => items.map(({ key }) => key)).sort(order);
  const last = keys[limit - 1];
  return parts.flatMap(({ items, more }, part) => {
    const end = items.at(-1)?.key as Uint8Array;
    return more && (last === undefined || order(end, last) < 0) ? [part] : [];
  });
}

function sizeOf({ items }: Page<StoredValue>): number {
  return items.reduce((sum, item) => sum + bytesOf(item), 0);
}
