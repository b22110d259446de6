import type { Command } from 'commander';
import { checkPrefix, PREFIX_HELP, topicOf } from '../key.ts';
import {
  followPages,
  formatKeyed,
  type KeyedItem,
  limitOption,
  nothingBelow,
  type Page,
  type PageOptions,
  pageLimit,
} from '../pages.ts';
import type { Shell } from '../shell.ts';

interface ListOptions extends PageOptions {
  readonly values?: true;
}

interface ListPage extends Page {
  readonly keys?: readonly string[];
  readonly items?: readonly KeyedItem[];
}

export function defineList(self: Command, shell: Shell): void {
  self
    .argument('[prefix]', PREFIX_HELP, '')
    .option('--after <key>', 'start behind this key')
    .addOption(limitOption())
    .option('--values', 'print values too')
    .option('--all', 'all pages')
    .addHelpText(
      'after',
      `
Examples:
  dss list plant1 --values
  dss list --all --json | wc -l     with --json: one object per page, or per key with --all`,
    )
    .action(async (prefix: string, _options, command: Command) => {
      checkPrefix(prefix);
      const options = shell.options<ListOptions>(command);
      const values = options.values === true;
      let shown = 0;
      await shell.withConnection(command, (node) =>
        followPages(shell.output, options, {
          fetch: (after) =>
            node.ask<ListPage>(topicOf('list', prefix), {
              limit: pageLimit(options),
              values,
              after,
            }),
          show: (page) => {
            shown += (page.items ?? page.keys ?? []).length;
            printPage(shell, prefix, page, options.all === true);
          },
        }),
      );
      if (shown === 0 && options.after === undefined) shell.output.note(nothingBelow(prefix));
    });
}

function printPage(shell: Shell, prefix: string, page: ListPage, all: boolean): void {
  const { output } = shell;
  if (output.json && !all) {
    const { keys, items, more, next } = page;
    output.object({ ok: true, prefix, ...(items ? { items } : { keys }), more, next });
    return;
  }
  for (const item of page.items ?? []) {
    output.result(item, () => formatKeyed(item));
  }
  for (const key of page.keys ?? []) output.result({ key }, () => key);
}
