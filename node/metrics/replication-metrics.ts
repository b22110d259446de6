import type { GroupFacts, MetricFacts } from './facts.ts';
import { LATENCY_BOUNDS_MS } from './latency-histogram.ts';
import { counter, each, gauge, type MetricFamily } from './metric.ts';

const ROLES: readonly GroupFacts['role'][] = ['leader', 'follower', 'candidate', 'pre-candidate'];
const groupsOf = ({ member }: MetricFacts): readonly GroupFacts[] => member?.groups ?? [];
const group = (each: GroupFacts) => each.group;

/** How writes are committed, and by whom. */
export const REPLICATION_METRICS: MetricFamily = {
  title: 'Commits and Raft',
  metrics: [
    {
      name: 'dss_commit_duration_seconds',
      help: 'From a write handed in at this node to its commit on a quorum; all writes of a batch count like its first.',
      type: 'histogram',
      labels: [],
      bounds: LATENCY_BOUNDS_MS.map((ms) => ms / 1_000),
      read: ({ member }) => member?.commits,
    },
    gauge(
      'dss_write_queue_bytes',
      'Writes taken at this node that have no outcome yet.',
      ({ member }) => member?.writeQueueBytes,
    ),
    each(
      'gauge',
      'dss_replicas',
      'Replicas on this node, by their role in their group.',
      ({ member }) =>
        member === undefined
          ? []
          : ROLES.map((role) => ({
              role,
              count: member.groups.filter((each) => each.role === role).length,
            })),
      { role: ({ role }) => role },
      ({ count }) => count,
    ),
    gauge(
      'dss_replicas_suspect',
      'Replicas on this node that it cannot trust: they take no part.',
      ({ member }) => member?.suspects,
    ),
    gauge(
      'dss_replicas_halted',
      'Replicas on this node that apply nothing more, since an entry cannot be applied.',
      ({ member }) => member?.groups.filter(({ isHalted }) => isHalted).length,
    ),
    each(
      'gauge',
      'dss_raft_leader',
      'Whether the replica on this node leads its group.',
      groupsOf,
      { group },
      ({ role }) => role === 'leader',
    ),
    each(
      'gauge',
      'dss_raft_term',
      'Raft term of the replica on this node.',
      groupsOf,
      { group },
      ({ term }) => term,
    ),
    each(
      'gauge',
      'dss_raft_commit_index',
      'Index of the last entry that the replica on this node knows to be committed.',
      groupsOf,
      { group },
      ({ commitIndex }) => commitIndex,
    ),
    each(
      'gauge',
      'dss_raft_applied_lag_entries',
      'Committed entries that the replica on this node has not applied yet.',
      groupsOf,
      { group },
      ({ commitIndex, appliedIndex }) => commitIndex - appliedIndex,
    ),
    each(
      'counter',
      'dss_raft_elections_total',
      'Elections that the replica on this node has begun.',
      groupsOf,
      { group },
      ({ elections }) => elections,
    ),
    counter(
      'dss_times_clamped_total',
      'Event times that were later than the version of their write, and were put back to it, at replicas here.',
      ({ member }) => member?.timesClamped,
    ),
  ],
};
