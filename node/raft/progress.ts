import assert from 'node:assert/strict';
import type { Fetch, LogIndex, ReplicaId, ReplicaProgress } from './types.ts';

/**
 * What a leader knows of one replica.
 *
 *               an append is accepted
 *      ┌───────┐ ─────────────────► ┌───────────┐
 *      │ probe │                    │ replicate │
 *      └───────┘ ◄───────────────── └───────────┘
 *        │   ▲  an append is refused,     ▲
 *        │   │  or the connection is gone │
 *        │   │ it has failed              │ it is installed, or an append is
 *        ▼   │                            │ accepted that the log holds
 *      ┌──────────┐ ──────────────────────┘
 *      │ snapshot │
 *      └──────────┘
 *
 * In probe the leader looks for the place where the logs agree: one request, then silence until an answer or
 * the next heartbeat's. In replicate it sends on without waiting for answers, as far as the window of
 * unacknowledged bytes allows, and moves `next` in the hope that nothing gets lost. When the replica lacks what
 * is gone from the leader's log, the host sends it a snapshot, and meanwhile only heartbeats go to it.
 */
export class Progress {
  readonly replica: ReplicaId;
  state: ReplicaProgress['state'] = 'probe';
  /** The replica holds the leader's log up to here, durably. Invariant: match < next. */
  match: LogIndex = 0;
  next: LogIndex;
  /** Heard from since the last check of the quorum. One that was just added has not had the time. */
  active = true;
  /** Since it was last heard from. */
  silentTicks = 0;
  /** The highest commit index that an append has carried since the last probe. */
  commitSent: LogIndex = 0;
  /**
   * What is to be sent when the Ready is made: `news` are entries; `question` is an append even if it says nothing
   * new, because its answer will. A `commit` index alone waits for entries to go with, or for `Raft.tellCommit`.
   */
  due: 'nothing' | 'commit' | 'news' | 'question' = 'nothing';
  /** Probe: a request is out. */
  #probing = false;
  /** At most one at a time; nothing is sent meanwhile, so that entries are not overtaken. */
  #fetch: Fetch | undefined;
  /** Unacknowledged appends with entries, oldest first. */
  #inflight: { readonly lastIndex: LogIndex; readonly bytes: number }[] = [];
  #inflightBytes = 0;
  /** Snapshot: the index that the one on its way has, once the host has told. */
  #pinnedIndex: LogIndex | undefined;

  constructor(replica: ReplicaId, next: LogIndex) {
    this.replica = replica;
    this.next = next;
  }

  get isPaused(): boolean {
    if (this.#fetch !== undefined || this.state === 'snapshot') return true;
    return this.state === 'probe' && this.#probing;
  }

  /** It has answered. */
  heard(): void {
    this.active = true;
    this.silentTicks = 0;
  }

  get fetch(): Fetch | undefined {
    return this.#fetch;
  }

  /** How many bytes of entries may be sent now. 0: none; otherwise one entry may be larger. */
  budgetBytes(appendBytesMax: number, inflightBytesMax: number): number {
    if (this.#inflightBytes === 0) return Math.max(1, Math.min(appendBytesMax, inflightBytesMax));
    return Math.max(0, Math.min(appendBytesMax, inflightBytesMax - this.#inflightBytes));
  }

  /** Whether `bytes` may follow; an empty window admits anything. */
  admits(bytes: number, inflightBytesMax: number): boolean {
    return this.#inflightBytes === 0 || this.#inflightBytes + bytes <= inflightBytesMax;
  }

  sent(lastIndex: LogIndex, bytes: number, commit: LogIndex): void {
    this.commitSent = Math.max(this.commitSent, commit);
    if (this.state === 'probe') {
      this.#probing = true;
    } else if (lastIndex >= this.next) {
      this.#inflight.push({ lastIndex, bytes });
      this.#inflightBytes += bytes;
      this.next = lastIndex + 1;
    }
  }

  /** The replica has everything up to `index`. Returns whether that is news. */
  accepted(index: LogIndex): boolean {
    const isNews = index > this.match;
    this.match = Math.max(this.match, index);
    this.next = Math.max(this.next, index + 1);
    if (this.state === 'probe' && index === this.match) this.#become('replicate', this.match + 1);
    while (this.#inflight.length > 0 && (this.#inflight[0]?.lastIndex ?? 0) <= index) {
      this.#inflightBytes -= this.#inflight.shift()?.bytes ?? 0;
    }
    return isNews;
  }

  /**
   * The replica refused an append that followed `index`; the logs may agree at `hintIndex`. Returns false for
   * an answer that later events have overtaken.
   */
  refused(index: LogIndex, hintIndex: LogIndex): boolean {
    if (index <= this.match || this.state === 'snapshot') return false;
    if (this.state === 'replicate') {
      this.#become('probe', this.match + 1);
      return true;
    }
    if (index !== this.next - 1) return false;
    this.next = Math.max(Math.min(index, hintIndex + 1), this.match + 1);
    this.#probing = false;
    return true;
  }

  /**
   * Messages on their way are gone and nothing can be sent now: wait for a sign of life, then look again. What
   * becomes of a snapshot is for the host to say.
   */
  unreachable(): void {
    if (this.state !== 'snapshot') this.pause();
  }

  /** It needs what is gone from the leader's log: no appends are sent to it until that has ended. */
  startSnapshot(): void {
    assert(this.state === 'probe', 'a probe has found out');
    this.#become('snapshot', this.match + 1);
  }

  /** The snapshot on its way holds the log up to `index`. */
  pinSnapshot(index: LogIndex): void {
    if (this.state === 'snapshot') this.#pinnedIndex = index;
  }

  /** It has everything up to `match`; what follows is sent. */
  snapshotSucceeded(): void {
    assert(this.state === 'snapshot', 'a snapshot was needed');
    this.#become('replicate', this.match + 1);
  }

  snapshotFailed(): void {
    assert(this.state === 'snapshot', 'a snapshot was needed');
    this.pause();
  }

  /**
   * What it may ask the leader's log for comes after this index; a snapshot that is still to be made will hold at
   * least what is applied now. Infinity: it has been silent for so long that it is not waited for.
   */
  neededAfter(releaseTicks: number, applied: LogIndex): LogIndex {
    if (this.state === 'snapshot') return this.#pinnedIndex ?? applied;
    return this.silentTicks < releaseTicks ? this.match : Infinity;
  }

  /** A heartbeat was answered: whatever was lost, there is somebody to ask again. */
  resume(): void {
    this.#probing = false;
  }

  /** Nothing helps this replica now; look again after the next heartbeat's answer. */
  pause(): void {
    if (this.state !== 'probe') this.#become('probe', this.match + 1);
    this.#probing = true;
  }

  /** Looks for agreement again, at a place that is not before what is known to match. */
  probeFrom(next: LogIndex): void {
    this.#become('probe', Math.max(next, this.match + 1));
  }

  startFetch(fetch: Fetch): void {
    assert(this.#fetch === undefined, 'one fetch at a time');
    this.#fetch = fetch;
  }

  endFetch(): void {
    this.#fetch = undefined;
  }

  #become(state: ReplicaProgress['state'], next: LogIndex): void {
    this.state = state;
    this.next = next;
    this.#probing = false;
    this.#pinnedIndex = undefined;
    this.#inflight = [];
    this.#inflightBytes = 0;
    if (state !== 'replicate') this.commitSent = 0;
  }

  describe(learner: boolean): ReplicaProgress {
    const { replica, state, match, next, isPaused: paused, active, silentTicks } = this;
    const inflightBytes = this.#inflightBytes;
    return { replica, state, learner, match, next, inflightBytes, paused, active, silentTicks };
  }

  checkInvariants(): void {
    assert(this.match < this.next, 'match < next');
    assert(this.state === 'replicate' || this.#inflight.length === 0, 'a probe is not in flight');
    assert(this.state === 'snapshot' || this.#pinnedIndex === undefined, 'nothing is pinned');
    const bytes = this.#inflight.reduce((sum, { bytes }) => sum + bytes, 0);
    assert.equal(this.#inflightBytes, bytes, 'bytes in flight');
    assert(
      this.#inflight.every(({ lastIndex }) => lastIndex > this.match && lastIndex < this.next),
    );
  }
}
