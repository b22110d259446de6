import type { Command } from 'commander';
import type { NodeConnection } from '../connection.ts';
import { checkPrefix } from '../key.ts';
import { fromJsonValue, toDisplay } from '../payload.ts';
import { replyError } from '../reply-error.ts';
import { parseInteger, type Shell } from '../shell.ts';

const PAGE_LIMIT_MAX = 1000;

interface ListOptions {
  readonly after?: string;
  readonly limit?: number;
  readonly values?: true;
  readonly all?: true;
}

interface ListedValue {
  readonly key: string;
  readonly version: number;
  readonly time: number;
  readonly value?: string;
  readonly base64?: string;
}

interface Page {
  readonly keys?: readonly string[];
  readonly items?: readonly ListedValue[];
  readonly more: boolean;
  readonly next: string | null;
}

export function addList(program: Command, shell: Shell): void {
  program
    .command('list')
    .alias('ls')
    .description('print keys in order')
    .argument('[prefix]', 'whole levels: plant1 means plant1 and plant1/…, never plant10', '')
    .option('--after <key>', 'start behind this key')
    .option(
      '--limit <count>',
      'how many in one page (default 100)',
      parseInteger('--limit', 1, PAGE_LIMIT_MAX),
    )
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
      await shell.withConnection(command, (node) =>
        listPages(shell, node, prefix, shell.options<ListOptions>(command)),
      );
    });
}

async function listPages(
  shell: Shell,
  node: NodeConnection,
  prefix: string,
  options: ListOptions,
): Promise<void> {
  const limit = options.limit ?? (options.all ? PAGE_LIMIT_MAX : 100);
  const values = options.values === true;
  let after = options.after;
  for (;;) {
    const page = await fetchPage(node, prefix, { limit, values, after });
    printPage(shell, prefix, page, options.all === true);
    if (!page.more || page.next === null) return;
    if (!options.all) return shell.output.note(`There are more: --after '${page.next}' or --all`);
    after = page.next;
  }
}

async function fetchPage(
  node: NodeConnection,
  prefix: string,
  query: { limit: number; values: boolean; after: string | undefined },
): Promise<Page> {
  const topic = prefix === '' ? 'dss/list' : `dss/list/${prefix}`;
  const reply = await node.request(topic, query);
  if (!reply.ok) throw replyError(reply);
  return reply as unknown as Page;
}

function printPage(shell: Shell, prefix: string, page: Page, all: boolean): void {
  const { output } = shell;
  if (output.json && !all) {
    const { keys, items, more, next } = page;
    output.object({ ok: true, prefix, ...(items ? { items } : { keys }), more, next });
    return;
  }
  for (const item of page.items ?? []) {
    output.result(item, () => `${item.key} ${toDisplay(fromJsonValue(item))}`);
  }
  for (const key of page.keys ?? []) output.result({ key }, () => key);
}
