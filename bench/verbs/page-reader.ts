import type { RequestClient } from '../request-client.ts';
import { ask } from './verb-cases.ts';

/** The greatest that a node gives. */
export const PAGE_ITEMS_MAX = 1_000;

/** What came of reading something to its end. */
export interface FullRead {
  readonly what: string;
  /** How many items there are. */
  readonly items: number;
  /** Fewer than `items` when time was up. */
  readonly read: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly firstMs: number;
  /** Absent where there are no pages. */
  readonly pages?: { readonly count: number; readonly p50Ms: number; readonly maxMs: number };
}

/**
 * Reads page after page, each from where the one before ended, until the end or until `secondsMax` are over, and
 * checks that everything came once.
 */
export async function readPages(
  client: RequestClient,
  options: {
    readonly what: string;
    /** `list/all` */
    readonly request: string;
    readonly members: Readonly<Record<string, unknown>>;
    readonly items: number;
    readonly secondsMax: number;
  },
): Promise<FullRead> {
  const pagesMs: number[] = [];
  const startedMs = performance.now();
  let read = 0;
  let after: string | null | undefined;
  do {
    const sentMs = performance.now();
    const members = { ...options.members, limit: PAGE_ITEMS_MAX };
    const answer = await ask(client, options.request, after ? { ...members, after } : members);
    pagesMs.push(performance.now() - sentMs);
    const { keys, items, next } = JSON.parse(answer.toString()) as Page;
    read += (keys ?? items ?? []).length;
    after = next;
  } while (after && performance.now() - startedMs < options.secondsMax * 1000);
  const seconds = (performance.now() - startedMs) / 1000;
  const { what, items } = options;
  if (after ? read >= items : read !== items) {
    throw new Error(`${what} gave ${read} of ${items} items`);
  }
  const [firstMs = 0] = pagesMs;
  pagesMs.sort((a, b) => a - b);
  const pages = {
    count: pagesMs.length,
    p50Ms: pagesMs[Math.floor(pagesMs.length / 2)] as number,
    maxMs: pagesMs.at(-1) as number,
  };
  return { what, items, read, seconds, perSecond: read / seconds, firstMs, pages };
}

interface Page {
  readonly keys?: readonly unknown[];
  readonly items?: readonly unknown[];
  readonly next: string | null;
}
