import type { Command } from 'commander';
import { parseNodeAddresses } from '../addresses.ts';
import type { NodeConnection } from '../connection.ts';
import { type ErrorRow, readErrorTable } from '../error-table.ts';
import { CliError, ExitCode, usageError, whyNot } from '../errors.ts';
import type { Shell } from '../shell.ts';
import { formatTable } from '../table.ts';
import { formatTime } from '../time.ts';

interface RefusedPublish {
  readonly time: number;
  readonly code: string;
  readonly message: string;
  readonly topic: string;
  readonly client: string;
  readonly address: string;
}

type NodeRefusal = RefusedPublish & { readonly node: string };

export function defineErrors(self: Command, shell: Shell): void {
  self
    .argument('[code]', 'only this one, in full')
    .option('--recent', 'what the nodes have refused lately, up to a hundred each, oldest first')
    .addHelpText(
      'after',
      `
Examples:
  dss errors
  dss errors UNAVAILABLE
  dss errors --recent     asks each node of --node`,
    )
    .action(async (code: string | undefined, _options, command: Command) => {
      const { recent } = shell.options<{ recent?: true }>(command);
      if (recent && code !== undefined) throw usageError('give either a code or --recent');
      if (recent) await showRecent(shell, command);
      else if (code === undefined) showTable(shell);
      else showCode(shell, code);
    });
}

function showTable(shell: Shell): void {
  const rows = readTable();
  if (shell.output.json) {
    for (const row of rows) shell.output.object(toJson(row));
    return;
  }
  const columns = ['CODE', 'EXIT', 'MEANING'].map((title) => ({ title }));
  const cells = rows.map(({ code, columns: of }) => [
    code,
    of.get('exit') ?? '',
    of.get('meaning') ?? '',
  ]);
  shell.output.line(formatTable(columns, cells));
}

function showCode(shell: Shell, wanted: string): void {
  const row = readTable().find(({ code }) => code === wanted.toUpperCase());
  if (row === undefined) {
    throw usageError(`there is no code '${wanted}'; 'dss errors' prints all of them`);
  }
  const width = Math.max(...[...row.columns.keys()].map((title) => title.length));
  shell.output.result(toJson(row), () =>
    [
      `${row.code} (${row.topic})`,
      ...[...row.columns].map(([title, text]) => `  ${title.padEnd(width)}  ${text}`),
      ...row.notes,
    ].join('\n'),
  );
}

function readTable(): ErrorRow[] {
  const rows = readErrorTable();
  if (rows.length > 0) return rows;
  const sentence = 'docs/ERRORS.md, which holds the table, is missing from this installation';
  throw new CliError(ExitCode.failure, 'FILE', sentence);
}

function toJson({ code, topic, columns, notes }: ErrorRow): object {
  return { code, topic, ...Object.fromEntries(columns), notes };
}

async function showRecent(shell: Shell, command: Command): Promise<void> {
  const found = new Map<string, readonly RefusedPublish[]>();
  const problems: unknown[] = [];
  const nodes = parseNodeAddresses(shell.options(command).node).map(({ url }) => url);
  // What a node has refused it tells its own clients only, so every one is asked.
  await Promise.all(
    nodes.map((node) =>
      shell
        .withOwnConnection(command, (one) => readRefusals(one, found), { nodes: [node] })
        .catch((error) => problems.push(error)),
    ),
  );
  if (problems.length === nodes.length) throw problems[0];
  for (const problem of problems) {
    shell.output.note(`Not asked: ${whyNot(problem)}`);
  }
  const refusals = [...found].flatMap(([node, recent]) => recent.map((one) => ({ ...one, node })));
  if (refusals.length === 0) {
    const isAll = shell.security(command).user === undefined;
    shell.output.note(isAll ? 'Nothing was refused.' : NOTHING_TOLD);
  }
  showRefusals(
    shell,
    refusals.sort((a, b) => a.time - b.time),
  );
}

/** What others have sent is told to nobody else, and nodes do not say whether they keep it back. */
const NOTHING_TOLD =
  'Nothing was refused, or this user is not told: only who may read everything is.';
const REFUSED = 'dss/sys/refused/';
const CLUSTER = 'dss/sys/cluster';

function readRefusals(
  node: NodeConnection,
  found: Map<string, readonly RefusedPublish[]>,
): Promise<void> {
  // A node that has refused nothing says nothing, but each has the state of the cluster; it was asked last.
  return node.follow([`${REFUSED}+`, CLUSTER], (topic, payload) => {
    if (!topic.startsWith(REFUSED)) return topic === CLUSTER;
    found.set(topic.slice(REFUSED.length), JSON.parse(payload.toString('utf8')));
    return false;
  });
}

function showRefusals(shell: Shell, refusals: readonly NodeRefusal[]): void {
  if (shell.output.json) {
    for (const refusal of refusals) shell.output.object(refusal);
    return;
  }
  if (refusals.length === 0) return;
  const columns = ['TIME', 'NODE', 'CLIENT', 'CODE', 'TOPIC', 'MESSAGE'].map((title) => ({
    title,
  }));
  const rows = refusals.map(({ time, node, client, code, topic, message }) => [
    formatTime(time),
    node,
    client,
    code,
    topic,
    message,
  ]);
  shell.output.line(formatTable(columns, rows));
}
