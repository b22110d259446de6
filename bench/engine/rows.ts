/** What is measured, in the order in which it is shown. */
export interface Row {
  readonly id: RowId;
  readonly title: string;
  readonly unit: 'k/s' | 'ms' | 'MB' | '×';
  /** Rows of time are what an engine does per second or how long it takes; the others are what it uses. */
  readonly of: 'time' | 'space';
}

export const ROWS = [
  { id: 'puts', title: 'single puts, 1,000 outstanding', unit: 'k/s', of: 'time' },
  { id: 'batches', title: 'batches of 1,000', unit: 'k/s', of: 'time' },
  { id: 'chained', title: 'chained batches of 1,000', unit: 'k/s', of: 'time' },
  { id: 'sync-1', title: 'batches of 100 with sync', unit: 'k/s', of: 'time' },
  { id: 'sync-16', title: 'batches of 100 with sync, 16 at a time', unit: 'k/s', of: 'time' },
  { id: 'get-sync', title: 'random get, synchronous', unit: 'k/s', of: 'time' },
  { id: 'missing-sync', title: 'random get of nothing, synchronous', unit: 'k/s', of: 'time' },
  { id: 'get', title: 'random get, 1,000 outstanding', unit: 'k/s', of: 'time' },
  { id: 'missing', title: 'random get of nothing, 1,000 outstanding', unit: 'k/s', of: 'time' },
  { id: 'newest', title: 'newest of a series, 100 outstanding', unit: 'k/s', of: 'time' },
  { id: 'series', title: 'scan of one series', unit: 'k/s', of: 'time' },
  { id: 'scan', title: 'full scan', unit: 'k/s', of: 'time' },
  { id: 'reverse', title: 'reverse scan', unit: 'k/s', of: 'time' },
  { id: 'open', title: 'open, nothing new', unit: 'ms', of: 'time' },
  { id: 'open-written', title: 'open, 1,000 writes before', unit: 'ms', of: 'time' },
  { id: 'close-written', title: 'close, 1,000 writes before', unit: 'ms', of: 'time' },
  { id: 'disk', title: 'on disk after compaction', unit: 'MB', of: 'space' },
  { id: 'amplification', title: 'write amplification', unit: '×', of: 'space' },
  { id: 'memory', title: 'peak memory', unit: 'MB', of: 'space' },
] as const satisfies readonly { id: string; title: string; unit: string; of: string }[];

export type RowId = (typeof ROWS)[number]['id'];

/** Per second, in the unit of the row: more is better. Everything else: less is better. */
export function isRate(row: Row): boolean {
  return row.unit === 'k/s';
}

/** What one process measured. A row that the engine has no way to do is absent. */
export type Figures = Partial<Record<RowId, number>>;
