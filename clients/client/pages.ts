import { type Item, itemOf, type WireValue } from './values.ts';

/** What a node lists at once, at most. */
const PAGE_MAX = 1_000;

interface Page {
  readonly items?: readonly (WireValue & { readonly key?: string })[];
  readonly keys?: readonly string[];
  readonly more: boolean;
  readonly next: string | null;
}

/** Asks for one page: a request of `list`, `range` or `history`, with these members beside its own. */
export type AskPage = (members: {
  readonly limit: number;
  readonly after?: string;
}) => Promise<unknown>;

/** The items of all pages, up to `limit` of them; the next page is asked for when it is needed. */
export async function* itemsOf(
  ask: AskPage,
  options: {
    readonly after?: string | undefined;
    readonly limit?: number | undefined;
    key?: string;
  },
): AsyncGenerator<Item, void, undefined> {
  for await (const { items = [] } of pagesOf(ask, options)) {
    for (const wire of items) yield itemOf(wire.key ?? options.key ?? '', wire);
  }
}

export async function* keysOf(
  ask: AskPage,
  options: { readonly after?: string | undefined; readonly limit?: number | undefined },
): AsyncGenerator<string, void, undefined> {
  for await (const { keys = [] } of pagesOf(ask, options)) yield* keys;
}

async function* pagesOf(
  ask: AskPage,
  {
    after,
    limit = Number.POSITIVE_INFINITY,
  }: { readonly after?: string | undefined; readonly limit?: number | undefined },
): AsyncGenerator<Page, void, undefined> {
  let left = limit;
  let from = after;
  while (left > 0) {
    const members = {
      limit: Math.min(left, PAGE_MAX),
      ...(from === undefined ? {} : { after: from }),
    };
    const page = (await ask(members)) as Page;
    yield page;
    left -= (page.items ?? page.keys ?? []).length;
    if (!page.more || page.next === null) return;
    from = page.next;
  }
}
