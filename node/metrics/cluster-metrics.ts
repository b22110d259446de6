import { counter, each, gauge, type MetricFamily } from './metric.ts';

/** The cluster as this node sees it, and what it does for the others. */
export const CLUSTER_METRICS: MetricFamily = {
  title: 'Cluster, as this node sees it',
  metrics: [
    each(
      'gauge',
      'dss_nodes',
      'Nodes of the cluster, by state.',
      ({ member }) => countedStates(member?.cluster.nodes ?? []),
      { state: ([state]) => state },
      ([, count]) => count,
    ),
    gauge(
      'dss_durability_copies',
      'Synced copies that an acknowledgement stands for now, of the shard that has the fewest.',
      ({ member }) => member?.cluster.durability.copies,
    ),
    gauge(
      'dss_durability_replicas',
      'Replicas of the shard that has the fewest.',
      ({ member }) => member?.cluster.durability.replicas,
    ),
    gauge(
      'dss_shards_without_leader',
      'Groups of which no leader is known that can be reached: what is put there waits.',
      ({ member }) => member?.shardsWithoutLeader,
    ),
    gauge(
      'dss_clocks_skewed',
      "Nodes whose clock differs from this node's by more than a minute.",
      ({ member }) => member?.clocksSkewed,
    ),
    each(
      'gauge',
      'dss_alert',
      'Whether an alert of this rule fires, as `dss alerts` tells it.',
      ({ member }) => member?.alerts ?? [],
      { rule: ({ rule }) => rule, severity: ({ severity }) => severity },
      ({ isFiring }) => isFiring,
    ),
    each(
      'gauge',
      'dss_moves',
      'Groups on their way to other nodes; known to the node that leads group 0.',
      ({ member }) => Object.entries(member?.moves ?? {}),
      { state: ([state]) => state },
      ([, count]) => count,
    ),
    gauge(
      'dss_snapshots_under_way',
      'Snapshots of groups that this node is sending.',
      ({ member }) => member?.snapshots.underWay,
    ),
    each(
      'counter',
      'dss_snapshots_total',
      'Snapshots that this node has sent, by outcome: installed, or failed or not needed any more.',
      ({ member }) =>
        member === undefined
          ? []
          : [
              { outcome: 'installed', count: member.snapshots.installed },
              { outcome: 'failed', count: member.snapshots.failed },
            ],
      { outcome: ({ outcome }) => outcome },
      ({ count }) => count,
    ),
    counter(
      'dss_snapshot_sent_bytes_total',
      'Bytes of snapshots that this node has sent.',
      ({ member }) => member?.snapshots.sentBytes,
    ),
    each(
      'counter',
      'dss_repair_incidents_total',
      'What this node found wrong with replicas, by kind, as `dss events` tells it.',
      ({ member }) => member?.incidents ?? [],
      { kind: ([kind]) => kind },
      ([, count]) => count,
    ),
    gauge(
      'dss_peer_queue_bytes',
      'Ordinary messages that wait for other nodes, or are on their way to them.',
      ({ member }) => member?.peers.queuedBytes,
    ),
    counter(
      'dss_peer_messages_dropped_total',
      'Ordinary messages of QoS 0 that other nodes did not take in time.',
      ({ member }) => member?.peers.dropped,
    ),
  ],
};

function countedStates(nodes: readonly { readonly state: string }[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { state } of nodes) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}
