import assert from 'node:assert/strict';
import { entryBytes } from './entry-window.ts';
import type { Progress } from './progress.ts';
import type { RaftState } from './state.ts';
import { type Entry, EntryKind, type Fetch, type LogIndex, type Proposal } from './types.ts';

/** What a leader does to get its log onto the others: Raft §5.3, pipelined as in the dissertation's §10.2. */

/**
 * Appends to the leader's own log. The followers get it with the next Ready, many proposals in one request. A
 * configuration counts at once: who comes gets it, who goes does not (Raft §6).
 */
export function appendAsLeader(state: RaftState, proposals: readonly Proposal[]): void {
  const { log, term } = state;
  for (const { kind, data } of proposals) {
    const index = log.lastIndex + 1;
    assert(Number.isSafeInteger(index), 'an index is a safe integer');
    const entry = { term, index, kind, data };
    log.append(entry);
    state.uncommittedBytes += entryBytes(entry);
    if (kind === EntryKind.configuration) state.followMembers(index);
  }
  announceNews(state);
}

/** There are entries to send. */
function announceNews(state: RaftState): void {
  for (const progress of state.progress.values()) {
    if (progress.due !== 'question' && !progress.isPaused) progress.due = 'news';
  }
}

/** The commit index has moved. */
export function announceCommit(state: RaftState): void {
  for (const progress of state.progress.values()) {
    if (progress.due === 'nothing' && !progress.isPaused) progress.due = 'commit';
  }
}

export function hasDueAppends(state: RaftState): boolean {
  for (const progress of state.progress.values()) {
    if (progress.replica === state.id) continue;
    if (progress.due === 'news' || progress.due === 'question') return true;
  }
  return false;
}

/** A commit index that no entries have taken along. */
export function hasCommitToTell(state: RaftState): boolean {
  for (const progress of state.progress.values()) {
    if (progress.due === 'commit' && progress.replica !== state.id) return true;
  }
  return false;
}

export function tellCommit(state: RaftState): void {
  for (const progress of state.progress.values()) {
    if (progress.due === 'commit') progress.due = 'news';
  }
}

export function sendDueAppends(state: RaftState): void {
  for (const progress of state.progress.values()) {
    const { due } = progress;
    if (due === 'commit') continue;
    progress.due = 'nothing';
    if (due === 'nothing' || progress.replica === state.id) continue;
    let more = sendAppend(state, progress, due === 'question');
    while (more) more = sendAppend(state, progress, false);
  }
}

/** Sends one append or asks the host for its entries. Returns whether there may be more to send. */
function sendAppend(state: RaftState, progress: Progress, evenIfEmpty: boolean): boolean {
  if (progress.isPaused) return false;
  const { log, options, outbox, term } = state;
  if (progress.next <= log.start.index) {
    // What follows `next` is gone from this log. Unless the replica has more than is known, which one empty
    // append finds out, only a snapshot helps it.
    progress.probeFrom(log.start.index + 1);
    sendEntries(state, progress, []);
    return false;
  }
  const budgetBytes = progress.budgetBytes(options.appendBytesMax, options.inflightBytesMax);
  if (budgetBytes > 0 && progress.next < log.firstInMemory && progress.next <= log.lastIndex) {
    // The answer to what was sent before may be lost, and all that is fetched may be too large until it comes.
    if (evenIfEmpty && progress.state === 'replicate') sendEntries(state, progress, []);
    const lastIndex = Math.min(log.firstInMemory - 1, log.lastIndex);
    const fetch = { to: progress.replica, firstIndex: progress.next, lastIndex, term };
    progress.startFetch(fetch);
    outbox.fetches.push(fetch);
    return false;
  }
  const isInMemory = progress.next >= log.firstInMemory;
  const entries = budgetBytes > 0 && isInMemory ? log.slice(progress.next, budgetBytes) : [];
  const isRoom = progress.admits(totalBytes(entries), options.inflightBytesMax);
  if (isRoom && entries.length > 0) {
    sendEntries(state, progress, entries);
    return true;
  }
  if (evenIfEmpty || log.commit > progress.commitSent) sendEntries(state, progress, []);
  return false;
}

function sendEntries(state: RaftState, progress: Progress, entries: readonly Entry[]): void {
  const { id: from, log, term, outbox } = state;
  const previousIndex = progress.next - 1;
  const previousTerm = log.termAt(previousIndex);
  assert(previousTerm !== undefined, 'the entry before an append is in the log');
  outbox.send({
    kind: 'append-request',
    from,
    to: progress.replica,
    term,
    previousIndex,
    previousTerm,
    entries,
    commit: log.commit,
    releasedIndex: state.updateReleasedIndex(),
  });
  progress.sent(previousIndex + entries.length, totalBytes(entries), log.commit);
}

/** The host has read what a follower needs. No entries: they could not be read; asked again later. */
export function handleFetched(state: RaftState, fetch: Fetch, entries: readonly Entry[]): void {
  const progress = state.progress.get(fetch.to);
  if (fetch.term !== state.term || progress === undefined || !isSame(progress.fetch, fetch)) return;
  progress.endFetch();
  if (entries.length === 0) {
    progress.pause();
    return;
  }
  if (progress.isPaused) return;
  if (progress.next !== fetch.firstIndex || state.log.termAt(fetch.firstIndex - 1) === undefined) {
    progress.due = 'news';
    return;
  }
  entries.forEach((entry, i) => {
    assert.equal(entry.index, fetch.firstIndex + i, 'fetched entries run on without a gap');
    assert.equal(entry.term, state.log.termAt(entry.index), 'fetched entries are those of the log');
  });
  const { appendBytesMax, inflightBytesMax } = state.options;
  const budgetBytes = progress.budgetBytes(appendBytesMax, inflightBytesMax);
  const fitting = takeBytes(entries, budgetBytes);
  // Without room they are fetched again when an answer has made some.
  if (!progress.admits(totalBytes(fitting), inflightBytesMax)) return;
  sendEntries(state, progress, fitting);
  progress.due = 'news';
}

function isSame(a: Fetch | undefined, b: Fetch): boolean {
  return a !== undefined && a.firstIndex === b.firstIndex && a.lastIndex === b.lastIndex;
}

function takeBytes(entries: readonly Entry[], bytesMax: number): readonly Entry[] {
  let bytes = 0;
  const end = entries.findIndex((entry) => (bytes += entryBytes(entry)) > bytesMax);
  return end < 0 ? entries : entries.slice(0, Math.max(1, end));
}

function totalBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
}

/** Tells everybody that there is a leader; each learns only a commit index that its log certainly has. */
export function sendHeartbeats(state: RaftState): void {
  const { id: from, term, log, outbox, readRounds } = state;
  const releasedIndex = state.updateReleasedIndex();
  for (const { replica: to, match } of state.progress.values()) {
    if (to === from) continue;
    const commit: LogIndex = Math.min(match, log.commit);
    const context = readRounds.newest;
    outbox.send({ kind: 'heartbeat-request', from, to, term, commit, releasedIndex, context });
  }
}
