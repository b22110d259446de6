import assert from 'node:assert/strict';
import { answerRead } from './read-index.ts';
import { appendAsLeader } from './replication.ts';
import type { RaftState } from './state.ts';
import { EntryKind, type ReplicaId, type Role, type Term } from './types.ts';

/** The transitions of Raft's figure 4, with the pre-candidate of the dissertation's §9.6 between. */

export function becomeFollower(state: RaftState, term: Term, leader: ReplicaId): void {
  enter(state, 'follower', term, leader);
}

/** Asks whether an election could be won; changes neither term nor vote. */
export function becomePreCandidate(state: RaftState): void {
  assert(state.role !== 'leader', 'a leader does not campaign');
  enter(state, 'pre-candidate', state.term, 0);
}

/** The vote for itself is counted when it is durable, like anybody's: see Raft.persisted. */
export function becomeCandidate(state: RaftState): void {
  assert(state.role !== 'leader', 'a leader does not campaign');
  enter(state, 'candidate', state.term + 1, 0);
  state.vote = state.id;
}

export function becomeLeader(state: RaftState): void {
  assert(state.role === 'candidate', 'only a candidate is elected');
  assert(state.vote === state.id, 'a leader has voted for itself');
  enter(state, 'leader', state.term, state.id);
  const { log } = state;
  state.followMembers(log.lastIndex + 1);
  for (const progress of state.progress.values()) {
    progress.active = progress.replica === state.id;
    if (progress.active) progress.match = log.stable;
  }
  state.termFirstIndex = log.lastIndex + 1;
  state.heartbeatElapsedTicks = 0;
  // Entries of earlier terms are committed only below one of this term (Raft §5.4.2); do not wait for a client's.
  appendAsLeader(state, [{ kind: EntryKind.empty, data: new Uint8Array(0) }]);
  state.uncommittedBytes = 0;
}

function enter(state: RaftState, role: Role, term: Term, leader: ReplicaId): void {
  assert(term >= state.term, 'terms never go back');
  assert(Number.isSafeInteger(term), 'a term is a safe integer');
  const hasNewRole = role !== state.role;
  const hasNewLeader = leader !== state.leader || (leader !== 0 && term !== state.term);
  state.updateReleasedIndex();
  if (term > state.term) {
    state.term = term;
    state.vote = 0;
  }
  state.role = role;
  state.leader = leader;
  state.votes.clear();
  state.progress.clear();
  state.transfer = undefined;
  state.uncommittedBytes = 0;
  state.termFirstIndex = 0;
  resetElectionTimer(state);
  refuseReads(state);
  if (hasNewRole) state.outbox.events.push({ kind: 'role-changed', role, term });
  if (hasNewLeader) state.outbox.events.push({ kind: 'leader-changed', leader, term });
}

/** Starts to wait anew for a leader, with a new deadline. */
export function resetElectionTimer(state: RaftState): void {
  const { electionTicks, randomBelow } = state.options;
  state.electionElapsedTicks = 0;
  state.electionDeadlineTicks = electionTicks + randomBelow(electionTicks);
  state.leaderUnreachable = false;
}

/** Nobody here can say any more whether these reads are safe. */
function refuseReads(state: RaftState): void {
  for (const token of state.forwardedReads.takeAll()) {
    answerRead(state, { kind: 'local', token }, undefined);
  }
  for (const request of state.readRounds.takeAll()) answerRead(state, request, undefined);
}
