import { cluster } from '../../protos/index.ts';
import type { MemberState } from '../membership/members.ts';
import type { GroupTruth, ReplicaTruth } from './truth.ts';

const { ReplicaRole } = cluster;

/** A node, and what it said last. */
export interface Heard {
  readonly node: string;
  readonly state: MemberState;
  readonly sinceHeardMs: number | undefined;
  readonly heartbeat: cluster.Heartbeat | undefined;
}

/**
 * What the leaders of all groups have told in their heartbeats, by group. Of several reports that of the
 * later term counts, then that of the later configuration (docs/adr/0011-later-term-wins-in-the-map.md).
 */
export function truthsOf(heard: readonly Heard[]): GroupTruth[] {
  const suspects = new Set(
    heard.flatMap(({ heartbeat }) =>
      (heartbeat?.suspects ?? []).map(({ group, replicaId }) => `${group}/${replicaId}`),
    ),
  );
  const newest = new Map<number, GroupTruth>();
  for (const { node, heartbeat } of heard) {
    for (const lead of (heartbeat?.leads ?? []) as cluster.Lead[]) {
      const truth = truthOf(node, lead, suspects);
      const known = newest.get(truth.group);
      if (known === undefined || isNewer(truth, known)) newest.set(truth.group, truth);
    }
  }
  return [...newest.values()].sort((a, b) => a.group - b.group);
}

function truthOf(leader: string, lead: cluster.Lead, suspects: ReadonlySet<string>): GroupTruth {
  const { group, configurationIndex, term, committed, bytes } = lead;
  const replicas = lead.replicas.map((report): ReplicaTruth => {
    const { replicaId, node, role, caughtUp, installing } = report as cluster.ReplicaReport;
    const isSuspect = suspects.has(`${group}/${replicaId}`);
    return { replicaId, node, role: roleOf(role), caughtUp, installing, isSuspect };
  });
  // A joint configuration that only adds voters looks like any other; its leader refuses to change it.
  const isChanging = !committed || replicas.some(({ role }) => role === 'outgoing');
  return { group, configurationIndex, term, leader, isChanging, replicas, bytes };
}

function roleOf(role: cluster.ReplicaRole): ReplicaTruth['role'] {
  if (role === ReplicaRole.VOTER) return 'voter';
  return role === ReplicaRole.OUTGOING ? 'outgoing' : 'learner';
}

function isNewer(a: GroupTruth, b: GroupTruth): boolean {
  if (a.term !== b.term) return a.term > b.term;
  return a.configurationIndex > b.configurationIndex;
}
