import type { Command } from 'commander';

const COUNT = '<count>';
const SIZE = '<size>';

/** What clients may take of a node: flag, argument, meaning. The node checks them. */
const LIMIT_FLAGS: readonly (readonly [string, string, string])[] = [
  ['--connections-max', COUNT, 'clients that are connected to this node at a time (default 10000)'],
  ['--connections-per-second', COUNT, 'how fast clients may connect (default 1000; 0: any)'],
  ['--connections-per-user-max', COUNT, 'connections of one user to this node (default 0: any)'],
  ['--sessions-max', COUNT, 'persistent sessions of the whole cluster (default 50000)'],
  [
    '--publishes-per-second',
    COUNT,
    'messages of one client; it is read no faster (default 0: any)',
  ],
  ['--publish-bytes-per-second', SIZE, 'bytes of one client, likewise (default 0: any)'],
  [
    '--publish-burst-seconds',
    '<seconds>',
    'what that leaves for a quiet client to send at once (default 2)',
  ],
  ['--packet-bytes-max', SIZE, 'the largest MQTT packet (default 2097152 bytes, 2MiB)'],
  ['--inflight-puts-max', COUNT, 'puts of one client without an outcome (default 20000)'],
  ['--subscriptions-max', COUNT, 'subscriptions of one client (default 2000)'],
  ['--topic-levels-max', COUNT, 'levels of an ordinary topic and of a filter (default 100)'],
  ['--queued-messages-max', COUNT, 'messages that wait for one client (default 1000)'],
  ['--queued-bytes-max', SIZE, 'their bytes (default 1048576 bytes, 1MiB)'],
  ['--queued-seconds-max', '<seconds>', 'for how long (default 1209600, two weeks)'],
];

export function addLimitFlags(command: Command): Command {
  for (const [flag, argument, meaning] of LIMIT_FLAGS) {
    command.option(`${flag} ${argument}`, meaning);
  }
  return command;
}
