import type { Command } from 'commander';
import type { ExplainedSetting } from '../../../node/main.ts';
import type { Output } from '../output.ts';
import type { Shell } from '../shell.ts';
import { formatTable } from '../table.ts';
import { addNodeFlags, type NodeFlags } from './node-flags.ts';

export function defineConfig(self: Command, shell: Shell): void {
  const show = self
    .command('show')
    .description('print every setting of a node as it counts, and who says so; nothing is started');
  addNodeFlags(show)
    .option('--given', 'only what differs from the default')
    .addHelpText(
      'after',
      `
Give it what you give to "dss node": it reads the same flags, variables (DSS_…) and file, checks them, and fails
as the node would. A flag wins over a variable, and that over the file. Secrets and passwords are hidden.
Examples:
  dss config show --config node.yaml
  dss config show --config node.yaml --given
  dss config show --json | jq -r '.settings[] | select(.origin != "default") | .setting'`,
    )
    .action(async (_options, command: Command) => {
      const { explainConfig } = await import('../../../node/main.ts');
      const { given, ...flags } = command.opts<NodeFlags & { readonly given?: true }>();
      const all = explainConfig({ flags, environment: process.env, file: flags.config });
      const settings = all.filter(({ origin }) => given !== true || origin !== 'default');
      shell.output.result({ settings }, () => formatSettings(settings, shell.output));
    });
}

function formatSettings(settings: readonly ExplainedSetting[], output: Output): string {
  if (settings.length === 0) return 'Everything is as by default.';
  return formatTable(
    [{ title: 'SETTING' }, { title: 'VALUE' }, { title: 'ORIGIN' }, { title: 'GIVEN AS' }],
    settings.map(({ setting, value, origin, from }) => {
      const style = origin === 'default' ? 'gray' : 'bold';
      return [setting, formatValue(value), output.style(style, origin), from];
    }),
  );
}

/** Lists are too long for a cell: what is in them stands in the file, and in the JSON. */
function formatValue(value: unknown): string {
  if (value === '') return '–';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : `${value.length} given`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.keys(value);
  return members.length === 0 ? 'none' : members.join(', ');
}
