import type { Command } from 'commander';
import { deferred } from '../deferred.ts';
import { checkFilter } from '../key.ts';
import { toDisplay, toJsonValue } from '../payload.ts';
import { parseInteger, type Shell } from '../shell.ts';

/** How long a watch may show nothing before it says what it waits for. */
const QUIET_MS = 5_000;

export function defineWatch(self: Command, shell: Shell): void {
  self
    .argument('<filter>', "an MQTT filter over keys: 'plant1/#', '+/status', '#'")
    .option('--count <n>', 'stop after n lines', parseInteger('--count', 1))
    .addHelpText(
      'after',
      `
Examples:
  dss watch 'plant1/#'
  dss watch plant1/line3/dev42/temp --count 1
A plain MQTT client can do the same: mosquitto_sub -t 'dss/value/plant1/#' -v`,
    )
    .action(async (filter: string, _options, command: Command) => {
      checkFilter(filter);
      const { count } = shell.options<{ count?: number }>(command);
      const stop = shell.listenForStop();
      let quiet: NodeJS.Timeout | undefined;
      try {
        await shell.withOwnConnection(command, async (node) => {
          const enough = deferred();
          let printed = 0;
          quiet = setTimeout(() => shell.output.note(quietNote(filter)), QUIET_MS);
          await node.watch(filter, (key, payload, snapshot) => {
            if (printed === count) return;
            clearTimeout(quiet);
            printed += 1;
            printValue(shell, key, payload, snapshot);
            if (printed === count) enough.resolve();
          });
          await Promise.race([enough.promise, stop.requested]);
        });
      } finally {
        clearTimeout(quiet);
        stop.release();
      }
    });
}

/** A node has no answer to a subscription but values: that there are none it does not say. */
function quietNote(filter: string): string {
  return `Waiting: nothing that matches '${filter}' has a value yet, or the cluster has no quorum ('dss status' tells).`;
}

function printValue(shell: Shell, key: string, payload: Buffer, snapshot: boolean): void {
  const deleted = payload.length === 0;
  const value = deleted ? {} : toJsonValue(payload);
  shell.output.result({ key, ...value, deleted, snapshot }, () =>
    deleted ? `${key} ${shell.output.style('dim', '(deleted)')}` : `${key} ${toDisplay(payload)}`,
  );
}
