import assert from 'node:assert/strict';
import type {
  ConfigurationAt,
  Entry,
  HardState,
  LogIndex,
  LogPosition,
  Ready,
  Term,
  TermRun,
} from '../../node/raft/types.ts';

type Round = Pick<Ready, 'hardState' | 'entries'> & Partial<Pick<Ready, 'configurations'>>;

/** What survives a power cut: the hard state and the log as of the last round that was synced. */
export class Disk {
  hardState: HardState = { term: 0, vote: 0, commit: 0 };
  start: LogPosition = { index: 0, term: 0 };
  configurations: readonly ConfigurationAt[] = [];
  #entries: Entry[] = [];

  get lastIndex(): LogIndex {
    return this.start.index + this.#entries.length;
  }

  /** The round with this Ready is synced. Its entries replace those with the same or a higher index. */
  sync({ hardState, entries, configurations }: Round): void {
    if (hardState !== undefined) this.hardState = hardState;
    if (configurations !== undefined) this.configurations = configurations;
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index > this.start.index, 'what has left the log is not rewritten');
    assert(first.index <= this.lastIndex + 1, 'no gap in the log');
    this.#entries.length = first.index - this.start.index - 1;
    this.#entries.push(...entries);
  }

  at(index: LogIndex): Entry | undefined {
    return this.#entries[index - this.start.index - 1];
  }

  termAt(index: LogIndex): Term | undefined {
    return index === this.start.index ? this.start.term : this.at(index)?.term;
  }

  read(firstIndex: LogIndex, lastIndex: LogIndex): Entry[] {
    if (firstIndex <= this.start.index) return [];
    return this.#entries.slice(firstIndex - this.start.index - 1, lastIndex - this.start.index);
  }

  compact(index: LogIndex): void {
    const term = this.termAt(index);
    assert(term !== undefined, 'compaction within the durable log');
    this.#entries = this.read(index + 1, this.lastIndex);
    this.start = { index, term };
  }

  /** A snapshot takes the place of the log. */
  restore(position: LogPosition, configurations: readonly ConfigurationAt[]): void {
    assert(this.termAt(position.index) !== position.term, 'what it has, it keeps');
    this.#entries = [];
    this.start = position;
    this.configurations = configurations;
  }

  truncateAfter(index: LogIndex): void {
    this.#entries.length = index - this.start.index;
  }

  get terms(): TermRun[] {
    const runs: TermRun[] = [];
    for (const { index, term } of this.#entries) {
      if (runs.at(-1)?.term !== term) runs.push({ firstIndex: index, term });
    }
    return runs;
  }
}
