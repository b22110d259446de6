import type { Command } from 'commander';
import { checkKey } from '../key.ts';
import type { Shell } from '../shell.ts';

export function defineDelete(self: Command, shell: Shell): void {
  self.argument('<key>').action(async (key: string, _options, command: Command) => {
    checkKey(key);
    await shell.withConnection(command, (node) => node.delete(key));
    shell.output.result({ ok: true, key }, () => `deleted ${key}`);
  });
}
