import { createWriteStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import type { NodeConnection } from '../connection.ts';
import { CliError, fileError, usageError } from '../errors.ts';
import { checkPrefix, PREFIX_HELP } from '../key.ts';
import type { Shell } from '../shell.ts';
import { formatCount, plural } from '../table.ts';
import { parseTime, timeHelp } from '../time.ts';
import { type ExportPosition, readCurrent, readHistories } from '../transfer/export-reader.ts';
import { ProgressBar } from '../transfer/progress-bar.ts';
import { type Format, formatOf, formatOption, type ValueRecord } from '../transfer/record.ts';

interface ExportOptions {
  readonly format?: Format;
  readonly history?: true;
  readonly from?: number;
  readonly to?: number;
  readonly out?: string;
  readonly resume?: true;
  readonly overwrite?: true;
}

export function defineExport(self: Command, shell: Shell): void {
  self
    .argument('[prefix]', PREFIX_HELP, '')
    .addOption(formatOption())
    .option('--history', 'all that is kept of each key, oldest first, deletes too')
    .option('--from <time>', 'with --history: nothing before this', parseTime('--from'))
    .option('--to <time>', 'with --history: only what is before this', parseTime('--to'))
    .option('--out <file>', 'where to; by default to standard output')
    .option('--resume', 'continue the file of --out, with the same arguments, behind its last line')
    .addOption(new Option('--overwrite', 'replace the file of --out').conflicts('resume'))
    .addHelpText(
      'after',
      `
NDJSON has one object a line: key, time, version, and value, base64 or delete. CSV has these as columns; a row
with neither value nor base64 is a delete, and values with a line break are in base64.
It is not one snapshot: each page holds what is stored when it is read. The history of a key that is deleted
now is not exported.
Examples:
  dss export plant1 --out plant1.ndjson
  dss export --history --from -7d --out week.csv
  dss export --history --out all.ndjson --resume     go on where it was broken off
  dss export plant1 | gzip > plant1.ndjson.gz
${timeHelp}`,
    )
    .action(async (prefix: string, _options, command: Command) => {
      checkPrefix(prefix);
      const options = shell.options<ExportOptions>(command);
      checkOptions(options);
      await shell.withConnection(command, (node) => runExport(shell, node, prefix, options));
    });
}

function checkOptions({ history, from, to, out, resume, overwrite }: ExportOptions): void {
  if (!history && (from !== undefined || to !== undefined)) {
    throw usageError('--from and --to need --history: current values have no range of times');
  }
  if (out === undefined && (resume || overwrite)) throw usageError('say which file: --out <file>');
}

async function runExport(
  shell: Shell,
  node: NodeConnection,
  prefix: string,
  options: ExportOptions,
): Promise<void> {
  const { out, history, from, to } = options;
  const format = formatOf(out, options.format);
  const { target, last, isNew } = await openTarget(shell, options, format);
  if (last !== undefined) checkResumed(prefix, last);
  const query = {
    prefix,
    ...(last === undefined ? {} : { after: last }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
  const pages = history ? readHistories(node, query) : readCurrent(node, query);
  const bar = new ProgressBar(shell.output);
  const counts = { values: 0 };
  const text = encodePages(counted(pages, counts, bar), format, isNew);
  try {
    await pipeline(Readable.from(text), target, { end: out !== undefined });
  } catch (error) {
    if (error instanceof CliError || out === undefined) throw error;
    throw fileError('cannot write', out, error);
  } finally {
    bar.end();
  }
  const result = { ok: true, ...counts, ...bar.summary(counts.values) };
  const sentence = () =>
    `exported ${plural(counts.values, 'value')} in ${result.seconds} s (${formatCount(result.perSecond)}/s)`;
  if (out === undefined) shell.output.aside(result, sentence);
  else shell.output.result(result, sentence);
}

interface Target {
  readonly target: Writable;
  /** What it ends with; undefined: nothing yet. */
  readonly last: ExportPosition | undefined;
  /** Nothing was written to it before, not even titles. */
  readonly isNew: boolean;
}

async function openTarget(shell: Shell, options: ExportOptions, format: Format): Promise<Target> {
  const { out, resume, overwrite } = options;
  if (out === undefined) {
    return { target: shell.streams.stdout as Writable, last: undefined, isNew: true };
  }
  if (!resume) {
    const target = createWriteStream(out, { flags: overwrite ? 'w' : 'wx' });
    await opened(target, out);
    return { target, last: undefined, isNew: true };
  }
  const { cutToLastLine } = await import('../transfer/resume-point.ts');
  const { bytes, last } = await cutToLastLine(out, format);
  const target = createWriteStream(out, { flags: 'a' });
  await opened(target, out);
  return { target, last, isNew: bytes === 0 };
}

async function opened(stream: NodeJS.WritableStream, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve());
    stream.once('error', (error: NodeJS.ErrnoException) => {
      const exists = 'it is there already: continue it with --resume, or give --overwrite';
      const cause = error.code === 'EEXIST' ? new Error(exists, { cause: error }) : error;
      reject(fileError('cannot write', path, cause));
    });
  });
}

function checkResumed(prefix: string, { key }: ExportPosition): void {
  if (prefix === '' || key === prefix || key.startsWith(`${prefix}/`)) return;
  throw usageError(
    `the file ends with '${key}', which is not below '${prefix}': it was another export`,
  );
}

async function* counted(
  pages: AsyncIterable<ValueRecord[]>,
  counts: { values: number },
  bar: ProgressBar,
): AsyncGenerator<ValueRecord[]> {
  for await (const page of pages) {
    yield page;
    counts.values += page.length;
    bar.update({ items: counts.values });
  }
}

async function* encodePages(
  pages: AsyncIterable<ValueRecord[]>,
  format: Format,
  isNew: boolean,
): AsyncGenerator<string> {
  if (format === 'csv') {
    const { encodeCsv } = await import('../transfer/csv.ts');
    yield* encodeCsv(pages, isNew);
    return;
  }
  for await (const page of pages)
    yield page.map((record) => `${JSON.stringify(record)}\n`).join('');
}
