import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { askHttp, type HttpDoor } from '../http.ts';
import { parsePositive, type Shell } from '../shell.ts';
import type { StatusDocument } from '../status-document.ts';
import { formatFrame } from '../top/frame.ts';
import { type Picture, pictureOf } from '../top/picture.ts';
import { isTerminal, Screen } from '../top/screen.ts';

/** Longer than this nobody looks at an old picture without being told. */
const NEWS_TIMEOUT_MS = 5_000;

export function defineTop(self: Command, shell: Shell): void {
  self
    .option('--once', 'print how it is now, and end; also without a terminal, or with --json')
    .option('--interval <seconds>', 'how often it is drawn anew', parsePositive('--interval'), 1)
    .addHelpText(
      'after',
      `
q or Ctrl-C quits. Rates are of the last seconds, latencies of the last ten: COMMIT P99 from a put received to the
same on the disks of a quorum, LOOP P99 how long events wait in the process. LEADS: of how many shards it is the leader.
Examples:
  dss top
  dss top --interval 5
  dss top --json | jq .totals`,
    )
    .action(async (options: TopOptions, command: Command) => {
      const door = shell.httpDoor(command);
      const isLive = options.once !== true && !shell.output.json && isTerminal(shell.streams);
      if (isLive) await follow(shell, door, options.interval * 1_000);
      else await printOnce(shell, door);
    });
}

interface TopOptions {
  readonly once?: true;
  readonly interval: number;
}

async function look(door: HttpDoor): Promise<Picture> {
  const status = await askHttp<StatusDocument>(door, { path: '/v1/cluster' });
  return pictureOf(status, Date.now());
}

async function printOnce(shell: Shell, door: HttpDoor): Promise<void> {
  const picture = await look(door);
  shell.output.result(picture, () => frameOf(shell, picture).join('\n'));
}

/** Until somebody quits. A cluster that cannot be reached at first is an error; later it is shown. */
async function follow(shell: Shell, door: HttpDoor, intervalMs: number): Promise<void> {
  let picture = await look(door);
  const stop = shell.listenForStop();
  const quit = new AbortController();
  void stop.requested.then(() => quit.abort());
  const screen = new Screen(shell.streams, () => quit.abort());
  const timeoutMs = Math.min(door.timeoutMs, NEWS_TIMEOUT_MS);
  const impatient = { ...door, timeoutMs, signal: quit.signal };
  try {
    screen.show(frameOf(shell, picture));
    while (await passed(intervalMs, quit.signal)) {
      try {
        picture = await look(impatient);
        if (!quit.signal.aborted) screen.show(frameOf(shell, picture));
      } catch (error) {
        if (!quit.signal.aborted) screen.show(frameOf(shell, picture, (error as Error).message));
      }
    }
  } finally {
    screen.close();
    stop.release();
  }
}

/** False: somebody quit before. */
function passed(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return pause(milliseconds, true, { signal }).catch(() => false);
}

function frameOf({ output }: Shell, picture: Picture, problem?: string): string[] {
  const style: Parameters<typeof formatFrame>[1]['style'] = (name, text) =>
    output.style(name, text);
  return formatFrame(picture, { style, nowMs: Date.now(), problem });
}
