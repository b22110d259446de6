import { formatTable } from '../clients/cli/table.ts';

/** A table as a bench prints it, and as it stands in a document. */
export interface ReportTable {
  readonly title: string;
  readonly columns: readonly { readonly title: string; readonly right?: boolean }[];
  readonly rows: readonly (readonly string[])[];
  /** What one must know to read it. */
  readonly notes?: readonly string[];
}

export const left = (title: string) => ({ title });
export const right = (title: string) => ({ title, right: true });

export function asText({ title, columns, rows, notes = [] }: ReportTable): string {
  const capital = columns.map((column) => ({ ...column, title: capitals(column.title) }));
  const table = formatTable(capital, rows);
  return [title, '', table, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

export function asMarkdown({ title, columns, rows, notes = [] }: ReportTable): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  const table = [
    line(columns.map((column) => column.title)),
    `|${columns.map((column) => (column.right === true ? ' ---: ' : ' --- ')).join('|')}|`,
    ...rows.map(line),
  ];
  return [`**${title}**`, '', ...table, ...notes.flatMap((note) => ['', note])].join('\n');
}

/** But for microseconds, which would be mistaken for others. */
const capitals = (title: string) =>
  title.replace(/µs|[^µ]+/g, (part) => (part === 'µs' ? part : part.toUpperCase()));

const escaped = (cell: string) => cell.replaceAll('|', '\\|');

export function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '-';
}

export function fixed(value: number | null, digits: number): string {
  return value !== null && Number.isFinite(value) ? value.toFixed(digits) : '-';
}

export function percent(share: number): string {
  return Number.isFinite(share) ? `${Math.round(share * 100)} %` : '-';
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
