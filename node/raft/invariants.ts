import assert from 'node:assert/strict';
import { membersOf } from './quorum.ts';
import type { RaftState } from './state.ts';

/** What holds of one replica at any time. What holds between replicas is checked by test/raft. */
export function checkInvariants(state: RaftState): void {
  const { log, id, role, term, leader, vote } = state;
  log.checkInvariants();
  assert(log.lastTerm <= term, 'no entry is of a later term');
  assert(state.releasedIndex >= 0 && state.uncommittedBytes >= 0);
  switch (role) {
    case 'follower':
      assert(leader !== id, 'a follower does not lead');
      break;
    case 'pre-candidate':
    case 'candidate':
      assert(
        leader === 0 && state.mayCampaign,
        'a candidate is or was a voter, and knows no leader',
      );
      assert(role === 'pre-candidate' || vote === id, 'a candidate has voted for itself');
      break;
    case 'leader':
      checkLeader(state);
  }
  assert(role === 'leader' || state.progress.size === 0, 'only a leader follows progress');
  assert(role === 'leader' || state.transfer === undefined, 'only a leader hands over');
  assert(role === 'leader' || !state.readRounds.hasWaiting, 'only a leader has read rounds');
  assert(leader !== 0 || !state.forwardedReads.hasWaiting, 'reads wait for a known leader only');
  assert(role !== 'follower' || state.votes.size === 0, 'only candidates count votes');
}

function checkLeader(state: RaftState): void {
  const { log, id, term, leader, vote, progress } = state;
  assert(leader === id && vote === id, 'a leader has voted for itself');
  assert(log.lastTerm === term, 'a leader has an entry of its term');
  assert(log.termAt(state.termFirstIndex) === term || log.start.index >= state.termFirstIndex);
  const members = new Set([...membersOf(state.configuration), id]);
  const isExact =
    progress.size === members.size && [...members].every((each) => progress.has(each));
  assert(isExact, 'a leader follows all members, and itself');
  assert.equal(
    progress.get(id)?.match,
    log.stable,
    'a leader counts itself as far as it is durable',
  );
  for (const each of progress.values()) {
    each.checkInvariants();
    assert(each.match <= log.lastIndex && each.next <= log.lastIndex + 1);
  }
  const { transfer } = state;
  const isPossible = transfer === undefined || state.configuration.voters.includes(transfer.to);
  assert(isPossible && transfer?.to !== id, 'the next leader is another voter');
}
