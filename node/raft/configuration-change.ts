import { membersOf, votersOf } from './quorum.ts';
import { becomeFollower } from './roles.ts';
import type { RaftState } from './state.ts';
import type { Configuration, ReplicaId } from './types.ts';

/** Which configurations may follow which (Raft §6), and what becomes of a leader that is not in the new one. */

/** Why this leader must not propose `next` now; undefined: it may. */
export function reasonToRefuse(state: RaftState, next: Configuration): string | undefined {
  const { configuration } = state;
  if (!state.hasCommittedInTerm) return 'the leader has not committed an entry of its term yet';
  if (!state.isConfigurationCommitted) return 'the configuration before is not committed yet';
  if (configuration.outgoing.length > 0) return 'the configuration before is a joint one';
  if (!isWellFormed(next)) return 'a replica is named twice, or there is no voter';
  if (next.outgoing.length > 0) {
    const isFromHere = isSameSet(next.outgoing, configuration.voters);
    return isFromHere ? undefined : 'the outgoing voters are not the current ones';
  }
  const isOfLearners = isSameSet(next.voters, configuration.voters);
  return isOfLearners ? undefined : 'voters change through a joint configuration only';
}

function isWellFormed(configuration: Configuration): boolean {
  const { voters, outgoing, learners } = configuration;
  const isEachOnce = [voters, outgoing, learners].every(
    (ids) =>
      new Set(ids).size === ids.length && ids.every((id) => Number.isSafeInteger(id) && id > 0),
  );
  const isApart =
    membersOf(configuration).length === votersOf(configuration).length + learners.length;
  return isEachOnce && isApart && voters.length > 0;
}

function isSameSet(a: readonly ReplicaId[], b: readonly ReplicaId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

/** A leader leads to the end of the change that removes it (Raft §6), and no longer. */
export function isRemovedLeader(state: RaftState): boolean {
  return state.role === 'leader' && !state.isVoter && state.isConfigurationCommitted;
}

/**
 * This leader is removed from the group, and everybody who can be reached is told by now: it leaves at once to the
 * one who is likely to win, so that nobody waits for a timeout.
 */
export function stepDown(state: RaftState): void {
  const { id: from, term, outbox } = state;
  const to = bestSuccessor(state);
  if (to !== undefined) outbox.send({ kind: 'timeout-now', from, to, term });
  becomeFollower(state, term, 0);
}

/** The voter that has most of the log. */
function bestSuccessor(state: RaftState): ReplicaId | undefined {
  const matchOf = (id: ReplicaId) => state.progress.get(id)?.match ?? 0;
  return [...state.configuration.voters].sort((a, b) => matchOf(b) - matchOf(a))[0];
}
