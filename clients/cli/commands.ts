import type { Command } from 'commander';
import type { RunCommand } from './commands/shell.ts';
import type { Shell } from './shell.ts';

/** Gives a command its arguments, options, help and action. */
type Define = (self: Command, shell: Shell, run: RunCommand) => void;

interface CommandEntry {
  readonly name: string;
  readonly alias?: string;
  /** What `dss --help` says of it. */
  readonly summary: string;
  /** Loads what it needs: help and every other command start without. */
  readonly load: () => Promise<Define>;
}

/** All commands, in the order of `dss --help`. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'up',
    summary: 'run a cluster on this machine: real processes, one for each node',
    load: async () => (await import('./commands/up.ts')).defineUp,
  },
  {
    name: 'node',
    summary: 'run one storage node in the foreground; or have one leave',
    load: async () => (await import('./commands/node.ts')).defineNode,
  },
  {
    name: 'put',
    summary: 'store a value; done when a quorum has it on disk',
    load: async () => (await import('./commands/put.ts')).definePut,
  },
  {
    name: 'get',
    summary: 'print the current value of a key; exit code 3 when there is none',
    load: async () => (await import('./commands/get.ts')).defineGet,
  },
  {
    name: 'del',
    alias: 'delete',
    summary: 'delete a key; done when a quorum has it on disk, also when there was no value',
    load: async () => (await import('./commands/del.ts')).defineDelete,
  },
  {
    name: 'list',
    alias: 'ls',
    summary: 'print keys in order',
    load: async () => (await import('./commands/list.ts')).defineList,
  },
  {
    name: 'range',
    summary: 'print keys and values between two keys, in the byte order of the keys',
    load: async () => (await import('./commands/range.ts')).defineRange,
  },
  {
    name: 'history',
    summary: 'print what a key has held, newest first; exit code 3 when there is nothing',
    load: async () => (await import('./commands/history.ts')).defineHistory,
  },
  {
    name: 'watch',
    summary: 'print the current values that match, then every change',
    load: async () => (await import('./commands/watch.ts')).defineWatch,
  },
  {
    name: 'cas',
    summary: 'compare and set: store a value if the key still has the version that you know',
    load: async () => (await import('./commands/cas.ts')).defineCas,
  },
  {
    name: 'batch',
    summary: 'store many values; done when a quorum has all of them on disk',
    load: async () => (await import('./commands/batch.ts')).defineBatch,
  },
  {
    name: 'export',
    summary: 'write values to a file that dss import can read',
    load: async () => (await import('./commands/export.ts')).defineExport,
  },
  {
    name: 'import',
    summary: 'store what dss export has written, or any CSV with a column named key',
    load: async () => (await import('./commands/import.ts')).defineImport,
  },
  {
    name: 'status',
    summary: 'print the state of the cluster, as one node sees it',
    load: async () => (await import('./commands/status.ts')).defineStatus,
  },
  {
    name: 'top',
    summary: 'watch the cluster live: nodes, rates, latencies, shards, alerts',
    load: async () => (await import('./commands/top.ts')).defineTop,
  },
  {
    name: 'shards',
    summary: 'print every shard: leader, replicas, term, and how far each replica is',
    load: async () => (await import('./commands/shards.ts')).defineShards,
  },
  {
    name: 'where',
    summary: 'print which nodes hold a key, and which of them leads',
    load: async () => (await import('./commands/where.ts')).defineWhere,
  },
  {
    name: 'nodes',
    summary: 'print the nodes of the cluster: who takes part, and where',
    load: async () => (await import('./commands/nodes.ts')).defineNodes,
  },
  {
    name: 'token',
    summary: 'print the token with which another node joins; on the machine of a node',
    load: async () => (await import('./commands/token.ts')).defineToken,
  },
  {
    name: 'moves',
    summary: 'print what is moving between nodes: repairs, and data for nodes that join or leave',
    load: async () => (await import('./commands/moves.ts')).defineMoves,
  },
  {
    name: 'events',
    summary:
      'print what the cluster has moved, repaired and decided about its nodes, the newest last',
    load: async () => (await import('./commands/events.ts')).defineEvents,
  },
  {
    name: 'alerts',
    summary: 'print what somebody should look at, and what to do about it',
    load: async () => (await import('./commands/alerts.ts')).defineAlerts,
  },
  {
    name: 'report',
    summary: 'gather a health report from every node, to read and to send to somebody',
    load: async () => (await import('./commands/report.ts')).defineReport,
  },
  {
    name: 'doctor',
    summary: 'examine this machine and the cluster, and say what to do; exit code 1 on problems',
    load: async () => (await import('./commands/doctor.ts')).defineDoctor,
  },
  {
    name: 'verify',
    summary: 'compare all replicas of the data; exit code 1 when some differ',
    load: async () => (await import('./commands/verify.ts')).defineVerify,
  },
  {
    name: 'recover',
    summary: 'go on without nodes that are lost for ever; on the machine of a stopped node',
    load: async () => (await import('./commands/recover.ts')).defineRecover,
  },
  {
    name: 'config',
    summary: 'show what a node would be told, and where each setting comes from',
    load: async () => (await import('./commands/config.ts')).defineConfig,
  },
  {
    name: 'retention',
    summary: 'how long values and their history stay, by prefix',
    load: async () => (await import('./commands/retention.ts')).defineRetention,
  },
  {
    name: 'ingest',
    summary: 'rules that store ordinary MQTT topics, so that devices need not change',
    load: async () => (await import('./commands/ingest.ts')).defineIngest,
  },
  {
    name: 'errors',
    summary: 'print what the error codes mean, or what was refused lately',
    load: async () => (await import('./commands/errors.ts')).defineErrors,
  },
  {
    name: 'passwd',
    summary: "make the hash of a password, for a user in a node's configuration file",
    load: async () => (await import('./commands/passwd.ts')).definePasswd,
  },
  {
    name: 'fleet',
    summary: 'simulate sensors that publish slowly wandering readings',
    load: async () => (await import('./commands/fleet.ts')).defineFleet,
  },
  {
    name: 'shell',
    summary: 'a prompt for the other commands, over one connection',
    load: async () => (await import('./commands/shell.ts')).defineShell,
  },
  {
    name: 'completion',
    summary: 'print what makes a shell complete commands and options with Tab',
    load: async () => (await import('./commands/completion.ts')).defineCompletion,
  },
];
