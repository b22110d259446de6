import assert from 'node:assert/strict';
import { handleVoteRequest } from './election.ts';
import { becomeFollower } from './roles.ts';
import type { RaftState } from './state.ts';
import { stepFollower } from './step-follower.ts';
import { stepLeader } from './step-leader.ts';
import type { Message } from './types.ts';

/** A message comes in: the rules for terms, which come before any role (Raft §5.1). */
export function step(state: RaftState, message: Message): void {
  assert.equal(message.to, state.id, 'a message for this replica');
  assert(message.from !== state.id, 'a replica does not write to itself');
  assert(Number.isSafeInteger(message.term), 'a term is a safe integer');
  const isVoteRequest = message.kind === 'vote-request' || message.kind === 'pre-vote-request';
  if (message.term > state.term) {
    // A replica that was cut off must not disturb a group that has a leader (dissertation §4.2.3).
    if (isVoteRequest && state.hearsLeader && !isTransfer(message)) return;
    if (raisesTerm(message)) {
      const isFromLeader =
        message.kind === 'append-request' || message.kind === 'heartbeat-request';
      becomeFollower(state, message.term, isFromLeader ? message.from : 0);
    }
  } else if (message.term < state.term) {
    answerStale(state, message);
    return;
  }
  if (isVoteRequest) handleVoteRequest(state, message);
  else if (state.role === 'leader') stepLeader(state, message);
  else stepFollower(state, message);
}

function isTransfer(message: Message): boolean {
  return message.kind === 'vote-request' && message.transfer;
}

/** Pre-votes speak of a term that nobody is in yet; only a refusal tells of one that somebody is. */
function raisesTerm(message: Message): boolean {
  if (message.kind === 'pre-vote-request') return false;
  return message.kind !== 'pre-vote-response' || message.reject;
}

/**
 * A message of an earlier term is dropped, but two senders are told of this one. A leader: this replica may have
 * campaigned while it was cut off, and as it ignores the leader now, and stickiness its campaign, only a
 * new election brings it back. One who asks for a pre-vote: it would ask for ever.
 */
function answerStale(state: RaftState, message: Message): void {
  const { id: from, term, outbox } = state;
  const to = message.from;
  if (message.kind === 'append-request' || message.kind === 'heartbeat-request') {
    const refusal = { reject: true, index: 0, hintIndex: 0, hintTerm: 0 };
    outbox.send({ kind: 'append-response', from, to, term, ...refusal });
  } else if (message.kind === 'pre-vote-request') {
    outbox.send({ kind: 'pre-vote-response', from, to, term, reject: true });
  }
}
