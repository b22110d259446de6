import type { Command } from 'commander';
import { checkKey } from '../key.ts';
import type { Shell } from '../shell.ts';

export function addDelete(program: Command, shell: Shell): void {
  program
    .command('del')
    .alias('delete')
    .description('delete a key; done when a quorum has it on disk, also when there was no value')
    .argument('<key>')
    .action(async (key: string, _options, command: Command) => {
      checkKey(key);
      await shell.withConnection(command, (node) => node.delete(key));
      shell.output.result({ ok: true, key }, () => `deleted ${key}`);
    });
}
