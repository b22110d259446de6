import assert from 'node:assert/strict';
import { advanceCommit } from './commit.ts';
import type { Progress } from './progress.ts';
import { quorumValue, voteResult } from './quorum.ts';
import { answerRead } from './read-index.ts';
import { sendHeartbeats } from './replication.ts';
import { becomeFollower } from './roles.ts';
import type { RaftState } from './state.ts';
import { continueTransfer, tickTransfer } from './transfer.ts';
import type { Message } from './types.ts';

/** What a leader makes of a message of its own term. Answers of replicas it does not know are dropped. */
export function stepLeader(state: RaftState, message: Message): void {
  switch (message.kind) {
    case 'append-response':
      handleAppendResponse(state, message);
      return;
    case 'heartbeat-response':
      handleHeartbeatResponse(state, message);
      return;
    case 'read-index-request':
      if (!state.progress.has(message.from)) return;
      state.readRounds.add({ kind: 'remote', replica: message.from, context: message.context });
      return;
    case 'append-request':
    case 'heartbeat-request':
      assert.fail(
        `term ${state.term} has two leaders: ${state.id} and ${message.from} (Raft §5.2)`,
      );
      return;
    case 'vote-request':
    case 'pre-vote-request':
    case 'vote-response':
    case 'pre-vote-response':
    case 'read-index-response':
    case 'timeout-now':
      return; // Of an earlier role in this term.
  }
}

/** Beats, and steps down when no majority has answered for an election timeout (dissertation §6.2). */
export function tickLeader(state: RaftState): void {
  const { electionTicks, heartbeatTicks } = state.options;
  state.electionElapsedTicks += 1;
  state.heartbeatElapsedTicks += 1;
  for (const progress of state.progress.values()) progress.silentTicks += 1;
  tickTransfer(state);
  if (state.electionElapsedTicks >= electionTicks) {
    state.electionElapsedTicks = 0;
    const isActive = (id: number) => id === state.id || state.progress.get(id)?.active === true;
    if (voteResult(state.configuration, isActive) !== 'won') {
      becomeFollower(state, state.term, 0);
      return;
    }
    for (const progress of state.progress.values()) progress.active = progress.replica === state.id;
  }
  if (state.heartbeatElapsedTicks >= heartbeatTicks) {
    state.heartbeatElapsedTicks = 0;
    sendHeartbeats(state);
  }
}

type AppendResponse = Extract<Message, { kind: 'append-response' }>;

function handleAppendResponse(state: RaftState, response: AppendResponse): void {
  const progress = state.progress.get(response.from);
  if (progress === undefined) return;
  progress.heard();
  if (response.reject) {
    handleRefusal(state, progress, response);
    return;
  }
  assert(response.index <= state.log.lastIndex, 'nobody has more of this term than its leader');
  const isNews = progress.accepted(response.index);
  if (progress.state === 'snapshot' && progress.match >= state.log.start.index) {
    progress.snapshotSucceeded();
  }
  // There may be room in the window now, or a commit index that it has not been told.
  if (!progress.isPaused && progress.due !== 'question') {
    if (progress.next <= state.log.lastIndex) progress.due = 'news';
    else if (progress.commitSent < state.log.commit && progress.due === 'nothing')
      progress.due = 'commit';
  }
  continueTransfer(state, progress);
  if (isNews) advanceCommit(state);
}

function handleRefusal(state: RaftState, progress: Progress, response: AppendResponse): void {
  const { log, outbox, term } = state;
  const hint = log.agreeAt(response.hintIndex, response.hintTerm);
  if (!progress.refused(response.index, hint.index)) return;
  if (response.index > log.start.index) {
    progress.due = 'question';
    return;
  }
  progress.startSnapshot();
  outbox.snapshots.push({ to: progress.replica, term });
}

type HeartbeatResponse = Extract<Message, { kind: 'heartbeat-response' }>;

function handleHeartbeatResponse(state: RaftState, response: HeartbeatResponse): void {
  const progress = state.progress.get(response.from);
  if (progress === undefined) return;
  progress.heard();
  progress.resume();
  const isBehind = progress.match < state.log.lastIndex || progress.state === 'probe';
  if (isBehind && !progress.isPaused) progress.due = 'question';
  if (state.readRounds.answer(response.from, response.context)) confirmReads(state);
}

/** Opens a round for the reads that wait, once this leader knows how far the log is committed. */
export function startReadRound(state: RaftState): void {
  if (!state.hasCommittedInTerm || !state.readRounds.hasWaiting) return;
  state.readRounds.start(state.log.commit);
  sendHeartbeats(state);
  confirmReads(state);
}

function confirmReads(state: RaftState): void {
  const { configuration, readRounds, id } = state;
  const confirmed = quorumValue(configuration, (replica) =>
    replica === id ? readRounds.newest : readRounds.answeredBy(replica),
  );
  for (const { index, requests } of readRounds.takeConfirmed(confirmed)) {
    for (const request of requests) answerRead(state, request, index);
  }
}
