import type { Command } from 'commander';
import { askOthers } from '../every-node.ts';
import { askHttp, type HttpDoor } from '../http.ts';
import type { Output } from '../output.ts';
import type { Shell } from '../shell.ts';
import type { ShardStatus, StatusDocument } from '../status-document.ts';
import { formatTable } from '../table.ts';

/** How far a replica is, by its own word; null where its node did not answer, or does not trust it. */
interface ReplicaRow {
  readonly node: string;
  readonly commit: number | null;
  readonly applied: number | null;
  /** Entries that the group has committed and this replica has not applied. */
  readonly lag: number | null;
  /** Why nothing is known of it; empty: all is. */
  readonly why: string;
}

interface ShardRow {
  readonly group: number;
  readonly kind: 'meta' | 'shard';
  readonly firstSlot: number;
  readonly slotCount: number;
  readonly leader: string | null;
  readonly term: number;
  /** The highest that a replica knows of; null: none is known. */
  readonly commit: number | null;
  /** By the leader, or else by whoever is farthest. */
  readonly applied: number | null;
  /** Of the replica that is farthest behind. */
  readonly lag: number | null;
  readonly replicas: readonly ReplicaRow[];
}

export function defineShards(self: Command, shell: Shell): void {
  self
    .option('--behind', 'only those without a leader, or with a replica that lags or is silent')
    .addHelpText(
      'after',
      `
Every node is asked how far its replicas are. COMMIT is the index that a quorum has on disk, APPLIED the one up to
which the leader shows values, LAG how many entries the slowest replica is behind, and which one it is. They are not
asked at the same instant: under load some entries of lag are only that. Group 0 (meta) holds the settings, and no values.
Examples:
  dss shards
  dss shards --behind
  dss shards --json | jq '.shards[] | select(.leader == null) | .group'`,
    )
    .action(async ({ behind }: { readonly behind?: true }, command: Command) => {
      const all = await gatherShards(shell.httpDoor(command));
      const shards = behind === true ? all.shards.filter(isBehind) : all.shards;
      shell.output.result({ ...all, shards }, () => formatShards(shards, shell.output));
      for (const { node, why } of all.silent) shell.output.note(`${node} did not answer: ${why}`);
    });
}

async function gatherShards(door: HttpDoor) {
  const ask = (one: HttpDoor) => askHttp<StatusDocument>(one, { path: '/v1/cluster' });
  const first = await ask(door);
  const { answers, silent } = await askOthers(door, first, ask);
  const statuses = new Map([first, ...answers].map((status) => [status.node.name, status]));
  return { shards: first.shards.map((shard) => describeShard(shard, statuses)), silent };
}

function describeShard(
  { group, kind, firstSlot, slotCount, leader, term, replicas }: ShardStatus,
  statuses: ReadonlyMap<string, StatusDocument>,
): ShardRow {
  const found = replicas.map((node) => {
    const status = statuses.get(node);
    return { node, status, local: status?.shards.find((one) => one.group === group)?.local };
  });
  const commits = found.flatMap(({ local }) => local?.commit ?? []);
  const commit = commits.length === 0 ? null : Math.max(...commits);
  const rows = found.map(({ node, status, local }): ReplicaRow => {
    const why = status === undefined ? 'silent' : local === undefined ? 'missing' : local.suspect;
    const { commit: own = null, applied = null } = local ?? {};
    const lag = commit === null || applied === null ? null : Math.max(0, commit - applied);
    return { node, commit: own, applied, lag, why: why ?? '' };
  });
  const known = rows.flatMap(({ applied }) => applied ?? []);
  const lags = rows.flatMap(({ lag }) => lag ?? []);
  const ofLeader = rows.find(({ node }) => node === leader)?.applied;
  return {
    ...{ group, kind, firstSlot, slotCount, leader, commit, replicas: rows },
    term: Math.max(term, ...found.map(({ local }) => local?.term ?? 0)),
    applied: ofLeader ?? (known.length === 0 ? null : Math.max(...known)),
    lag: lags.length === 0 ? null : Math.max(...lags),
  };
}

function isBehind({ leader, lag, replicas }: ShardRow): boolean {
  return leader === null || lag !== 0 || replicas.some(({ why }) => why !== '');
}

function formatShards(shards: readonly ShardRow[], output: Output): string {
  if (shards.length === 0) return 'No shard.';
  const columns = [
    { title: 'GROUP', right: true },
    { title: 'SLOTS', right: true },
    { title: 'LEADER' },
    { title: 'REPLICAS' },
    { title: 'TERM', right: true },
    { title: 'COMMIT', right: true },
    { title: 'APPLIED', right: true },
    { title: 'LAG', right: true },
  ];
  const rows = shards.map((shard) => {
    const { group, kind, firstSlot, slotCount, leader, replicas, term, commit, applied } = shard;
    const names = replicas.map(({ node, why }) =>
      why === '' ? node : output.style('yellow', `${node} (${why})`),
    );
    return [
      String(group),
      kind === 'meta' ? 'meta' : `${firstSlot}-${firstSlot + slotCount - 1}`,
      leader ?? output.style('red', 'none'),
      names.join(' '),
      ...[term, commit, applied].map((number) => (number === null ? '–' : String(number))),
      formatLag(shard),
    ];
  });
  return formatTable(columns, rows);
}

function formatLag({ lag, replicas }: ShardRow): string {
  if (lag === null) return '–';
  const slowest = replicas.find((replica) => replica.lag === lag);
  return lag === 0 || slowest === undefined ? String(lag) : `${lag} (${slowest.node})`;
}
