import type { Command } from 'commander';
import { askHttp } from '../http.ts';
import type { Shell } from '../shell.ts';
import { formatDuration } from '../table.ts';
import { formatTime } from '../time.ts';

interface EventsDocument {
  readonly events: readonly {
    readonly atMs: number;
    readonly kind: string;
    readonly message: string;
    readonly reason?: string;
    readonly detectedAtMs?: number;
    readonly decidedAtMs?: number;
    readonly repairedAtMs?: number;
  }[];
}

export function defineEvents(self: Command, shell: Shell): void {
  self
    .addHelpText(
      'after',
      `
Of each move it says how long after the need for it was seen it was decided, and how long after that it was done.
The last 200 events of every node that can be reached; nodes forget theirs when they are stopped.
Examples:
  dss events
  dss events --json | jq '.events[] | select(.reason == "repair")'`,
    )
    .action(async (_options, command: Command) => {
      const door = shell.httpDoor(command);
      const document: EventsDocument = await askHttp(door, { path: '/v1/events' });
      shell.output.result(document, () => formatEvents(document));
    });
}

function formatEvents({ events }: EventsDocument): string {
  if (events.length === 0) return 'Nothing has happened yet.';
  return events
    .map((event) => {
      const { reason } = event;
      const why = reason === undefined ? '' : ` (${reason}${formatTimes(event)})`;
      return `${formatTime(event.atMs)}  ${event.message}${why}`;
    })
    .join('\n');
}

function formatTimes(event: EventsDocument['events'][number]): string {
  const { detectedAtMs, decidedAtMs, repairedAtMs } = event;
  if (detectedAtMs === undefined || decidedAtMs === undefined || repairedAtMs === undefined) {
    return '';
  }
  const decided = formatDuration(Math.max(0, decidedAtMs - detectedAtMs));
  const done = formatDuration(Math.max(0, repairedAtMs - decidedAtMs));
  return `: decided after ${decided}, done ${done} later`;
}
