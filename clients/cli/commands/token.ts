import type { Command } from 'commander';
import type { Shell } from '../shell.ts';

interface TokenFlags {
  readonly config?: string;
  readonly [flag: string]: unknown;
}

export function defineToken(self: Command, shell: Shell): void {
  self
    .option('--data <dir>', "that node's data directory (default ./.dss/n1)")
    .option('--secret <text>', 'the cluster secret, as that node is told it')
    .option('--secret-file <path>', 'a file that holds it (default: what the node has kept)')
    .option('--config <file>', "that node's configuration file")
    .addHelpText(
      'after',
      `
The token holds the cluster secret and where members are. It is as secret as the secret itself: whoever has
it can be a node, read and change everything. It does not expire, and a new secret makes it void.
Examples:
  dss token --data /var/lib/dss
  dss node --join gw1.lan:1883 --token "$(ssh gw1 dss token)" --name n4 --data ./n4`,
    )
    .action(async (_options, command: Command) => {
      const { loadNodeOptions, readJoinToken } = await import('../../../node/main.ts');
      const flags = command.opts<TokenFlags>();
      const sources = { flags, environment: process.env, file: flags.config };
      const { token, clusterId, addresses } = await readJoinToken(loadNodeOptions(sources));
      shell.output.result({ token, clusterId, addresses }, () => token);
    });
}
