import type { Command } from 'commander';
import { parseInteger, parsePositive } from '../shell.ts';
import { addLimitFlags } from './limit-flags.ts';

/** The flags as they were given; the node merges them with its file and environment and checks them. */
export interface NodeFlags {
  readonly config?: string;
  readonly [flag: string]: unknown;
}

/** Everything that a node can be told on the command line. */
export function addNodeFlags(command: Command): Command {
  const port = (name: string) => parseInteger(name, 0, 65_535);
  command
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
      '--alerts-webhook <url>',
      'is told of alerts; better in the file or in DSS_ALERTS_WEBHOOK (default: nobody is)',
    )
    .option(
      '--storage-engine <lsm|classic-level>',
      'what holds the tables; stays as it was when the data directory was made (default lsm)',
    )
    .option(
      '--dead-after-seconds <seconds>',
      'a node that is silent for longer is dead where others can take its data (default 300)',
      parseInteger('--dead-after-seconds', 1, 7 * 24 * 3_600),
    )
    .option(
      '--move-bytes-per-second <size>',
      'how fast data leaves this node for replicas elsewhere (default 67108864 bytes, 64MiB)',
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
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent (default info)');
  return addLimitFlags(addClusterFlags(command));
}

/** What is the same for all nodes of a cluster. */
export function addClusterFlags(command: Command): Command {
  return command
    .option(
      '--replication-factor <count>',
      'copies of each value (default 3)',
      parseInteger('--replication-factor', 1, 7),
    )
    .option(
      '--shards <count>',
      'fixed when the cluster is created (default 16)',
      parseInteger('--shards', 1, 256),
    )
    .option(
      '--verify-hours <hours>',
      'the replicas of all data are compared once in so many hours (default 24; 0: never)',
    );
}
