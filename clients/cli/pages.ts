import { Option } from 'commander';
import type { Output } from './output.ts';
import { fromJsonValue, toDisplay } from './payload.ts';
import { parseInteger } from './shell.ts';

/** What every paged answer has (DESIGN §7). `next` is given back as `after`; it means nothing to us. */
export interface Page {
  readonly more: boolean;
  readonly next: string | null;
}

/** One value in a page. That of a history has no key: it is that of the question. */
export interface StoredItem {
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly value?: string;
  readonly base64?: string;
  readonly deleted?: true;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
}

export interface KeyedItem extends StoredItem {
  readonly key: string;
}

export interface ItemsPage<Item extends StoredItem> extends Page {
  readonly items: readonly Item[];
}

export interface PageOptions {
  readonly after?: string;
  readonly limit?: number;
  readonly all?: true;
}

export const PAGE_LIMIT_MAX = 1000;
const PAGE_LIMIT_DEFAULT = 100;

export function limitOption(): Option {
  const description = `how many in one page (default ${PAGE_LIMIT_DEFAULT})`;
  return new Option('--limit <count>', description).argParser(
    parseInteger('--limit', 1, PAGE_LIMIT_MAX),
  );
}

/** How many to ask for at a time: with `--all` as many as a node gives. */
export function pageLimit({ limit, all }: PageOptions): number {
  return limit ?? (all ? PAGE_LIMIT_MAX : PAGE_LIMIT_DEFAULT);
}

/** Pages as they are taken, one after the other, to the last. */
export async function* readPages<P extends Page>(
  fetch: (after: string | undefined) => P | Promise<P>,
  after?: string,
): AsyncGenerator<P> {
  for (let next: string | null | undefined = after; next !== null; ) {
    const page: P = await fetch(next);
    yield page;
    next = page.more ? page.next : null;
  }
}

/** Shows the first page, or with `--all` one after the other, and says when there are more. */
export async function followPages<P extends Page>(
  output: Output,
  options: PageOptions,
  pages: {
    readonly fetch: (after: string | undefined) => Promise<P>;
    readonly show: (page: P) => void | Promise<void>;
  },
): Promise<void> {
  for await (const page of readPages(pages.fetch, options.after)) {
    await pages.show(page);
    if (options.all || !page.more || page.next === null) continue;
    return output.note(`There are more: --after '${page.next}' or --all`);
  }
}

/** A line of a list: the key, and what a person sees of its value. */
export function formatKeyed(item: KeyedItem): string {
  return `${item.key} ${toDisplay(fromJsonValue(item))}`;
}

/** For a person who wonders why there is no line. */
export function nothingBelow(prefix: string): string {
  if (prefix === '') return 'There is no key.';
  if (!prefix.endsWith('/')) return `There is no key '${prefix}', and none below it.`;
  return `There is no key below '${prefix}'. Without the '/' at its end it is everything below '${prefix.slice(0, -1)}'.`;
}
