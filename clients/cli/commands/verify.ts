import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { ExitCode } from '../errors.ts';
import { askHttp, type HttpDoor } from '../http.ts';
import { parseInteger, type Shell } from '../shell.ts';
import { formatBytes, formatDuration, formatTable } from '../table.ts';

interface VerifyDocument {
  readonly groups: readonly VerifiedGroup[];
}

interface VerifiedGroup {
  readonly group: number;
  readonly state: 'waiting' | 'running' | 'equal' | 'different' | 'cut-off';
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly entries: number;
  readonly bytes: number;
  /** Where they differ. */
  readonly slots: readonly number[];
  readonly replicas: readonly {
    readonly node: string;
    readonly id: number;
    readonly verdict: 'agrees' | 'differs' | 'missing';
  }[];
}

const PATH = '/v1/verify';
const POLL_MS = 500;

export function defineVerify(self: Command, shell: Shell): void {
  self
    .option('--group <number>', 'only those of this group', parseInteger('--group', 0))
    .option('--last', 'begin nothing: print what came of the last comparisons')
    .addHelpText(
      'after',
      `
Every replica digests all that a reader could see, as of one entry of the group's log, while everything goes on. One
that differs from most is not trusted any more and is built anew from the others. Nodes do that by themselves once
in storage.verifyHours, 24 if nothing is said. A comparison goes on when this command is stopped.
Examples:
  dss verify
  dss verify --group 7
  dss verify --last --json | jq '.groups[] | select(.state == "different")'`,
    )
    .action(async (_options, command: Command) => {
      const { group, last } = shell.options<{ group?: number; last?: true }>(command);
      const door = shell.httpDoor(command);
      const document = last ? await report(door) : await compare(shell, door, group);
      const groups = document.groups.filter((each) => group === undefined || each.group === group);
      if (groups.some(({ state }) => state === 'different')) shell.exitCode = ExitCode.failure;
      shell.output.result({ groups }, () => format(groups));
    });
}

function report(door: HttpDoor): Promise<VerifyDocument> {
  return askHttp(door, { path: PATH });
}

/** Resolves with what came of the comparisons that have begun now. */
async function compare(shell: Shell, door: HttpDoor, group?: number): Promise<VerifyDocument> {
  const body = group === undefined ? {} : { group };
  const begun: VerifyDocument = await askHttp(door, { method: 'POST', path: PATH, body });
  const wanted = new Set(begun.groups.map((each) => each.group));
  for (;;) {
    const { groups } = await report(door);
    const ours = groups.filter((each) => wanted.has(each.group));
    const done = ours.filter(({ endedAt }) => endedAt !== null);
    shell.output.progress(`${done.length} of ${wanted.size} groups compared`);
    if (done.length >= wanted.size) return { groups: ours };
    await pause(POLL_MS);
  }
}

function format(groups: readonly VerifiedGroup[]): string {
  if (groups.length === 0) return 'Nothing has been compared yet.';
  const nowMs = Date.now();
  const columns = [
    { title: 'GROUP', right: true },
    { title: 'STATE' },
    { title: 'AGREE' },
    { title: 'DIFFER' },
    { title: 'MISSING' },
    { title: 'VALUES', right: true },
    { title: 'SIZE', right: true },
    { title: 'ENDED', right: true },
  ];
  const rows = groups.map(({ group, state, replicas, entries, bytes, endedAt }) => {
    const nodes = (verdict: string) =>
      replicas
        .filter((replica) => replica.verdict === verdict)
        .map(({ node }) => node)
        .join(', ');
    return [
      ...[group === 0 ? 'meta' : String(group), state],
      ...[nodes('agrees'), nodes('differs'), nodes('missing')],
      ...[String(entries), formatBytes(bytes)],
      endedAt === null ? '' : `${formatDuration(Math.max(0, nowMs - endedAt))} ago`,
    ];
  });
  return formatTable(columns, rows);
}
