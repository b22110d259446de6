import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Shell } from '../shell.ts';

export function defineReport(self: Command, shell: Shell): void {
  self
    .option('--output <file>', 'where it is written (default: printed)')
    .addHelpText(
      'after',
      `
Markdown: nodes, shards, alerts and those that are over, events, versions, sizes, and the configuration of each node
without secrets. Nothing of what is stored is in it, but names, addresses, rules and client ids of alerts are: read it
before you send it.
Examples:
  dss report
  dss report --output report.md
  dss report --user admin --json > report.json`,
    )
    .action(async ({ output: path }: { readonly output?: string }, command: Command) => {
      const { gatherReport } = await import('../report/gather.ts');
      const { formatReport } = await import('../report/markdown.ts');
      const report = await gatherReport(shell.httpDoor(command), Date.now());
      const version = command.parent?.version() ?? '';
      const text = () => formatReport(report, version);
      const { output } = shell;
      if (path === undefined) return output.result(report, () => text().trimEnd());
      await writeFile(path, output.json ? `${JSON.stringify(report)}\n` : text());
      const { nodes, silent } = report;
      const written = { file: path, nodes: nodes.length, silent: silent.map(({ node }) => node) };
      output.result(written, () => {
        const missing = silent.length === 0 ? '' : `; ${written.silent.join(', ')} did not answer`;
        return `Written to ${path}, from ${nodes.length} of ${nodes.length + silent.length} nodes${missing}`;
      });
    });
}
