import { type FileHandle, open } from 'node:fs/promises';
import { parse as parseCsv } from 'csv-parse/sync';
import { fileError } from '../errors.ts';
import type { ExportPosition } from './export-reader.ts';
import { CSV_COLUMNS, type Format, fromCsvRow, malformed, toRecord } from './record.ts';

export interface ResumePoint {
  /** The file ends here, behind its last complete line. */
  readonly bytes: number;
  /** What that line holds; undefined where there is none but the titles. */
  readonly last: ExportPosition | undefined;
}

const BLOCK_BYTES = 256 * 1024;

/** Cuts an export that was broken off behind its last complete line, and says where it is to go on. */
export async function cutToLastLine(path: string, format: Format): Promise<ResumePoint> {
  let file: FileHandle;
  try {
    file = await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { bytes: 0, last: undefined };
    throw fileError('cannot continue', path, error);
  }
  try {
    const { size } = await file.stat();
    const end = (await lastLineEnd(file, size)) + 1;
    await file.truncate(end);
    const begin = end === 0 ? 0 : (await lastLineEnd(file, end - 1)) + 1;
    const isTitles = format === 'csv' && begin === 0;
    if (end === 0 || isTitles) return { bytes: end, last: undefined };
    const line = Buffer.alloc(end - begin);
    await file.read(line, 0, line.length, begin);
    return { bytes: end, last: positionOf(line.toString('utf8'), format, path) };
  } finally {
    await file.close();
  }
}

/** Where the last line feed before `before` is; -1: nowhere. */
async function lastLineEnd(file: FileHandle, before: number): Promise<number> {
  for (let end = before; end > 0; ) {
    const begin = Math.max(0, end - BLOCK_BYTES);
    const block = Buffer.alloc(end - begin);
    await file.read(block, 0, block.length, begin);
    const found = block.lastIndexOf(0x0a);
    if (found >= 0) return begin + found;
    end = begin;
  }
  return -1;
}

function positionOf(line: string, format: Format, path: string): ExportPosition {
  const place = `the last line of '${path}'`;
  try {
    const { key, time, version } =
      format === 'ndjson' ? toRecord(JSON.parse(line), place) : fromCsvLine(line, place);
    if (typeof time === 'number' && version !== undefined) return { key, time, version };
  } catch {
    // As with a line that is some record, but none that was exported.
  }
  throw malformed(`${place} is not what an export to ${format} writes: it cannot be continued`);
}

function fromCsvLine(line: string, place: string) {
  const [row = {}] = parseCsv(line, { columns: [...CSV_COLUMNS] }) as Record<string, string>[];
  return fromCsvRow(row, place);
}
