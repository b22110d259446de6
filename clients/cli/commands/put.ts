import type { Command } from 'commander';
import { usageError } from '../errors.ts';
import { checkKey } from '../key.ts';
import { parseInteger, type Shell } from '../shell.ts';
import { addValueOptions, readValue, type ValueOptions } from '../value-source.ts';

interface PutOptions extends ValueOptions {
  readonly qos: 0 | 1 | 2;
}

export function definePut(self: Command, shell: Shell): void {
  const put = self
    .argument('<key>', 'such as plant1/line3/dev42/temp')
    .argument('[value]', 'the value as text');
  addValueOptions(put)
    .option('--qos <0|1|2>', '0 does not wait for the quorum', parseInteger('--qos', 0, 2), 1)
    .addHelpText(
      'after',
      `
Examples:
  dss put dev42/temp 21.5
  dss put dev42/photo --file photo.jpg
  date | dss put clock --stdin`,
    )
    .action(async (key: string, value: string | undefined, _options, command: Command) => {
      const options = shell.options<PutOptions>(command);
      checkKey(key);
      const bytes = await readValue(shell, value, options);
      if (bytes.length === 0)
        throw usageError("an empty value would delete the key: use 'dss del'");
      await shell.withConnection(command, (node) => node.put(key, bytes, options.qos));
      const stored = options.qos > 0;
      shell.output.result({ ok: true, key, bytes: bytes.length, stored }, () =>
        stored ? `stored ${key}` : `sent ${key}`,
      );
    });
}
