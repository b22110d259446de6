import { parseJsonPath } from './json-path.ts';

/** One line of a chart: a key, or a place inside of its JSON. Written `key` or `key#path`: no key has a `#`. */
export interface ChartLine {
  readonly text: string;
  readonly key: string;
  readonly path: string;
}

export const RANGES = {
  '5m': 5 * 60_000,
  '15m': 15 * 60_000,
  '1h': 3_600_000,
  '6h': 6 * 3_600_000,
  '24h': 24 * 3_600_000,
  '7d': 7 * 24 * 3_600_000,
} as const;
export type RangeName = keyof typeof RANGES;

const LINES_MAX = 12;
const DEFAULT_RANGE: RangeName = '15m';

export interface ChartQuery {
  readonly lines: readonly ChartLine[];
  readonly range: RangeName;
}

/** Undefined if it is neither. */
export function parseChartLine(text: string): ChartLine | undefined {
  const [key = '', path = ''] = text.trim().split(/#(.*)/s);
  if (key === '' || parseJsonPath(path) === undefined) return undefined;
  return { text: path === '' ? key : `${key}#${path}`, key, path };
}

/** `s=key&s=key%23path&range=1h`. What is there twice or is none is left out. */
export function parseChartQuery(query: URLSearchParams): ChartQuery {
  const lines = query.getAll('s').flatMap((text) => parseChartLine(text) ?? []);
  const unique = lines.filter(
    (line, at) => lines.findIndex(({ text }) => text === line.text) === at,
  );
  const range = query.get('range') ?? '';
  return {
    lines: unique.slice(0, LINES_MAX),
    range: Object.hasOwn(RANGES, range) ? (range as RangeName) : DEFAULT_RANGE,
  };
}

export function formatChartQuery({ lines, range }: ChartQuery): URLSearchParams {
  const query = new URLSearchParams(lines.map<[string, string]>(({ text }) => ['s', text]));
  if (range !== DEFAULT_RANGE) query.set('range', range);
  return query;
}
