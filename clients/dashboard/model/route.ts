/** Where one is, as it stands behind the `#`: `#/keys/plant1%2Fdev42%2Ftemp?from=…`. */
export interface Route {
  readonly page: PageName;
  /** The rest of the path, decoded: a key, or the number of a shard. */
  readonly subject: string | undefined;
  readonly query: URLSearchParams;
}

export const PAGES = ['overview', 'ring', 'keys', 'charts', 'shards', 'refused', 'alerts'] as const;
export type PageName = (typeof PAGES)[number];

/** What nobody knows is the overview. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split(/\?(.*)/s);
  const [name = '', subject] = path.split(/\/(.*)/s);
  const page = PAGES.find((known) => known === name) ?? 'overview';
  return { page, subject: decoded(subject), query: new URLSearchParams(query) };
}

export function formatRoute(page: PageName, subject?: string, query?: URLSearchParams): string {
  const path = subject === undefined ? `#/${page}` : `#/${page}/${encodeURIComponent(subject)}`;
  const text = query?.toString() ?? '';
  return text === '' ? path : `${path}?${text}`;
}

function decoded(subject: string | undefined): string | undefined {
  if (subject === undefined || subject === '') return undefined;
  try {
    return decodeURIComponent(subject);
  } catch {
    return subject;
  }
}
