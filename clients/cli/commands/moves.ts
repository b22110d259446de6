import type { Command } from 'commander';
import { askHttp } from '../http.ts';
import type { Shell } from '../shell.ts';
import { formatBytes, formatDuration, formatTable } from '../table.ts';

interface MovesDocument {
  readonly moves: readonly {
    readonly group: number;
    readonly reason: string;
    readonly state: 'waiting' | 'moving';
    readonly from: readonly string[];
    readonly to: readonly string[];
    readonly bytes: number;
    readonly detectedAtMs: number;
    readonly decidedAtMs: number | null;
    readonly msLeft: number | null;
  }[];
}

export function defineMoves(self: Command, shell: Shell): void {
  self
    .addHelpText(
      'after',
      `
A group that waits has not begun: only a few are moved at a time. LEFT is an estimate from earlier moves.
Examples:
  dss moves
  dss moves --json | jq '.moves | length'     0 when everything is where it should be`,
    )
    .action(async (_options, command: Command) => {
      const document: MovesDocument = await askHttp(shell.httpDoor(command), { path: '/v1/moves' });
      shell.output.result(document, () => formatMoves(document, Date.now()));
    });
}

function formatMoves({ moves }: MovesDocument, nowMs: number): string {
  if (moves.length === 0) return 'Nothing is moving: everything is where it should be.';
  const columns = [
    { title: 'GROUP', right: true },
    { title: 'WHY' },
    { title: 'STATE' },
    { title: 'FROM' },
    { title: 'TO' },
    { title: 'SIZE', right: true },
    { title: 'SINCE', right: true },
    { title: 'LEFT', right: true },
  ];
  const rows = moves.map((move) => [
    move.group === 0 ? 'meta' : String(move.group),
    move.reason,
    move.state,
    move.from.join(', '),
    move.to.join(', '),
    formatBytes(move.bytes),
    formatDuration(Math.max(0, nowMs - (move.decidedAtMs ?? move.detectedAtMs))),
    move.msLeft === null ? '' : formatDuration(move.msLeft),
  ]);
  return formatTable(columns, rows);
}
