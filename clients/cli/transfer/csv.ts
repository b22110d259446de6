import { pipeline } from 'node:stream/promises';
import { parse as parseCsv } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import { CSV_COLUMNS, fromCsvRow, malformed, toCsvRow, type ValueRecord } from './record.ts';
import type { ByteStream, Sourced, SourceStart } from './sources.ts';

/** RFC 4180 but for the line ends, which are line feeds. The titles come first, if they are wanted. */
export async function* encodeCsv(
  pages: AsyncIterable<ValueRecord[]>,
  withTitles: boolean,
): AsyncGenerator<string> {
  if (withTitles) yield stringify([[...CSV_COLUMNS]]);
  for await (const page of pages) yield stringify(page.map(toCsvRow));
}

/** What a CSV export holds: columns are known by their titles, and only `key` must be there. */
export async function* readCsvRecords(
  stream: ByteStream,
  start: SourceStart,
  onColumns: (columns: readonly string[]) => void,
): AsyncGenerator<Sourced<ValueRecord>> {
  const parser = parseCsv({
    bom: start.columns === undefined,
    columns: start.columns
      ? [...start.columns]
      : (titles: string[]) => {
          checkTitles(titles);
          onColumns(titles);
          return titles;
        },
    info: true,
    skip_empty_lines: true,
  });
  // A failure of the stream becomes one of the parser.
  void pipeline(stream, parser).catch(() => {});
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRow>) {
      const line = start.line + info.lines;
      const place = `line ${line}`;
      yield { item: fromCsvRow(record, place), place, line, endBytes: start.bytes + info.bytes };
    }
  } catch (cause) {
    if (!(cause as { code?: string }).code?.startsWith('CSV_')) throw cause;
    throw malformed((cause as Error).message, cause);
  }
}

interface CsvRow {
  readonly record: Record<string, string>;
  readonly info: { readonly bytes: number; readonly lines: number };
}

function checkTitles(titles: readonly string[]): void {
  if (titles.includes('key')) return;
  throw malformed('the first line must name the columns, and one of them must be "key"');
}
