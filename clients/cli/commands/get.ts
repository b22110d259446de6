import { type Command, Option } from 'commander';
import { CliError, ExitCode } from '../errors.ts';
import { checkKey } from '../key.ts';
import { fromJsonValue, toDisplay } from '../payload.ts';
import { replyError } from '../reply.ts';
import type { Shell } from '../shell.ts';
import { formatTime, parseTime, timeHelp } from '../time.ts';

interface GetOptions {
  readonly raw?: true;
  readonly at?: number;
  readonly consistency?: 'strong' | 'eventual' | 'repair';
}

export function defineGet(self: Command, shell: Shell): void {
  self
    .argument('<key>')
    .option('--at <time>', 'the value that was current then', parseTime('--at'))
    .addOption(
      new Option(
        '--consistency <kind>',
        'eventual: what the nearest copy has, perhaps not the newest, also without a quorum; repair: what all copies have, compared',
      )
        .choices(['strong', 'eventual', 'repair'])
        .conflicts('at'),
    )
    .option('--raw', 'the bytes as they are, without a line end')
    .addHelpText(
      'after',
      `
Examples:
  dss get dev42/temp
  dss get dev42/photo --raw > photo.jpg
  dss get dev42/temp --json     with version and time
  dss get dev42/temp --at -1h
  dss get dev42/temp --consistency eventual
${timeHelp}`,
    )
    .action(async (key: string, _options, command: Command) => {
      const { raw, at, consistency } = shell.options<GetOptions>(command);
      checkKey(key);
      const reply = await shell.withConnection(command, (node) =>
        node.request(`dss/get/${key}`, { at, consistency }),
      );
      if (!reply.ok && reply.error === 'NOT_FOUND') {
        const absence =
          at === undefined
            ? `there is no value for '${key}'`
            : `'${key}' had no value at ${formatTime(at)}`;
        throw new CliError(ExitCode.notFound, 'NOT_FOUND', absence);
      }
      if (!reply.ok) throw replyError(reply);
      const { id: _id, op: _op, ...result } = reply;
      if (raw && !shell.output.json) shell.output.bytes(fromJsonValue(reply));
      else shell.output.result(result, () => toDisplay(fromJsonValue(reply)));
    });
}
