import { type Command, Option } from 'commander';
import type { NodeConnection } from '../connection.ts';
import { CliError, ExitCode } from '../errors.ts';
import { checkKey } from '../key.ts';
import type { Output } from '../output.ts';
import {
  followPages,
  type ItemsPage,
  limitOption,
  type PageOptions,
  pageLimit,
  type StoredItem,
} from '../pages.ts';
import { fromJsonValue, toDisplay } from '../payload.ts';
import type { Shell } from '../shell.ts';
import { formatTime, parseTime, timeHelp } from '../time.ts';

interface HistoryOptions extends PageOptions {
  readonly from?: number;
  readonly to?: number;
  readonly order: 'desc' | 'asc';
}

export function defineHistory(self: Command, shell: Shell): void {
  self
    .argument('<key>')
    .option('--from <time>', 'nothing before this', parseTime('--from'))
    .option('--to <time>', 'only what is before this', parseTime('--to'))
    .addOption(limitOption())
    .addOption(
      new Option('--order <order>', 'newest or oldest first')
        .choices(['desc', 'asc'])
        .default('desc'),
    )
    .option('--after <next>', 'go on behind a page, with what it called next')
    .option('--all', 'all pages')
    .addHelpText(
      'after',
      `
Examples:
  dss history dev42/temp
  dss history dev42/temp --from -1h --order asc
  dss history dev42/temp --from 2026-11-20T00:00:00+01:00 --to 2026-11-21T00:00:00+01:00 --all
  dss history dev42/temp --all --json     with --json: one object per page, or per value with --all
${timeHelp}`,
    )
    .action(async (key: string, _options, command: Command) => {
      checkKey(key);
      const options = shell.options<HistoryOptions>(command);
      await shell.withConnection(command, (node) => printHistory(shell.output, node, key, options));
    });
}

async function printHistory(
  output: Output,
  node: NodeConnection,
  key: string,
  options: HistoryOptions,
): Promise<void> {
  const { from, to, order } = options;
  const limit = pageLimit(options);
  const ask = (query: Record<string, unknown>) =>
    node.ask<ItemsPage<StoredItem>>(`dss/history/${key}`, query);
  let shown = 0;
  let header = output.json ? undefined : row('TIME', 'VERSION', 'VALUE');
  await followPages(output, options, {
    fetch: (after) => ask({ from, to, order, limit, after }),
    show: async ({ items, more, next }) => {
      shown += items.length;
      if (shown === 0 && !more) {
        const anyTime = await ask({ limit: 1 });
        if (anyTime.items.length === 0) throw noHistory(key);
        output.note(`'${key}' has values, but none there.`);
      }
      if (output.json && !options.all) return output.object({ ok: true, key, items, more, next });
      if (items.length === 0) return;
      if (header !== undefined) output.line(header);
      header = undefined;
      for (const item of items) output.result(item, () => formatItem(output, item));
    },
  });
}

/** A mistyped key looks the same, so it is not a success. */
function noHistory(key: string): CliError {
  const sentence = `there is no history of '${key}': no value of it is kept`;
  return new CliError(ExitCode.notFound, 'NOT_FOUND', sentence);
}

function formatItem(output: Output, item: StoredItem): string {
  const value = item.deleted ? output.style('dim', '(deleted)') : toDisplay(fromJsonValue(item));
  return row(formatTime(item.time), String(item.version), value);
}

/** Of fixed widths, so that a page can be printed before the next one is there. Versions have 53 bits. */
function row(time: string, version: string, value: string): string {
  return `${time.padEnd(24)}  ${version.padEnd(16)}  ${value}`;
}
