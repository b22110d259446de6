import assert from 'node:assert/strict';
import { campaignForTransfer, handleVoteResponse } from './election.ts';
import type { RaftLog } from './raft-log.ts';
import { answerRead } from './read-index.ts';
import { becomeFollower, resetElectionTimer } from './roles.ts';
import type { RaftState } from './state.ts';
import type { LogIndex, Message, ReplicaId } from './types.ts';

/** What a follower, and a candidate of either kind, makes of a message of its own term. */
export function stepFollower(state: RaftState, message: Message): void {
  switch (message.kind) {
    case 'append-request':
      follow(state, message.from);
      handleAppend(state, message);
      return;
    case 'heartbeat-request':
      follow(state, message.from);
      handleHeartbeat(state, message);
      return;
    case 'vote-response':
    case 'pre-vote-response':
      handleVoteResponse(state, message);
      return;
    case 'read-index-request': {
      // The sender takes this replica for the leader of a term in which it has stepped down.
      const { from: replica, context } = message;
      answerRead(state, { kind: 'remote', replica, context }, undefined);
      return;
    }
    case 'read-index-response':
      handleReadResponse(state, message);
      return;
    case 'timeout-now':
      campaignForTransfer(state);
      return;
    case 'vote-request':
    case 'pre-vote-request':
    case 'append-response':
    case 'heartbeat-response':
      return; // To a leader that this replica no longer is.
  }
}

/** Only the leader of this term sends such a message: a candidate has lost (Raft §5.2), a follower is calmed. */
function follow(state: RaftState, leader: ReplicaId): void {
  assert(state.leader === 0 || state.leader === leader, 'at most one leader per term (Raft §5.2)');
  if (state.role !== 'follower' || state.leader !== leader)
    becomeFollower(state, state.term, leader);
  if (state.leaderUnreachable) resetElectionTimer(state);
  state.electionElapsedTicks = 0;
}

type AppendRequest = Extract<Message, { kind: 'append-request' }>;

/**
 * Every answer waits for the sync of all that is in the log now, so an accepted index is durable when the
 * answer leaves, whether it came with this request or is still on its way to the disk from an earlier one.
 */
function handleAppend(state: RaftState, request: AppendRequest): void {
  const { id: from, term, log, outbox } = state;
  const to = request.from;
  const { previousIndex: index, previousTerm } = request;
  noteReleased(state, request.releasedIndex);
  const lastIndex = replicate(log, request);
  if (lastIndex !== undefined) {
    log.commitTo(Math.min(request.commit, lastIndex));
    outbox.send({
      kind: 'append-response',
      from,
      to,
      term,
      reject: false,
      index: lastIndex,
      hintIndex: 0,
      hintTerm: 0,
    });
    return;
  }
  const { index: hintIndex, term: hintTerm } = log.agreeAt(index, previousTerm);
  outbox.send({
    kind: 'append-response',
    from,
    to,
    term,
    reject: true,
    index,
    hintIndex,
    hintTerm,
  });
}

/**
 * Returns the last index that now agrees with the leader, or undefined. What is committed here agrees with every
 * leader (Raft §5.4.3), so that part of an old request is not looked at; it may be gone from the log.
 */
function replicate(log: RaftLog, request: AppendRequest): LogIndex | undefined {
  const { previousIndex: index, previousTerm: term, entries } = request;
  if (index >= log.commit) return log.replicate({ index, term }, entries);
  const previous = { index: log.commit, term: log.termAt(log.commit) ?? 0 };
  return log.replicate(previous, entries.slice(log.commit - index));
}

type HeartbeatRequest = Extract<Message, { kind: 'heartbeat-request' }>;

/** Promises nothing but that this replica had not moved to a higher term, which is what a read needs to know. */
function handleHeartbeat(state: RaftState, request: HeartbeatRequest): void {
  const { id: from, term, log, outbox } = state;
  const { from: to, context } = request;
  noteReleased(state, request.releasedIndex);
  log.commitTo(request.commit);
  outbox.send({ kind: 'heartbeat-response', from, to, term, context });
}

function noteReleased(state: RaftState, releasedIndex: number): void {
  state.releasedIndex = Math.max(state.releasedIndex, releasedIndex);
}

type ReadResponse = Extract<Message, { kind: 'read-index-response' }>;

function handleReadResponse(state: RaftState, response: ReadResponse): void {
  const index = response.reject ? undefined : response.index;
  for (const token of state.forwardedReads.takeAnswered(response.context)) {
    answerRead(state, { kind: 'local', token }, index);
  }
}

/** Sends one question for all reads of this turn. */
export function askLeader(state: RaftState): void {
  const { id: from, leader: to, term, outbox, forwardedReads } = state;
  if (!forwardedReads.hasWaiting) return;
  outbox.send({ kind: 'read-index-request', from, to, term, context: forwardedReads.ask() });
}

/** Questions that were lost on the way are refused, so that nothing waits for ever. */
export function tickReads(state: RaftState): void {
  for (const token of state.forwardedReads.takeExpired(state.options.electionTicks)) {
    answerRead(state, { kind: 'local', token }, undefined);
  }
}
