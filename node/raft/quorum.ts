import type { Configuration, ReplicaId } from './types.ts';

/**
 * Counting by configuration. During joint consensus (Raft §6) both majorities must agree; an empty `outgoing`
 * asks nothing, and an empty `voters` can decide nothing.
 */

/** Voters of either majority, each once. */
export function votersOf(configuration: Configuration): ReplicaId[] {
  return [...new Set([...configuration.voters, ...configuration.outgoing])];
}

export function isVoterOf({ voters, outgoing }: Configuration, replica: ReplicaId): boolean {
  return voters.includes(replica) || outgoing.includes(replica);
}

/** Everybody who gets entries: voters of either majority and learners, each once. */
export function membersOf(configuration: Configuration): ReplicaId[] {
  return [...new Set([...votersOf(configuration), ...configuration.learners])];
}

/** The largest value that a quorum has reached: the commit index, if `reachedBy` is what each has durably. */
export function quorumValue(
  configuration: Configuration,
  reachedBy: (replica: ReplicaId) => number,
): number {
  const incoming = majorityValue(configuration.voters, reachedBy);
  if (configuration.outgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(configuration.outgoing, reachedBy));
}

function majorityValue(
  voters: readonly ReplicaId[],
  reachedBy: (replica: ReplicaId) => number,
): number {
  // Asked for by every answer of a follower, and so without an array: the largest that a majority has at least.
  const majority = Math.floor(voters.length / 2) + 1;
  let reached = 0;
  for (const voter of voters) {
    const value = reachedBy(voter);
    if (value > reached && countAtLeast(value, voters, reachedBy) >= majority) reached = value;
  }
  return reached;
}

function countAtLeast(
  value: number,
  voters: readonly ReplicaId[],
  reachedBy: (replica: ReplicaId) => number,
): number {
  let count = 0;
  for (const voter of voters) if (reachedBy(voter) >= value) count += 1;
  return count;
}

export type VoteResult = 'won' | 'lost' | 'pending';

/** `voteOf` is undefined for those who have not answered. */
export function voteResult(
  configuration: Configuration,
  voteOf: (replica: ReplicaId) => boolean | undefined,
): VoteResult {
  if (quorumValue(configuration, (replica) => (voteOf(replica) === true ? 1 : 0)) === 1)
    return 'won';
  const possible = quorumValue(configuration, (replica) => (voteOf(replica) === false ? 0 : 1));
  return possible === 1 ? 'pending' : 'lost';
}
