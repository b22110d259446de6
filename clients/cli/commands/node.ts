import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import { ExitCode } from '../errors.ts';
import { parseInteger, parsePositive, type Shell } from '../shell.ts';
import { listenForStop } from '../stop-signal.ts';
import type { NodeReport } from '../up/node-process.ts';
import { addLimitFlags } from './limit-flags.ts';
import { addNodeChanges } from './nodes.ts';

const POLL_MS = 50;

/** The flags as they were given; the node merges them with its file and environment and checks them. */
interface NodeFlags {
  readonly config?: string;
  readonly [flag: string]: unknown;
}

export function addNode(program: Command, shell: Shell): void {
  const port = (name: string) => parseInteger(name, 0, 65_535);
  const node = program
    .command('node')
    .description('run one storage node in the foreground; or have one leave')
    .option('--name <name>', "this node's name, one of --peers (default n1)")
    .option('--data <dir>', 'where it keeps its data (default ./.dss/n1)')
    .option(
      '--listen <address>',
      'where it listens; others than loopback need users (default 127.0.0.1)',
    )
    .option(
      '--advertise <host>',
      'what it is to others; with :port if that is another one, too (default: as in --peers, or as --listen)',
    )
    .option('--anonymous', 'no users: everybody who can reach it may read and write')
    .option('--mqtt-port <port>', 'MQTT (default 1883)', port('--mqtt-port'))
    .option('--http-port <port>', 'HTTP (default 8080)', port('--http-port'))
    .option(
      '--peers <list>',
      'all first nodes, this one too: n1=127.0.0.1:1883,n2=… (default: a cluster of one)',
    )
    .option('--join <host:port>', 'a member of the cluster to join; several with commas')
    .option('--token <token>', 'what "dss token" prints at a member; better in DSS_TOKEN')
    .option('--replace <name>', 'a node whose place it takes; that one is removed for ever')
    .option('--bootstrap', 'create a cluster that others join')
    .option(
      '--expect <count>',
      'with --bootstrap: wait for so many nodes, itself included (default 1)',
      parseInteger('--expect', 1, 10),
    )
    .option('--zone <name>', 'replicas are spread over zones; counts when it joins')
    .option(
      '--weight <number>',
      'its share of the data against others; counts when it joins (default 1)',
      parsePositive('--weight'),
    )
    .option('--secret <text>', 'what proves that a peer belongs to the cluster')
    .option('--secret-file <path>', 'a file that holds it')
    .option('--tls-cert <file>', 'PEM; with it nothing but TLS is spoken')
    .option('--tls-key <file>', 'the key to it')
    .option('--tls-ca <file>', 'who signs the certificates of nodes')
    .option(
      '--tls-client-certificates <none|required>',
      'whether clients need one by the CA (default none)',
    )
    .option(
      '--storage-max-bytes <size>',
      'when it is reached old history goes: 10GiB (default 0: no limit)',
    )
    .option(
      '--verify-hours <hours>',
      'the replicas of all data are compared once in so many hours (default 24; 0: never)',
    )
    .option(
      '--alerts-webhook <url>',
      'is told of alerts; better in the file or in DSS_ALERTS_WEBHOOK (default: nobody is)',
    )
    .option(
      '--storage-engine <lsm|classic-level>',
      'what holds the tables; stays as it was when the data directory was made (default lsm)',
    )
    .option(
      '--dead-after-seconds <seconds>',
      'a node that is silent for longer is dead, and its data goes to others (default 300)',
      parseInteger('--dead-after-seconds', 1, 7 * 24 * 3_600),
    )
    .option(
      '--move-bytes-per-second <size>',
      'how fast data leaves this node for replicas elsewhere (default 67108864 bytes, 64MiB)',
    )
    .option(
      '--replication-factor <count>',
      'copies of each value (default 3)',
      parseInteger('--replication-factor', 1, 7),
    )
    .option(
      '--shards <count>',
      'fixed when the cluster is created (default 64)',
      parseInteger('--shards', 1, 256),
    )
    .option(
      '--memtable-bytes <bytes>',
      'what is gathered before a table is written (default 16777216)',
    )
    .option(
      '--rounds-max-wait-ms <ms>',
      'how long a round of the log may wait for more writes: fewer writes to the disk, later PUBACKs (default 0)',
      parseInteger('--rounds-max-wait-ms', 0, 100),
    )
    .option('--value-bytes-max <bytes>', 'larger values are refused (default 1048576)')
    .option(
      '--on-invalid <ack|close>',
      'what becomes of a put that can never be valid, under MQTT 3.1.1 (default ack)',
    )
    .option('--config <file>', 'YAML, also with users and rules; flags and environment win over it')
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent (default info)')
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
  addLimitFlags(node);
  addNodeChanges(node, shell);
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
  }
  process.exit(ExitCode.ok);
}

/** `dss up` waits until every node can be used, and says how. */
function tellOfLeaders(
  node: { hasLeaders(): boolean },
  report: Omit<NodeReport, 'event'>,
): NodeJS.Timeout {
  const timer = setInterval(() => {
    if (!node.hasLeaders()) return;
    clearInterval(timer);
    process.send?.({ event: 'usable', ...report } satisfies NodeReport);
  }, POLL_MS);
  return timer;
}
