import assert from 'node:assert/strict';
import { ConfigurationHistory } from './configuration-history.ts';
import { EntryWindow, entryBytes } from './entry-window.ts';
import { NOTHING } from './outbox.ts';
import { TermRuns } from './term-runs.ts';
import {
  type ConfigurationAt,
  type ConfigurationCodec,
  type Entry,
  EntryKind,
  type IndexRange,
  type LogIndex,
  type LogPosition,
  type Term,
  type TermRun,
} from './types.ts';

/**
 * One replica's log as the core sees it. The bytes are in the host's log and, for the newest entries, in
 * memory; the terms of all of them are here.
 *
 *     start ─ applied ─ handedOut ─ min(commit, stable) ─ lastIndex
 *                                   stable ─ persisting ─ lastIndex
 *
 * Each position is at or before the one to its right. `commit` and `stable` have no order: a leader's followers
 * may be faster than its own disk, and then it knows entries to be committed that it must not apply yet.
 */
export class RaftLog {
  /** Which of the entries are configurations. */
  readonly configurations: ConfigurationHistory;
  #terms: TermRuns;
  #window: EntryWindow;
  /** Known to be on a majority. Never goes back. */
  #commit: LogIndex;
  /** Durable here: the host has said so for a Ready that held exactly this entry. */
  #stable: LogIndex;
  /** Given to the host to persist; those after it go into the next Ready. */
  #persisting: LogIndex;
  /** Committed entries given to the host to apply, and those it says it has applied. */
  #handedOut: LogIndex;
  #applied: LogIndex;
  /** Per Ready in flight, oldest first: the last of its entries that is still in the log; 0 for none. */
  readonly #rounds: LogIndex[] = [];

  constructor(options: {
    readonly logStart: LogPosition;
    readonly lastIndex: LogIndex;
    readonly terms: readonly TermRun[];
    readonly commit: LogIndex;
    readonly appliedIndex: LogIndex;
    readonly configurations: readonly ConfigurationAt[];
    readonly configurationCodec: ConfigurationCodec;
  }) {
    const { logStart, lastIndex, terms, commit, appliedIndex } = options;
    assert(logStart.index <= appliedIndex, 'what left the log was applied before');
    assert(appliedIndex <= lastIndex, 'what is applied was durable in the log before');
    assert(commit <= lastIndex, 'a commit index is persisted no earlier than the entry it names');
    this.#terms = new TermRuns(logStart, lastIndex, terms);
    this.#window = new EntryWindow(lastIndex + 1);
    this.configurations = new ConfigurationHistory(
      options.configurationCodec,
      options.configurations,
      logStart.index,
    );
    this.#commit = Math.max(commit, appliedIndex);
    this.#stable = lastIndex;
    this.#persisting = lastIndex;
    this.#handedOut = appliedIndex;
    this.#applied = appliedIndex;
  }

  get start(): LogPosition {
    return this.#terms.start;
  }
  get lastIndex(): LogIndex {
    return this.#terms.lastIndex;
  }
  get lastTerm(): Term {
    return this.#terms.lastTerm;
  }
  get commit(): LogIndex {
    return this.#commit;
  }
  get stable(): LogIndex {
    return this.#stable;
  }
  get applied(): LogIndex {
    return this.#applied;
  }
  /** The first entry whose bytes are in memory; lastIndex + 1 when there is none. */
  get firstInMemory(): LogIndex {
    return this.#window.firstIndex;
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#terms.termAt(index);
  }

  agreeAt(index: LogIndex, term: Term): LogPosition {
    return this.#terms.agreeAt(index, term);
  }

  /** Raft §5.4.1: whether a log that ends like this is at least as up to date as ours. */
  isUpToDate(lastIndex: LogIndex, lastTerm: Term): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  append(entry: Entry): void {
    this.#terms.append(entry.term);
    this.#window.push(entry);
    if (entry.kind === EntryKind.configuration) this.configurations.append(entry);
  }

  /**
   * A leader's entries that follow `previous`: skips those that are here already, overwrites from the first
   * that differs (Raft §5.3). Returns the last index that now agrees with the leader, or undefined if the
   * logs do not agree at `previous`. Entries that are here are never cut off by an older, shorter request.
   */
  replicate(previous: LogPosition, entries: readonly Entry[]): LogIndex | undefined {
    if (this.termAt(previous.index) !== previous.term) return undefined;
    entries.forEach((entry, i) => {
      assert(entry.index === previous.index + 1 + i, 'entries of a request run on without a gap');
      if (this.termAt(entry.index) === entry.term) return;
      if (entry.index <= this.lastIndex) this.#truncateAfter(entry.index - 1);
      this.append(entry);
    });
    return previous.index + entries.length;
  }

  /**
   * The rounds in flight forget what is cut off. Otherwise the sync of an overwritten entry would later be
   * taken for that of the entry which has replaced it under the same index.
   */
  #truncateAfter(index: LogIndex): void {
    assert(index >= this.#commit, 'committed entries are never overwritten');
    this.#terms.truncateAfter(index);
    this.#window.truncateAfter(index);
    this.configurations.truncateAfter(index);
    this.#stable = Math.min(this.#stable, index);
    this.#persisting = Math.min(this.#persisting, index);
    this.#rounds.forEach((lastIndex, i) => {
      this.#rounds[i] = Math.min(lastIndex, index);
    });
  }

  get hasUnpersisted(): boolean {
    return this.#persisting < this.lastIndex;
  }

  /** The entries for the next Ready, which from now on is in flight: one `persisted()` is due for it. */
  takeUnpersisted(): readonly Entry[] {
    const entries = this.hasUnpersisted
      ? this.#window.slice(this.#persisting + 1, this.lastIndex, Infinity)
      : NOTHING;
    this.#persisting = this.lastIndex;
    this.#rounds.push(entries.length > 0 ? this.lastIndex : 0);
    return entries;
  }

  /** The oldest Ready in flight is durable. */
  persisted(): void {
    const lastIndex = this.#rounds.shift();
    assert(lastIndex !== undefined, 'a Ready is in flight');
    this.#stable = Math.max(this.#stable, lastIndex);
  }

  /** Returns whether the commit index has moved. */
  commitTo(index: LogIndex): boolean {
    if (index <= this.#commit) return false;
    assert(index <= this.lastIndex, `commit ${index} is beyond the log's end ${this.lastIndex}`);
    this.#commit = index;
    return true;
  }

  /** Nothing that is known to be committed waits to be applied. */
  get hasAppliedAll(): boolean {
    return this.#applied === this.#commit;
  }

  /** Something may be applied, and what was handed out before is applied. */
  get hasCommitted(): boolean {
    return this.#applied === this.#handedOut && this.#handedOut < this.#applicable;
  }

  get #applicable(): LogIndex {
    return Math.min(this.#commit, this.#stable);
  }

  /** The next entries to apply: from memory, or the range to read from the host's log. */
  takeCommitted(bytesMax: number): { entries: readonly Entry[]; fetch: IndexRange | undefined } {
    if (!this.hasCommitted) return NOTHING_COMMITTED;
    const firstIndex = this.#handedOut + 1;
    if (firstIndex < this.#window.firstIndex) {
      const lastIndex = Math.min(this.#applicable, this.#window.firstIndex - 1);
      this.#handedOut = lastIndex;
      return { entries: [], fetch: { firstIndex, lastIndex } };
    }
    const entries = this.#window.slice(firstIndex, this.#applicable, bytesMax);
    this.#handedOut += entries.length;
    return { entries, fetch: undefined };
  }

  appliedTo(index: LogIndex): void {
    assert(index >= this.#applied, 'applied never goes back');
    assert(index <= this.#handedOut, 'only what was handed out is applied');
    this.#applied = index;
  }

  /** Entries in memory from `firstIndex` on, within `bytesMax` but at least one; none after the end. */
  slice(firstIndex: LogIndex, bytesMax: number): Entry[] {
    return this.#window.slice(firstIndex, this.lastIndex, bytesMax);
  }

  /** The bytes of entries that are in memory, both ends included. */
  bytesBetween(firstIndex: LogIndex, lastIndex: LogIndex): number {
    let bytes = 0;
    for (let index = firstIndex; index <= lastIndex; index++) {
      bytes += entryBytes(this.#window.at(index));
    }
    return bytes;
  }

  releaseMemory(index: LogIndex): void {
    this.#window.release(Math.min(index, this.#applied, this.#stable));
  }

  get memoryBytes(): number {
    return this.#window.bytes;
  }

  shrinkMemory(bytesMax: number): void {
    this.#shrink(bytesMax, Math.min(this.#applied, this.#stable));
  }

  unloadCommitted(bytesMax: number): void {
    this.#shrink(bytesMax, this.#applicable);
  }

  #shrink(bytesMax: number, lastReleasable: LogIndex): void {
    let bytes = this.#window.bytes;
    let index = this.#window.firstIndex;
    for (; bytes > bytesMax && index <= lastReleasable; index++) {
      bytes -= entryBytes(this.#window.at(index));
    }
    this.#window.release(index - 1);
  }

  compact(index: LogIndex): void {
    const clamped = Math.min(index, this.#applied);
    if (clamped <= this.start.index) return;
    this.releaseMemory(clamped);
    this.#terms.compact(clamped);
    this.configurations.compact(clamped);
  }

  /** Everything up to `position` has come as a snapshot, and is durable and applied. Nothing else is left. */
  restore(position: LogPosition, configurations: readonly ConfigurationAt[]): void {
    const { index } = position;
    assert(index > this.#commit, 'a snapshot brings what is not known to be committed here');
    assert(this.termAt(index) !== position.term, 'a log that has the entry needs no snapshot');
    assert.equal(this.#applied, this.#handedOut, 'what was handed out is applied');
    assert.equal(this.#rounds.length, 0, 'no Ready is in flight');
    this.#terms = new TermRuns(position, index, []);
    this.#window = new EntryWindow(index + 1);
    this.configurations.restore(configurations, index);
    this.#commit = this.#stable = this.#persisting = this.#handedOut = this.#applied = index;
  }

  checkInvariants(): void {
    this.#terms.checkInvariants();
    const last = this.lastIndex;
    this.configurations.checkInvariants(this.start.index, last);
    for (const { index, term } of this.configurations.all) {
      assert.equal(this.termAt(index) ?? term, term, 'a configuration is an entry of the log');
    }
    assert(this.start.index <= this.#applied && this.#applied <= this.#handedOut);
    assert(this.#handedOut <= this.#applicable, 'nothing is applied before it is durable here');
    assert(this.#commit <= last && this.#stable <= this.#persisting && this.#persisting <= last);
    assert(this.#window.lastIndex === last, 'memory holds the newest entries');
    assert(this.#window.firstIndex <= this.#stable + 1, 'what is not durable is in memory');
    const bytes = this.bytesBetween(this.#window.firstIndex, last);
    assert.equal(this.#window.bytes, bytes, 'bytes in memory');
    for (let index = this.#window.firstIndex; index <= last; index++) {
      assert.equal(this.#window.at(index).term, this.termAt(index));
    }
    const rounds = this.#rounds.filter((lastIndex) => lastIndex > 0);
    assert(rounds.every((lastIndex, i) => lastIndex >= (rounds[i - 1] ?? 0)));
    assert(
      Math.max(this.#stable, ...rounds) === this.#persisting,
      'what is not durable is on its way',
    );
  }
}

const NOTHING_COMMITTED = { entries: NOTHING, fetch: undefined };
