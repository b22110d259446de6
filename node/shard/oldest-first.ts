import type { CurrentValue } from './current-values.ts';
import type { HistoryRange } from './history.ts';
import { bytesOf, PAGE_BYTES_MAX, type Page } from './page.ts';

/** Visits what of a key's history lies in a range of time, newest first, until `visit` returns false. */
export type HistoryScan = (
  range: HistoryRange,
  visit: (item: CurrentValue) => boolean,
) => Promise<void>;

const FIRST_WINDOW_UNITS = 1_000 * 4_096;
const WINDOW_GROWTH_MAX = 16;
/** A window with more than so many pages in it is tried again, narrower. */
const PAGES_PER_WINDOW_MAX = 4;
/** A window is made for a little more than is wanted: one that falls short costs another scan. */
const WINDOW_SURPLUS = 1.25;

/**
 * The oldest values of a range. The engine reads newest first, so this reads windows of time, from the oldest
 * on, each as wide as the one before suggests.
 */
export async function readOldest(
  scan: HistoryScan,
  { from, to }: HistoryRange,
  limit: number,
): Promise<Page<CurrentValue>> {
  const items: CurrentValue[] = [];
  let bytes = 0;
  let width = FIRST_WINDOW_UNITS;
  const isFull = () => items.length >= limit || bytes > PAGE_BYTES_MAX;
  for (let start = from; start < to; ) {
    const end = Math.min(to, start + width);
    const wanted = limit - items.length;
    const window = await readWindow(scan, { from: start, to: end }, wanted);
    if (window === undefined) {
      width = Math.max(1, Math.floor((end - start) / WINDOW_GROWTH_MAX));
      continue;
    }
    for (const item of window) {
      if (isFull()) return { items, more: true };
      items.push(item);
      bytes += bytesOf(item);
    }
    if (isFull()) return { items, more: await isAny(scan, { from: end, to }) };
    start = end;
    const growth = ((limit - items.length) / Math.max(window.length, 1)) * WINDOW_SURPLUS;
    width = Math.ceil(width * Math.min(WINDOW_GROWTH_MAX, Math.max(growth, 1 / WINDOW_GROWTH_MAX)));
  }
  return { items, more: false };
}

/** Oldest first; undefined if there is far more in it than wanted. */
async function readWindow(
  scan: HistoryScan,
  range: HistoryRange,
  wanted: number,
): Promise<readonly CurrentValue[] | undefined> {
  const items: CurrentValue[] = [];
  let bytes = 0;
  let isTooWide = false;
  await scan(range, (item) => {
    items.push(item);
    bytes += bytesOf(item);
    isTooWide =
      items.length > 1 &&
      (items.length > PAGES_PER_WINDOW_MAX * wanted ||
        bytes > PAGES_PER_WINDOW_MAX * PAGE_BYTES_MAX);
    return !isTooWide;
  });
  return isTooWide ? undefined : items.reverse();
}

async function isAny(scan: HistoryScan, range: HistoryRange): Promise<boolean> {
  let found = false;
  await scan(range, () => {
    found = true;
    return false;
  });
  return found;
}
