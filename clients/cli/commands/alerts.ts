import type { Command } from 'commander';
import type { AlertStatus, AlertsDocument } from '../alert-document.ts';
import { askHttp } from '../http.ts';
import type { Output } from '../output.ts';
import type { Shell } from '../shell.ts';
import { formatDuration, formatTable } from '../table.ts';

export function defineAlerts(self: Command, shell: Shell): void {
  self
    .option(
      '--history',
      'those that are over, too, the newest first: the last thousand of one node',
    )
    .addHelpText(
      'after',
      `
An alert that is pending holds, but not for long enough yet. docs/ALERTS.md says more about each.
Examples:
  dss alerts
  dss alerts --history
  dss alerts --json | jq '.alerts | length'     0 when all is well`,
    )
    .action(async (options: { readonly history?: true }, command: Command) => {
      const document: AlertsDocument = await askHttp(shell.httpDoor(command), {
        path: '/v1/alerts',
      });
      shell.output.result(document, () => {
        const now = formatAlerts(document.alerts, shell.output, Date.now());
        if (options.history !== true) return now;
        return `${now}\n\n${formatHistory(document.history)}`;
      });
    });
}

function formatAlerts(alerts: readonly AlertStatus[], output: Output, nowMs: number): string {
  if (alerts.length === 0) return 'All is well.';
  return alerts
    .map(({ name, severity, state, since, message, advice }) => {
      const style = state === 'pending' ? 'gray' : severity === 'critical' ? 'red' : 'yellow';
      const age = formatDuration(Math.max(0, nowMs - Date.parse(since)));
      const kind = state === 'pending' ? `${severity}, pending` : severity;
      return `${output.style(style, name)} (${kind}, for ${age})\n  ${message}\n  ${advice}`;
    })
    .join('\n');
}

function formatHistory(history: readonly AlertStatus[]): string {
  if (history.length === 0) return 'Nothing else has happened.';
  const columns = [
    { title: 'SINCE' },
    { title: 'LASTED', right: true },
    { title: 'ALERT' },
    { title: 'WHAT WAS' },
  ];
  const rows = history.map(({ name, since, until = since, message }) => [
    ...[since, formatDuration(Math.max(0, Date.parse(until) - Date.parse(since)))],
    ...[name, message],
  ]);
  return formatTable(columns, rows);
}
