import type { Command } from 'commander';
import { usageError } from '../errors.ts';
import { askHttp } from '../http.ts';
import { checkPrefix } from '../key.ts';
import { parseInteger, type Shell } from '../shell.ts';
import { formatTable } from '../table.ts';

interface RetentionDocument {
  readonly revision: number;
  readonly rules: readonly {
    readonly prefix: string;
    readonly keep: string;
    readonly versions: number | null;
    readonly ttl: string | null;
  }[];
}

interface SetOptions {
  readonly keep?: string;
  readonly versions?: number;
  readonly ttl?: string;
}

export function defineRetention(self: Command, shell: Shell): void {
  const retention = self.addHelpText(
    'after',
    `
The rule with the longest prefix that covers a key counts; the prefix '' is every key.
Examples:
  dss retention list
  dss retention set plant1 --keep 30d --versions 100
  dss retention set plant1/presence --ttl 1h     values expire an hour after they were stored
  dss retention rm plant1`,
  );
  retention
    .command('list')
    .description('print the rules')
    .action(async (_options, command: Command) => {
      show(shell, await askHttp(shell.httpDoor(command), { path: '/v1/retention' }));
    });
  retention
    .command('set')
    .description('add a rule, or replace the one of this prefix')
    .argument('<prefix>', "whole levels; '' is every key")
    .option('--keep <time>', 'earlier values stay so long: 12h, 30d, forever')
    .option(
      '--versions <count>',
      'at most so many values of a key, the newest included',
      parseInteger('--versions', 1),
    )
    .option('--ttl <time>', 'the newest value expires, too, so long after it was stored')
    .action(async (prefix: string, _options, command: Command) => {
      checkPrefix(prefix);
      const { keep, versions, ttl } = shell.options<SetOptions>(command);
      if (keep === undefined && versions === undefined && ttl === undefined) {
        throw usageError('say what the rule is: --keep, --versions or --ttl');
      }
      const body = { prefix, keep: duration(keep), versions, ttl: duration(ttl) };
      const request = { method: 'PUT', path: '/v1/retention', body } as const;
      show(shell, await askHttp(shell.httpDoor(command), request));
    });
  retention
    .command('rm')
    .description('remove the rule of a prefix; its keys fall back to the next shorter one')
    .argument('<prefix>')
    .action(async (prefix: string, _options, command: Command) => {
      checkPrefix(prefix);
      const path = `/v1/retention?prefix=${encodeURIComponent(prefix)}`;
      show(shell, await askHttp(shell.httpDoor(command), { method: 'DELETE', path }));
    });
}

/** Digits alone are seconds, which JSON has as a number. */
function duration(text: string | undefined): string | number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text;
}

function show(shell: Shell, document: RetentionDocument): void {
  shell.output.result(document, () =>
    formatTable(
      [
        { title: 'PREFIX' },
        { title: 'KEEP', right: true },
        { title: 'VERSIONS', right: true },
        { title: 'TTL', right: true },
      ],
      document.rules.map(({ prefix, keep, versions, ttl }) => [
        prefix === '' ? '(every key)' : prefix,
        keep,
        versions === null ? 'all' : String(versions),
        ttl ?? 'none',
      ]),
    ),
  );
}
