import type { Command } from 'commander';
import { fetchWhere } from '../http.ts';
import { checkKey } from '../key.ts';
import type { Shell } from '../shell.ts';

export function defineWhere(self: Command, shell: Shell): void {
  self.argument('<key>').action(async (key: string, _options, command: Command) => {
    checkKey(key);
    const { http } = shell.options(command);
    const where = await fetchWhere(http, key, shell.timeoutMs(command), shell.security(command));
    shell.output.result(where, () =>
      [
        `key       ${where.key}`,
        `shard     ${where.group}`,
        `leader    ${where.leader ?? 'none right now'}`,
        `replicas  ${where.replicas.join(', ')}`,
      ].join('\n'),
    );
  });
}
