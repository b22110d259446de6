import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import { ExitCode } from '../errors.ts';
import type { Shell } from '../shell.ts';
import { listenForStop } from '../stop-signal.ts';
import type { NodeReport, UsableReport } from '../up/node-process.ts';
import { addNodeFlags, type NodeFlags } from './node-flags.ts';
import { addNodeChanges } from './nodes.ts';

const POLL_MS = 50;

export function defineNode(self: Command, shell: Shell): void {
  addNodeFlags(self)
    .addHelpText(
      'after',
      `
Examples:
  dss node --name n1 --data ./n1 --bootstrap          a cluster of one, which can grow:
  dss node --name n2 --data ./n2 --join gw1:1883 --token "$(dss token --data ./n1)"
  dss node leave n2                                   data moves to the others, then n2 stops
  dss node --name n2 --data ./n2 --mqtt-port 1884 --http-port 8081 \\
    --peers n1=127.0.0.1:1883,n2=127.0.0.1:1884,n3=127.0.0.1:1885 --secret-file secret
  dss node --listen 0.0.0.0 --config users.yaml       for others, who are users (dss passwd)
Ctrl-C stops it cleanly; a second Ctrl-C at once.`,
    )
    .action(async (_options, command: Command) => {
      await runNode(shell, command.opts<NodeFlags>());
    });
  addNodeChanges(self, shell);
}

async function runNode(shell: Shell, flags: NodeFlags): Promise<void> {
  // Else V8's young generation is at its largest before the program is loaded; the node lets it grow under load.
  setFlagsFromString('--semi-space-growth-factor=1');
  const { startNode, loadNodeOptions } = await import('../../../node/main.ts');
  const { requested } = listenForStop();
  // Under `dss up` there is a channel to it: a node does not outlive the one that looks after it.
  const abandoned = new Promise<void>((resolve) => process.once('disconnect', resolve));
  const stop = Promise.race([requested, abandoned]);

  const options = loadNodeOptions({ flags, environment: process.env, file: flags.config });
  const node = await Promise.race([startNode(options), stop]);
  // Stopped before it was ready, while it waited for its peers: there is nothing to take leave of.
  if (!node) process.exit(ExitCode.ok);

  const { mqtt, http, warnings } = node;
  const tls = options.tls !== undefined;
  const ready = { event: 'ready', node: options.name, mqtt, http, tls, warnings };
  shell.output.result(ready, () =>
    [
      `DSS node ${options.name} is ready: mqtt ${mqtt}, http ${http}${tls ? ', with TLS' : ''}`,
      ...warnings.map((warning) => shell.output.style('yellow', `Warning: ${warning}`)),
    ].join('\n'),
  );
  const leaders = tellOfLeaders(node, { tls, users: options.users.length > 0, warnings });
  const end = await Promise.race([stop, node.ended]);
  clearInterval(leaders);
  await node.close();
  if (end?.kind === 'removed') process.exit(shell.output.error(end.error));
  if (end?.kind === 'left') {
    const { message } = end;
    shell.output.result({ event: 'left', node: options.name, message }, () => message);
    await tellOfLeaving();
  }
  process.exit(ExitCode.ok);
}

/** `dss up` then knows that there is no use in starting it again. */
function tellOfLeaving(): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.({ event: 'left' } satisfies NodeReport, () => resolve());
    else resolve();
  });
}

/** `dss up` waits until every node can be used, and says how. */
function tellOfLeaders(
  node: { hasLeaders(): boolean },
  report: Omit<UsableReport, 'event'>,
): NodeJS.Timeout {
  const timer = setInterval(() => {
    if (!node.hasLeaders()) return;
    clearInterval(timer);
    process.send?.({ event: 'usable', ...report } satisfies NodeReport);
  }, POLL_MS);
  return timer;
}
