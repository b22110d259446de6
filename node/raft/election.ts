import assert from 'node:assert/strict';
import { type VoteResult, voteResult, votersOf } from './quorum.ts';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles.ts';
import type { RaftState } from './state.ts';
import type { Message, ReplicaId } from './types.ts';

/** Elections: Raft §5.2 and §5.4.1, with pre-vote (dissertation §9.6) and stickiness to a leader (§4.2.3). */

export type VoteRequest = Extract<Message, { kind: 'pre-vote-request' | 'vote-request' }>;
export type VoteResponse = Extract<Message, { kind: 'pre-vote-response' | 'vote-response' }>;

export function tickElection(state: RaftState): void {
  state.electionElapsedTicks += 1;
  if (state.electionElapsedTicks < state.electionDeadlineTicks) return;
  if (state.mayCampaign) campaign(state);
  else becomeFollower(state, state.term, 0); // Learners and strangers wait for the voters to elect somebody.
}

/** Asks the voters, first without consequences. */
export function campaign(state: RaftState): void {
  if (!state.mayCampaign || state.role === 'leader') return;
  becomePreCandidate(state);
  // Its own pre-vote is a mere opinion and counts at once.
  const result = countVote(state, state.id, true);
  if (result === 'pending') requestVotes(state, { kind: 'pre-vote-request' });
}

function startElection(state: RaftState, transfer: boolean): void {
  becomeCandidate(state);
  requestVotes(state, { kind: 'vote-request', transfer });
}

/** The leader hands over to this replica (dissertation §3.10): nobody needs to be asked whether it is gone. */
export function campaignForTransfer(state: RaftState): void {
  if (state.mayCampaign) startElection(state, true);
}

type Ballot = { kind: 'pre-vote-request' } | { kind: 'vote-request'; transfer: boolean };

function requestVotes(state: RaftState, ballot: Ballot): void {
  const { id: from, log, outbox } = state;
  const { lastIndex, lastTerm } = log;
  const term = ballot.kind === 'pre-vote-request' ? state.term + 1 : state.term;
  for (const to of votersOf(state.configuration)) {
    if (to !== from) outbox.send({ ...ballot, from, to, term, lastIndex, lastTerm });
  }
}

/**
 * A pre-vote request carries the term that its sender would campaign in. Requests that stickiness ignores do
 * not come here; those of an earlier term do, and are refused.
 */
export function handleVoteRequest(state: RaftState, request: VoteRequest): void {
  const { id: from, log, outbox } = state;
  const to = request.from;
  const isUpToDate = log.isUpToDate(request.lastIndex, request.lastTerm);
  if (request.kind === 'pre-vote-request') {
    const grant = isUpToDate && (request.term > state.term || isVoteFree(state, request));
    const term = grant ? request.term : state.term;
    outbox.send({ kind: 'pre-vote-response', from, to, term, reject: !grant });
    return;
  }
  const grant = isUpToDate && isVoteFree(state, request);
  if (grant) {
    state.vote = to;
    state.electionElapsedTicks = 0;
  }
  outbox.send({ kind: 'vote-response', from, to, term: state.term, reject: !grant });
}

/** One vote per term, first come, first served (Raft §5.2); the same candidate gets the same answer. */
function isVoteFree(state: RaftState, request: VoteRequest): boolean {
  if (request.term !== state.term) return false;
  return state.vote === request.from || (state.vote === 0 && state.leader === 0);
}

export function handleVoteResponse(state: RaftState, response: VoteResponse): void {
  const isAsked =
    response.kind === 'vote-response'
      ? state.role === 'candidate'
      : state.role === 'pre-candidate' && (response.reject || response.term === state.term + 1);
  if (isAsked) countVote(state, response.from, !response.reject);
}

/** Counts a vote and draws the consequence, whatever phase the campaign is in. The first answer counts. */
export function countVote(state: RaftState, replica: ReplicaId, granted: boolean): VoteResult {
  assert(state.role === 'candidate' || state.role === 'pre-candidate', 'a campaign is going on');
  if (!state.votes.has(replica)) state.votes.set(replica, granted);
  const result = voteResult(state.configuration, (voter) => state.votes.get(voter));
  if (result === 'lost') becomeFollower(state, state.term, 0);
  else if (result === 'won' && state.role === 'pre-candidate') startElection(state, false);
  else if (result === 'won') becomeLeader(state);
  return result;
}

/**
 * The connection to the leader is closed: most likely it is gone. The voters do not wait for their timeouts, but
 * campaign one after the other, a tick apart, in an order that every one of them knows and that begins after
 * the leader. If the leader lives, the others still hear it, ignore the pre-vote, and nothing has happened.
 */
export function hintLeaderUnreachable(state: RaftState): void {
  if (state.role !== 'follower' || state.leaderUnreachable) return;
  state.leaderUnreachable = true;
  const others = votersOf(state.configuration).filter((id) => id !== state.leader);
  const inOrder = (id: ReplicaId) => (id > state.leader ? 0 : 1);
  others.sort((a, b) => inOrder(a) - inOrder(b) || a - b);
  const rank = others.indexOf(state.id);
  if (rank < 0) return;
  state.electionElapsedTicks = 0;
  state.electionDeadlineTicks = rank + 1;
}
