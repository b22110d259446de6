import type { Command } from 'commander';
import { CliError, fileError } from '../errors.ts';
import { checkPrefix } from '../key.ts';
import type { Shell } from '../shell.ts';
import { formatCount, plural } from '../table.ts';
import type { BatchCounts, BatchWriter } from '../transfer/batch-writer.ts';
import { ImportProgress } from '../transfer/import-progress.ts';
import { ProgressBar } from '../transfer/progress-bar.ts';
import {
  type Format,
  formatOf,
  formatOption,
  toElement,
  type ValueRecord,
} from '../transfer/record.ts';
import {
  BEGINNING,
  type ByteStream,
  openSource,
  readNdjsonRecords,
  type Sourced,
} from '../transfer/sources.ts';

interface ImportOptions {
  readonly format?: Format;
  readonly prefix: string;
  readonly restart?: true;
}

export function defineImport(self: Command, shell: Shell): void {
  self
    .argument('<file>', '- is standard input')
    .addOption(formatOption())
    .option('--prefix <prefix>', 'keys are <prefix>/<key>', '')
    .option('--restart', 'begin at the beginning, although it was broken off in the middle')
    .addHelpText(
      'after',
      `
Values keep their times: one that is older than what a key has enters its history only, and repeating an import
changes nothing. Values without a time get that of now. Of several values that a key had within one
millisecond the last one stays.
How far it has come is kept in <file>.dss-progress until it is done: the same command goes on there.
Examples:
  dss import plant1.ndjson
  dss import week.csv --prefix restored`,
    )
    .action(async (file: string, _options, command: Command) => {
      const options = shell.options<ImportOptions>(command);
      checkPrefix(options.prefix);
      await runImport(shell, command, file, options).catch((error) => {
        throw error instanceof CliError ? error : fileError('cannot read', file, error);
      });
    });
}

async function runImport(
  shell: Shell,
  command: Command,
  file: string,
  { format, prefix, restart }: ImportOptions,
): Promise<void> {
  const progress =
    file === '-' ? undefined : await ImportProgress.open(file, prefix, restart === true);
  const start = progress?.reached;
  const stream = progress
    ? await openSource(file, progress.reached.bytes)
    : (shell.streams.stdin as ByteStream);
  if (start && start.bytes > 0)
    shell.output.note(`Going on behind line ${start.line} of '${file}'`);
  const bar = new ProgressBar(shell.output);
  const { BatchWriter } = await import('../transfer/batch-writer.ts');
  const source = { stream, format: formatOf(file, format), progress, bar };
  const counts = await shell
    .withConnection(command, async (node) => {
      const writer = new BatchWriter(node, prefix);
      await storeAll(writer, source);
      return writer.counts;
    })
    .catch(async (error) => {
      // Why it stopped is what matters, not that its place could not be kept as well.
      await progress?.save().catch(() => {});
      throw error;
    })
    .finally(() => bar.end());
  await progress?.finish();
  report(shell, counts, bar);
}

interface Source {
  readonly stream: ByteStream;
  readonly format: Format;
  readonly progress: ImportProgress | undefined;
  readonly bar: ProgressBar;
}

async function storeAll(writer: BatchWriter, { stream, format, progress, bar }: Source) {
  let columns = progress?.reached.columns;
  const start = progress?.reached ?? BEGINNING;
  const onColumns = (titles: readonly string[]) => {
    columns = titles;
  };
  const records: AsyncIterable<Sourced<ValueRecord>> =
    format === 'csv'
      ? (await import('../transfer/csv.ts')).readCsvRecords(stream, start, onColumns)
      : readNdjsonRecords(stream, start);
  for await (const { item, ...place } of records) {
    const before = writer.stored;
    await writer.add(toElement(item, Date.now()), place);
    if (writer.stored === undefined || writer.stored === before) continue;
    const { endBytes, line } = writer.stored;
    await progress?.advance({ bytes: endBytes, line, ...(columns ? { columns } : {}) });
    const total = progress ? { doneBytes: endBytes, totalBytes: progress.sizeBytes } : {};
    bar.update({ items: writer.counts.writes, ...total });
  }
  await writer.flush();
}

function report(shell: Shell, counts: BatchCounts, bar: ProgressBar): void {
  const { writes, bare } = counts;
  const result = { ok: true, ...counts, ...bar.summary(writes) };
  shell.output.result(
    result,
    () =>
      `imported ${plural(writes, 'value')} in ${result.seconds} s (${formatCount(result.perSecond)}/s)`,
  );
  if (bare > 0) {
    shell.output.note(`${bare} values were too large to carry their times: they have that of now.`);
  }
}
