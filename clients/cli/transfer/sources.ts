import { open } from 'node:fs/promises';
import { fileError } from '../errors.ts';
import type { SourcePlace } from './batch-writer.ts';
import { malformed, toRecord, type ValueRecord } from './record.ts';

/** Something read from a stream, with where it stood. */
export interface Sourced<T> extends SourcePlace {
  readonly item: T;
}

export type ByteStream = AsyncIterable<Buffer | string>;

/** Where reading begins that goes on in the middle of a file. */
export interface SourceStart {
  readonly bytes: number;
  readonly line: number;
  /** The titles of a CSV file, which stand at its beginning. */
  readonly columns?: readonly string[];
}

export const BEGINNING: SourceStart = { bytes: 0, line: 0 };

/** A file from some byte on. Throws a `CliError` when it cannot be opened. */
export async function openSource(path: string, start = 0): Promise<ByteStream> {
  const file = await open(path).catch((error) => {
    throw fileError('cannot read', path, error);
  });
  return file.createReadStream({ start });
}

/** JSON values, one a line; empty lines are passed over. */
export async function* readNdjson(
  stream: ByteStream,
  start: SourceStart = BEGINNING,
): AsyncGenerator<Sourced<unknown>> {
  for await (const { text, line, endBytes } of readLines(stream, start)) {
    if (text.trim() === '') continue;
    const place = `line ${line}`;
    try {
      yield { item: JSON.parse(text) as unknown, place, line, endBytes };
    } catch (cause) {
      throw malformed(`${place} is not JSON: ${(cause as Error).message}`, cause);
    }
  }
}

/** What an NDJSON export holds. */
export async function* readNdjsonRecords(
  stream: ByteStream,
  start?: SourceStart,
): AsyncGenerator<Sourced<ValueRecord>> {
  for await (const sourced of readNdjson(stream, start)) {
    yield { ...sourced, item: toRecord(sourced.item, sourced.place) };
  }
}

interface Line {
  readonly text: string;
  readonly line: number;
  readonly endBytes: number;
}

async function* readLines(stream: ByteStream, start: SourceStart): AsyncGenerator<Line> {
  let pieces: Buffer[] = [];
  let endBytes = start.bytes;
  let line = start.line;
  const take = (): Line => {
    const bytes = Buffer.concat(pieces);
    pieces = [];
    line += 1;
    // A file that an editor of another system saved may begin with a byte order mark.
    const text = bytes.toString('utf8').replace(line === 1 ? /^\ufeff/ : '', '');
    return { text, line, endBytes };
  };
  for await (const chunk of stream) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    let begin = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, begin)) {
      pieces.push(bytes.subarray(begin, end));
      endBytes += end + 1 - begin;
      begin = end + 1;
      yield take();
    }
    pieces.push(bytes.subarray(begin));
    endBytes += bytes.length - begin;
  }
  if (pieces.some((piece) => piece.length > 0)) yield take();
}
