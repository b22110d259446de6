import type { StoredValue } from '../../broker/data-plane.ts';
import { compareBytes } from '../../lsm/bytes.ts';

export interface Page<Item> {
  readonly items: readonly Item[];
  /** There is more beyond the last item. */
  readonly more: boolean;
}

/** A page ends when it has grown to this: it is one message to another node, and those have a limit. */
export const PAGE_BYTES_MAX = 512 * 1024;

/**
 * One ordered page out of several. A part that was cut short bounds the whole: beyond its last key others may
 * exist that nobody has seen.
 */
export function mergePages<Item extends StoredValue>(
  pages: readonly Page<Item>[],
  limit: number,
  reverse = false,
): { items: Item[]; more: boolean } {
  const order = reverse
    ? (a: Uint8Array, b: Uint8Array) => compareBytes(b, a)
    : (a: Uint8Array, b: Uint8Array) => compareBytes(a, b);
  let bound: Uint8Array | undefined;
  for (const { items, more } of pages) {
    const last = items.at(-1)?.key;
    if (more && last !== undefined && (bound === undefined || order(last, bound) < 0)) bound = last;
  }
  const all = pages
    .flatMap(({ items }) => items)
    .filter(({ key }) => bound === undefined || order(key, bound) <= 0)
    .sort((a, b) => order(a.key, b.key));
  return { items: all.slice(0, limit), more: bound !== undefined || all.length > limit };
}

export function bytesOf(item: StoredValue): number {
  return item.key.length + item.value.length;
}
