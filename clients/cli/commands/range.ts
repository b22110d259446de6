import type { Command } from 'commander';
import type { NodeConnection } from '../connection.ts';
import { checkPrefix, PREFIX_HELP, topicOf } from '../key.ts';
import type { Output } from '../output.ts';
import {
  followPages,
  formatKeyed,
  type ItemsPage,
  type KeyedItem,
  limitOption,
  nothingBelow,
  type PageOptions,
  pageLimit,
} from '../pages.ts';
import type { Shell } from '../shell.ts';

interface RangeOptions extends PageOptions {
  readonly from?: string;
  readonly to?: string;
  readonly reverse?: true;
}

export function defineRange(self: Command, shell: Shell): void {
  self
    .argument('[prefix]', PREFIX_HELP, '')
    .option('--from <key>', 'begin with this key; a whole key, prefix included')
    .option('--to <key>', 'end before this key')
    .addOption(limitOption())
    .option('--reverse', 'highest key first')
    .option('--after <key>', 'go on behind this key')
    .option('--all', 'all pages')
    .addHelpText(
      'after',
      `
Examples:
  dss range plant1/log --reverse --limit 10
  dss range --from plant1/line3 --to plant1/line5
  dss range plant1 --all --json     with --json: one object per page, or per key with --all`,
    )
    .action(async (prefix: string, _options, command: Command) => {
      checkPrefix(prefix);
      const options = shell.options<RangeOptions>(command);
      await shell.withConnection(command, (node) =>
        printRange(shell.output, node, prefix, options),
      );
    });
}

async function printRange(
  output: Output,
  node: NodeConnection,
  prefix: string,
  options: RangeOptions,
): Promise<void> {
  const { from, to, reverse } = options;
  const limit = pageLimit(options);
  let shown = 0;
  await followPages(output, options, {
    fetch: (after) =>
      node.ask<ItemsPage<KeyedItem>>(topicOf('range', prefix), {
        from,
        to,
        reverse,
        limit,
        after,
      }),
    show: ({ items, more, next }) => {
      shown += items.length;
      if (output.json && !options.all) {
        return output.object({ ok: true, prefix, items, more, next });
      }
      for (const item of items) {
        output.result(item, () => formatKeyed(item));
      }
    },
  });
  const isBounded = [from, to, options.after].some((key) => key !== undefined);
  if (shown === 0 && !isBounded) output.note(nothingBelow(prefix));
}
