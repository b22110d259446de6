import assert from 'node:assert/strict';
import type { LogIndex, LogPosition, Term, TermRun } from './types.ts';

/**
 * The terms of all entries of a log, as runs of equal terms: small enough to stay in memory for ever, while
 * the bytes of the entries come and go. There is one run per leader that wrote, not one per entry.
 */
export class TermRuns {
  /** The entry before the first one. Its term is known, so the first entry's predecessor can be checked. */
  #start: LogPosition;
  #lastIndex: LogIndex;
  /** Invariant: index and term strictly increase; the first run begins at start + 1 unless the log is empty. */
  #runs: TermRun[];

  constructor(start: LogPosition, lastIndex: LogIndex, runs: readonly TermRun[]) {
    this.#start = start;
    this.#lastIndex = lastIndex;
    this.#runs = [...runs];
    this.checkInvariants();
  }

  get start(): LogPosition {
    return this.#start;
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get lastTerm(): Term {
    return this.#runs.at(-1)?.term ?? this.#start.term;
  }

  /** The term at `index`; undefined before the start of the log and after its end. */
  termAt(index: LogIndex): Term | undefined {
    if (index < this.#start.index || index > this.#lastIndex) return undefined;
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i] as TermRun;
      if (run.firstIndex <= index) return run.term;
    }
    return this.#start.term;
  }

  append(term: Term): void {
    assert(term >= this.lastTerm, 'terms never go back along a log');
    this.#lastIndex += 1;
    if (this.#runs.length === 0 || term > this.lastTerm) {
      this.#runs.push({ firstIndex: this.#lastIndex, term });
    }
  }

  truncateAfter(index: LogIndex): void {
    assert(index >= this.#start.index && index <= this.#lastIndex, 'truncation within the log');
    this.#lastIndex = index;
    while (this.#runs.length > 0 && (this.#runs.at(-1) as TermRun).firstIndex > index) {
      this.#runs.pop();
    }
  }

  /** Forgets everything up to `index`, which becomes the position before the first entry. */
  compact(index: LogIndex): void {
    const term = this.termAt(index);
    assert(term !== undefined, 'compaction within the log');
    this.#start = { index, term };
    this.#runs = this.#runs.filter(
      (_, i) => (this.#runs[i + 1]?.firstIndex ?? Infinity) > index + 1,
    );
    const first = this.#runs[0];
    if (index === this.#lastIndex) this.#runs = [];
    else if (first !== undefined) this.#runs[0] = { firstIndex: index + 1, term: first.term };
  }

  /**
   * Where another log, which has an entry of `term` at `index`, may still agree with this one: the largest
   * index here that is at most `index` and whose term is at most `term`. The rest of a run is skipped at once,
   * so finding the common prefix of two logs takes one message per diverging term and not one per entry
   * (Raft §5.3, last paragraphs; in both directions as in etcd/raft). Never before the start of the log, which
   * is applied and so agrees with any leader's, except that an `index` before it is returned as it is.
   */
  agreeAt(index: LogIndex, term: Term): LogPosition {
    let candidate = Math.min(index, this.#lastIndex);
    if (candidate < this.#start.index) return { index: candidate, term: 0 };
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i] as TermRun;
      if (run.firstIndex > candidate) continue;
      if (run.term <= term) return { index: candidate, term: run.term };
      candidate = run.firstIndex - 1;
    }
    return this.#start;
  }

  checkInvariants(): void {
    let index = this.#start.index;
    let term = this.#start.term;
    assert(this.#lastIndex >= index, 'a log does not end before it starts');
    assert(this.#runs.length > 0 || this.#lastIndex === index, 'every entry has a term');
    this.#runs.forEach((run, i) => {
      assert(i === 0 ? run.firstIndex === index + 1 : run.firstIndex > index, 'runs are in order');
      assert(i === 0 ? run.term >= term : run.term > term, 'terms grow along a log');
      assert(Number.isSafeInteger(run.term) && Number.isSafeInteger(run.firstIndex));
      ({ firstIndex: index, term } = run);
    });
    assert(this.#lastIndex >= index, 'no run begins after the last entry');
  }
}
