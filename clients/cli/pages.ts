import type { Output } from './output.ts';

/** What every paged answer has (DESIGN §7). `next` is given back as `after`; it means nothing to us. */
export interface Page {
  readonly more: boolean;
  readonly next: string | null;
}

export interface PageOptions {
  readonly after?: string;
  readonly limit?: number;
  readonly all?: true;
}

export const PAGE_LIMIT_MAX = 1000;
const PAGE_LIMIT_DEFAULT = 100;

/** How many to ask for at a time: with `--all` as many as a node gives. */
export function pageLimit({ limit, all }: PageOptions): number {
  return limit ?? (all ? PAGE_LIMIT_MAX : PAGE_LIMIT_DEFAULT);
}

/** Shows the first page, or with `--all` one after the other, and says when there are more. */
export async function followPages<P extends Page>(
  output: Output,
  options: PageOptions,
  pages: {
    readonly fetch: (after: string | undefined) => Promise<P>;
    readonly show: (page: P) => void;
  },
): Promise<void> {
  let after = options.after;
  for (;;) {
    const page = await pages.fetch(after);
    pages.show(page);
    if (!page.more || page.next === null) return;
    if (!options.all) return output.note(`There are more: --after '${page.next}' or --all`);
    after = page.next;
  }
}
