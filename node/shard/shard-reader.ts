import type { HistoryQuery, ListQuery } from '../../broker/data-plane.ts';
import { compareBytes } from '../../lsm/bytes.ts';
import type { EngineSnapshot } from '../../lsm/engine.ts';
import type { Retention } from '../retention/retention.ts';
import { slotOf } from '../ring/slots.ts';
import { isExpired } from './condition.ts';
import { type CurrentValue, type Pause, readCurrent, scanCurrent } from './current-values.ts';
import { scanHistory } from './history.ts';
import { scanMerged } from './merged-scan.ts';
import { type HistoryScan, readOldest } from './oldest-first.ts';
import { bytesOf, mergePages, PAGE_BYTES_MAX, type Page } from './page.ts';

/** What can be read of one shard. */
export type ShardQuery =
  | { readonly kind: 'get'; readonly key: Uint8Array }
  | ({ readonly kind: 'list' } & ListQuery)
  | ({ readonly kind: 'history' } & HistoryQuery);

/** What a replica has applied, beside the engine. */
export interface ShardView {
  readonly firstSlot: number;
  readonly slotCount: number;
  readonly retention: Retention;
  /** What expires by this version has expired. */
  readonly highestVersion: number;
  readonly pause: Pause;
}

/** Reads a shard as one snapshot of the engine shows it. */
export async function readShard(
  snapshot: EngineSnapshot,
  shard: ShardView,
  query: ShardQuery,
): Promise<Page<CurrentValue>> {
  switch (query.kind) {
    case 'get': {
      const slot = slotOf(query.key, 0, query.key.length);
      const item = await readCurrent(snapshot, slot, query.key);
      return { items: item === undefined || isGone(item, shard) ? [] : [item], more: false };
    }
    case 'list':
      return listShard(snapshot, shard, query);
    case 'history':
      return readHistory(snapshot, shard, query);
  }
}

function isGone({ deleted, expiresAt = 0 }: CurrentValue, { highestVersion }: ShardView): boolean {
  return deleted || isExpired(expiresAt, highestVersion);
}

async function readHistory(
  snapshot: EngineSnapshot,
  { retention, pause }: ShardView,
  { key, from, to, limit, ascending }: HistoryQuery,
): Promise<Page<CurrentValue>> {
  const slot = slotOf(key, 0, key.length);
  const ofKey = retention.of(key);
  const scan: HistoryScan = (range, visit) =>
    scanHistory(snapshot, slot, key, range, ofKey, pause, visit);
  const newest = ascending ? await readCurrent(snapshot, slot, key) : undefined;
  // Where values are counted, what may be seen is known from the newest on only.
  if (newest !== undefined && newest.time >= ofKey.cutoff && ofKey.limits.length === 0) {
    const range = { from: Math.max(from, ofKey.cutoff), to: Math.min(to, newest.time + 1) };
    return readOldest(scan, range, limit);
  }
  const page = new PageBuilder(limit, ascending);
  await scan({ from, to }, (item) => page.add(item));
  return page.finish();
}

async function listShard(
  snapshot: EngineSnapshot,
  shard: ShardView,
  query: ListQuery,
): Promise<Page<CurrentValue>> {
  const { firstSlot, slotCount } = shard;
  const { limit, values, after, reverse = false } = query;
  // Paging backwards, what was seen last bounds the range from above.
  const range = reverse ? { ...query, after: NOTHING, ...below(after, query.to) } : query;
  const addTo = (page: PageBuilder) => (item: CurrentValue) => {
    if (isGone(item, shard)) return true;
    return page.add(values ? item : { ...item, value: NOTHING });
  };
  if (!reverse) {
    const page = new PageBuilder(limit, false);
    await scanMerged(snapshot, shard, range, shard.pause, addTo(page));
    return page.finish();
  }
  const pages: Page<CurrentValue>[] = [];
  for (let slot = firstSlot; slot < firstSlot + slotCount; slot++) {
    const page = new PageBuilder(limit, reverse);
    await scanCurrent(snapshot, slot, range, shard.pause, addTo(page));
    pages.push(page.finish());
  }
  return shorten(mergePages(pages, limit, reverse));
}

function below(after: Uint8Array, to: Uint8Array | undefined): { to?: Uint8Array } {
  if (after.length === 0) return to === undefined ? {} : { to };
  return { to: to === undefined || compareBytes(after, to) < 0 ? after : to };
}

/**
 * Takes items in the order of the engine. A page from the other end keeps the last ones and turns them
 * round: the scans go one way only, so that reads the whole range.
 */
class PageBuilder {
  readonly #limit: number;
  readonly #fromEnd: boolean;
  readonly #items: CurrentValue[] = [];
  #bytes = 0;
  #more = false;

  constructor(limit: number, fromEnd: boolean) {
    this.#limit = limit;
    this.#fromEnd = fromEnd;
  }

  /** Returns whether further items are of interest. */
  add(item: CurrentValue): boolean {
    if (!this.#fromEnd && this.#isFull) {
      this.#more = true;
      return false;
    }
    this.#items.push(item);
    this.#bytes += bytesOf(item);
    while (this.#fromEnd && this.#items.length > 1 && this.#isOverfull) {
      this.#bytes -= bytesOf(this.#items.shift() as CurrentValue);
      this.#more = true;
    }
    return true;
  }

  finish(): Page<CurrentValue> {
    const items = this.#fromEnd ? this.#items.reverse() : this.#items;
    return { items, more: this.#more };
  }

  get #isFull(): boolean {
    return this.#items.length >= this.#limit || this.#bytes > PAGE_BYTES_MAX;
  }

  get #isOverfull(): boolean {
    return this.#items.length > this.#limit || this.#bytes > PAGE_BYTES_MAX;
  }
}

/** At least one item, and no more than fit a message. */
function shorten(page: Page<CurrentValue>): Page<CurrentValue> {
  let bytes = 0;
  const end = page.items.findIndex((item) => (bytes += bytesOf(item)) > PAGE_BYTES_MAX);
  if (end < 0 || end + 1 >= page.items.length) return page;
  return { items: page.items.slice(0, end + 1), more: true };
}

const NOTHING = new Uint8Array(0);
