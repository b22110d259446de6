import type { ActiveNode } from './active-node.ts';
import type { Entry, ReplicaId } from './raft/types.ts';
import { EntryKind } from './raft/types.ts';
import { placesOf } from './shard/configuration.ts';
import { parseWriteEntry } from './shard/entry.ts';
import type { Replica } from './shard/replica.ts';

/** Of the log, for one answer. */
const LOG_BYTES_MAX = 4 * 1024 * 1024;

/** The Raft state of every replica on this node: the body of `GET /debug/raft`. */
export function describeRaft({ host, members }: ActiveNode, nodeName: string) {
  const nameOf = (node: string) => members.nameOf(node);
  return {
    node: nodeName,
    groups: [...host.replicas()].map((replica) => describeReplica(replica, nameOf)),
  };
}

function describeReplica(replica: Replica, nameOf: (node: string) => string) {
  const { identity, phase, elections, roundsPending } = replica;
  const { role, term, leader, ...status } = replica.raft.status();
  const leaderNode = replica.nodeOf(leader);
  return {
    ...{ group: identity.group, id: identity.replicaId, phase, role, term },
    leader: leaderNode === undefined ? null : nameOf(leaderNode),
    commit: status.commitIndex,
    applied: status.appliedIndex,
    first: status.logStart.index + 1,
    last: status.lastIndex,
    stable: status.stableIndex,
    ...{ elections, roundsPending, applyQueue: replica.applyQueue.length },
    uncommittedBytes: status.uncommittedBytes,
    peers: placesOf(replica.members)
      .filter(({ replicaId }) => replicaId !== identity.replicaId)
      .map(({ replicaId, node }) => describePeer(replicaId, nameOf(node), status.progress)),
  };
}

/** Only a leader knows how far the others are. */
function describePeer(
  id: ReplicaId,
  node: string,
  progress: ReturnType<Replica['raft']['status']>['progress'],
) {
  const known = progress.find(({ replica }) => replica === id);
  return {
    ...{ id, node, match: known?.match ?? null, next: known?.next ?? null },
    ...{ state: known?.state ?? null, inflightBytes: known?.inflightBytes ?? null },
    isActive: known?.active ?? null,
  };
}

/**
 * Entries of a group's log on this node, at most `limit` and 4 MiB of them, without what clients wrote: the body of
 * `GET /debug/log/<group>`. Undefined: no replica of the group is here.
 */
export async function describeLog(
  { host, log, members }: ActiveNode,
  group: number,
  { from, limit }: { readonly from: number | undefined; readonly limit: number },
) {
  const replica = host.replica(group);
  if (replica === undefined) return undefined;
  const { logStart, stableIndex: last } = replica.raft.status();
  const first = logStart.index + 1;
  const start = Math.max(first, from ?? last - limit + 1);
  const end = Math.min(last, start + limit - 1);
  const entries = start > end ? [] : await log.read(group, start, end, LOG_BYTES_MAX);
  const nameOf = (node: string) => members.nameOf(node);
  return { group, first, last, entries: entries.map((entry) => describeEntry(entry, nameOf)) };
}

const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(EntryKind).map(([name, kind]) => [kind, name]),
);

function describeEntry({ index, term, kind, data }: Entry, nameOf: (node: string) => string) {
  const sections = kind === EntryKind.write ? parseWriteEntry(data) : undefined;
  return {
    ...{ index, term, kind: KIND_NAMES.get(kind) ?? String(kind), bytes: data.length },
    ...(sections === undefined
      ? {}
      : {
          batches: sections.map(({ node, number, count, baseVersion }) => ({
            ...{ from: nameOf(node), number, writes: count, firstVersion: baseVersion },
          })),
        }),
  };
}

/** What waits inside this node. */
export function describeQueues(active: ActiveNode) {
  const { dataPlane, log, engine, host, messages } = active;
  const { memtableBytes, frozenMemtables } = engine.statistics();
  const replicas = [...host.replicas()];
  return {
    writesBytes: dataPlane.queuedBytes,
    logStagedBytes: log.stagedBytes,
    isLogSyncing: log.roundInFlight,
    entriesToApply: replicas.reduce((sum, { applyQueue }) => sum + applyQueue.length, 0),
    raftEntriesBytes: replicas.reduce((sum, { raft }) => sum + raft.memoryBytes, 0),
    ...{ memtableBytes, frozenMemtables },
    peerMessagesBytes: messages.queuedBytes,
    watches: active.watches.openCount,
  };
}
