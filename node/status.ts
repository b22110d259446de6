import type { cluster } from '../protos/index.ts';
import type { ActiveNode } from './active-node.ts';
import type { AlertDocument } from './alerts/document.ts';
import { linkStates } from './beside/link-states.ts';
import { acknowledgedCopies } from './dataplane/shard-map.ts';
import { metaGroup } from './ring/slots.ts';
import { isRemoved } from './settings/nodes.ts';
import type { StorageNode } from './storage-node.ts';

/** What a node can say of itself and of the cluster as it sees it; the body of `GET /v1/cluster`. */
export function describeStatus(
  node: StorageNode,
  addresses: { mqtt: string; http: string; name: string },
) {
  const { identity } = node;
  const own = {
    id: identity.node,
    name: addresses.name,
    startCounter: identity.startCounter,
    mqtt: addresses.mqtt,
    http: addresses.http,
  };
  if (!node.hasJoined) {
    return {
      node: own,
      cluster: { id: '', state: 'forming' as const, durability: { copies: 0, replicas: 0 } },
      nodes: [],
      shards: [],
      links: [],
      alerts: [],
    };
  }
  const { active } = node;
  const { cluster, durability, nodes, alerts } = describeSystem(active);
  return {
    node: own,
    cluster: { ...cluster, durability },
    nodes,
    shards: describeShards(active),
    storage: { ...active.engine.statistics(), ...active.storage },
    settings: { revision: active.settings.current.revision },
    timesClamped: [...active.host.replicas()].reduce(
      (sum, { state }) => sum + state.clampedTimes,
      0,
    ),
    log: { ...active.log.statistics(), syncedRound: active.log.syncedRound },
    queuedBytes: active.dataPlane.queuedBytes,
    watches: active.watches.openCount,
    links: linkStates({ leases: active.settings.current.leases, members: active.members.list() }),
    alerts,
  };
}

/** What everybody may know of the cluster, as this node sees it: the body of `dss/sys/…`. */
export interface SystemFacts {
  readonly cluster: { readonly id: string; readonly state: 'ok' | 'degraded' | 'no-quorum' };
  readonly durability: { readonly copies: number; readonly replicas: number };
  readonly nodes: ReturnType<typeof describeNodes>;
  /** Those that fire. */
  readonly alerts: readonly AlertDocument[];
}

/** Nodes that nobody need worry about; a dead one leaves the list when its data is elsewhere. */
const WELL: readonly string[] = ['active', 'joining', 'leaving'];

export function describeSystem(active: ActiveNode): SystemFacts {
  const nodes = describeNodes(active);
  const isLed = active.map.rows().every(({ group }) => liveLeader(active, group) !== undefined);
  const isWhole = nodes.every(({ state }) => WELL.includes(state));
  const state = isLed ? (isWhole ? 'ok' : 'degraded') : 'no-quorum';
  return {
    cluster: { id: active.genesis.clusterId, state },
    durability: describeDurability(active),
    nodes,
    alerts: active.alerts.firing(),
  };
}

/** How many fsynced copies a PUBACK means now (DESIGN §4 ▣). */
function describeDurability(active: ActiveNode): SystemFacts['durability'] {
  const shards = active.map.shards();
  return {
    copies: Math.min(...shards.map(({ configuration }) => acknowledgedCopies(configuration))),
    replicas: Math.min(...shards.map(({ replicas }) => replicas.length)),
  };
}

function describeNodes(active: ActiveNode) {
  const rows = active.map.rows();
  return active.members.list().map((member) => ({
    ...describeLoad(member.heartbeat),
    zone: member.row.zone,
    id: member.node,
    name: member.name,
    state: member.state === 'active' || isRemoved(member.row) ? member.row.state : member.state,
    mqtt: member.heartbeat?.mqttAddress ?? member.mqttAddress,
    http: member.heartbeat?.httpAddress ?? null,
    leads: rows.filter(({ leader }) => leader?.node === member.node).length,
    replicas: rows.filter(({ replicas }) => replicas.includes(member.node)).length,
    lastHeardMs: member.sinceHeardMs === undefined ? null : Math.round(member.sinceHeardMs),
  }));
}

/** What a node says of itself; null as long as it has said nothing, and what cannot be known. */
function describeLoad(heartbeat: cluster.Heartbeat | undefined) {
  if (heartbeat === undefined) return NOTHING_HEARD;
  const { version, uptimeMs, memoryBytes, memoryMaxBytes, connections } = heartbeat;
  const { diskUsedBytes, diskTotalBytes, storageMaxBytes } = heartbeat;
  const { publishesPerSecond, putsPerSecond, commitP99Ms, loopDelayP99Ms } = heartbeat;
  return {
    ...{ version, uptimeMs, publishesPerSecond, putsPerSecond, loopDelayP99Ms },
    ...{ commitP99Ms: commitP99Ms === 0 ? null : commitP99Ms },
    ...{
      diskUsedBytes,
      diskFreeBytes: diskTotalBytes === 0 ? null : diskTotalBytes - diskUsedBytes,
    },
    ...{ storageMaxBytes, memoryBytes, memoryMaxBytes, connections },
  };
}

const NOTHING_HEARD = {
  ...{ version: null, uptimeMs: null, publishesPerSecond: null, putsPerSecond: null },
  ...{ loopDelayP99Ms: null, commitP99Ms: null, diskUsedBytes: null, diskFreeBytes: null },
  ...{ storageMaxBytes: null, memoryBytes: null, memoryMaxBytes: null, connections: null },
};

/** Why this node cannot serve everything yet, or not now; undefined: it can. */
export function describeMissing(node: StorageNode) {
  if (!node.hasJoined) {
    return { code: 'FORMING', message: 'the node has not joined a cluster yet' } as const;
  }
  const { active } = node;
  const groups = active.map.rows().map(({ group }) => group);
  const leaderless = groups.filter((group) => liveLeader(active, group) === undefined);
  if (leaderless.length === 0) return undefined;
  const some = leaderless.slice(0, 5).join(', ') + (leaderless.length > 5 ? ', …' : '');
  const message = `no live leader is known for ${leaderless.length} of ${groups.length} groups: ${some}`;
  return { code: 'UNAVAILABLE', message } as const;
}

/** Where a key lives. */
export function describePlace(active: ActiveNode, key: string) {
  const bytes = new TextEncoder().encode(key);
  const group = active.map.groupOf(bytes, 0, bytes.length);
  const { firstSlot, replicas } = active.map.row(group);
  const leader = liveLeader(active, group);
  return {
    key,
    group,
    firstSlot,
    leader: leader === undefined ? null : active.members.nameOf(leader),
    replicas: replicas.map((node) => active.members.nameOf(node)),
  };
}

function describeShards(active: ActiveNode) {
  return active.map.rows().map(({ group, firstSlot, slotCount, replicas, leader }) => {
    const replica = active.host.replica(group);
    const suspect = active.suspects.find((found) => found.group === group);
    const node = liveLeader(active, group);
    return {
      group,
      kind: group === metaGroup ? ('meta' as const) : ('shard' as const),
      firstSlot,
      slotCount,
      leader: node === undefined ? null : active.members.nameOf(node),
      term: leader?.term ?? 0,
      replicas: replicas.map((id) => active.members.nameOf(id)),
      ...(replica === undefined
        ? {}
        : {
            local: {
              role: replica.raft.role,
              term: replica.raft.term,
              commit: replica.raft.commitIndex,
              applied: replica.state.appliedIndex,
              last: replica.raft.lastIndex,
              suspect: null,
            },
          }),
      ...(suspect === undefined ? {} : { local: { suspect: suspect.reason } }),
    };
  });
}

/** The leader that we know of, unless its node has failed or our own replica knows better. */
export function liveLeader(active: ActiveNode, group: number): string | undefined {
  const replica = active.host.replica(group);
  if (replica !== undefined) return replica.leaderNode;
  const node = active.map.leaderOf(group);
  return node === undefined || active.members.stateOf(node) === 'failed' ? undefined : node;
}
