import type { NodeConnection } from '../connection.ts';
import { topicOf } from '../key.ts';
import {
  type ItemsPage,
  type KeyedItem,
  PAGE_LIMIT_MAX,
  type Page,
  readPages,
  type StoredItem,
} from '../pages.ts';
import type { ValueRecord } from './record.ts';

/** How many keys' histories are asked for at a time. */
const HISTORIES_AHEAD = 16;

export interface ExportQuery {
  readonly prefix: string;
  /** Where an export that was broken off ended. */
  readonly after?: ExportPosition;
}

/** The last value of a file. */
export interface ExportPosition {
  readonly key: string;
  readonly time: number;
  readonly version: number;
}

export interface HistoryExportQuery extends ExportQuery {
  /** Milliseconds since 1970, inclusive. */
  readonly from?: number;
  /** Exclusive. */
  readonly to?: number;
}

/** The current values below a prefix, in the order of their keys, page by page as they are taken. */
export async function* readCurrent(
  node: NodeConnection,
  { prefix, after }: ExportQuery,
): AsyncGenerator<ValueRecord[]> {
  const topic = topicOf('range', prefix);
  const ask = (next?: string) =>
    node.ask<ItemsPage<KeyedItem>>(topic, { limit: PAGE_LIMIT_MAX, after: next });
  for await (const { items } of readPages(ask, after?.key)) {
    if (items.length > 0) yield items.map((item) => toValueRecord(item.key, item));
  }
}

/**
 * What each key below a prefix has held, key by key, oldest first. Keys that are deleted now are not among them:
 * no answer lists those.
 */
export async function* readHistories(
  node: NodeConnection,
  query: HistoryExportQuery,
): AsyncGenerator<ValueRecord[]> {
  const { after } = query;
  if (after !== undefined) yield* continueHistory(node, query, after);
  const ahead: { key: string; first: Promise<HistoryPage> }[] = [];
  for await (const key of listKeys(node, query)) {
    const first = askHistory(node, key, query);
    // Whoever takes it hears of the failure; nobody may, when the export ends before.
    first.catch(() => {});
    ahead.push({ key, first });
    if (ahead.length < HISTORIES_AHEAD) continue;
    const next = ahead.shift();
    if (next) yield* readHistory(node, next.key, query, await next.first);
  }
  for (const { key, first } of ahead) yield* readHistory(node, key, query, await first);
}

interface ListPage extends Page {
  readonly keys: readonly string[];
}

type HistoryPage = ItemsPage<StoredItem>;

async function* readHistory(
  node: NodeConnection,
  key: string,
  query: HistoryExportQuery,
  first: HistoryPage,
): AsyncGenerator<ValueRecord[]> {
  const pages = readPages((next) =>
    next === undefined ? first : askHistory(node, key, query, next),
  );
  for await (const { items } of pages) {
    if (items.length > 0) yield items.map((item) => toValueRecord(key, item));
  }
}

/** The rest of the key at which a file ends: several of its values may have had that millisecond. */
async function* continueHistory(
  node: NodeConnection,
  query: HistoryExportQuery,
  { key, time, version }: ExportPosition,
): AsyncGenerator<ValueRecord[]> {
  const rest = { ...query, from: Math.max(time, query.from ?? 0) };
  const first = await askHistory(node, key, rest);
  const known = first.items.findIndex((item) => item.version === version);
  yield* readHistory(node, key, rest, { ...first, items: first.items.slice(known + 1) });
}

async function* listKeys(
  node: NodeConnection,
  { prefix, after }: ExportQuery,
): AsyncGenerator<string> {
  const topic = topicOf('list', prefix);
  const ask = (next?: string) => node.ask<ListPage>(topic, { limit: PAGE_LIMIT_MAX, after: next });
  for await (const { keys } of readPages(ask, after?.key)) yield* keys;
}

function askHistory(
  node: NodeConnection,
  key: string,
  { from, to }: HistoryExportQuery,
  after?: string,
): Promise<HistoryPage> {
  const query = { from, to, order: 'asc', limit: PAGE_LIMIT_MAX, after };
  return node.ask(`dss/history/${key}`, query);
}

function toValueRecord(key: string, item: StoredItem): ValueRecord {
  const { time, version, value, base64, deleted, expiresAt } = item;
  return {
    key,
    time,
    version,
    ...(deleted ? { delete: true } : base64 === undefined ? { value: value ?? '' } : { base64 }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}
