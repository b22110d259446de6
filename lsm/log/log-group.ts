import assert from 'node:assert/strict';
import { crc32c } from '../hash/crc32c.ts';
import { EntryIndex } from './entry-index.ts';
import { recordHeaderBytes } from './format.ts';
import type { ReplayedGroup } from './replay.ts';
import { type RoundSection, recordsLength } from './round-writer.ts';
import type { GroupState, HardState, LogEntry, RecoveredGroup } from './types.ts';

/** One local replica in memory: its state, where its entries are, and what waits for the next round. */
export class LogGroup {
  readonly group: number;
  #replicaId: number;
  #hardState: HardState;
  #configuration: Uint8Array;
  #configurationChecksum: number;
  #suspect: boolean;
  /** Entries in files, including those of the round in flight. */
  readonly index: EntryIndex;

  /** Gathered for the next round; replaces what the index holds from its first entry on. */
  #staged: LogEntry[] = [];
  #stagedBytes = 0;
  #configurationChanged: boolean;
  /** Of the round in flight: not readable from the file yet. */
  #inFlight: readonly LogEntry[] = [];
  /** The oldest segment that this group's durable entries are in; the round in flight may change it. */
  #neededSegment: number | undefined;
  #neededSegmentOnceSynced: number | undefined;

  /** `replayed` is only given at start; else the group is new and its log empty. */
  constructor(state: GroupState, replayed?: ReplayedGroup) {
    this.group = state.group;
    this.#replicaId = state.replicaId;
    this.#hardState = state.hardState;
    this.#configuration = state.configuration.slice();
    this.#configurationChecksum = replayed?.configurationChecksum ?? crc32c(this.#configuration);
    this.#suspect = replayed?.suspect !== undefined;
    this.#configurationChanged = replayed === undefined;
    this.index = replayed?.index ?? new EntryIndex(state.logStart.index, state.logStart.term);
    this.#neededSegment = this.index.oldestSegment;
  }

  static recovered(replayed: ReplayedGroup): LogGroup {
    const { startIndex, startTerm } = replayed.index;
    return new LogGroup(
      { ...replayed, logStart: { index: startIndex, term: startTerm } },
      replayed,
    );
  }

  get replicaId(): number {
    return this.#replicaId;
  }

  /** Including what is staged. */
  get lastIndex(): number {
    return this.#staged.at(-1)?.index ?? this.index.lastIndex;
  }

  get neededSegment(): number | undefined {
    return this.#neededSegment;
  }

  /** Begins anew: a new replica, or one whose log a snapshot replaces. */
  restart(state: GroupState): void {
    this.#replicaId = state.replicaId;
    this.#hardState = state.hardState;
    this.setConfiguration(state.configuration);
    this.#suspect = false;
    this.#staged = [];
    this.#stagedBytes = 0;
    this.#inFlight = [];
    this.index.restart(state.logStart.index, state.logStart.term);
  }

  setConfiguration(configuration: Uint8Array): void {
    this.#configuration = configuration.slice();
    this.#configurationChecksum = crc32c(configuration);
    this.#configurationChanged = true;
  }

  stage(hardState: HardState | undefined, entries: readonly LogEntry[]): void {
    if (hardState !== undefined) this.#hardState = hardState;
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index > this.index.startIndex, `entry ${first.index} is before the log's start`);
    assert(
      first.index <= this.lastIndex + 1,
      `entry ${first.index} leaves a gap after ${this.lastIndex}`,
    );
    this.#unstageFrom(first.index);
    let { index, term } = { index: first.index - 1, term: this.#termBefore(first.index) };
    for (const entry of entries) {
      assert(entry.index === index + 1, `entry ${entry.index} does not follow ${index}`);
      assert(entry.term >= term, `entry ${entry.index} has a term below that of the one before`);
      ({ index, term } = entry);
      this.#staged.push(entry);
    }
    this.#stagedBytes += recordsLength(entries);
  }

  /**
   * These are in files, from the log's start to its end or to what is staged, and are to be written once more. Returns
   * whether that is so still.
   */
  stageAgain(entries: readonly LogEntry[]): boolean {
    const end = this.#staged[0]?.index ?? this.index.lastIndex + 1;
    const again = entries.filter(({ index }) => index < end);
    // What is staged replaces all that follows: some of the entries alone would cut off the others.
    const isWhole =
      again[0]?.index === this.index.startIndex + 1 && again.at(-1)?.index === end - 1;
    if (!isWhole || again.some(({ index, term }) => this.index.term(index) !== term)) return false;
    this.#staged = [...again, ...this.#staged];
    this.#stagedBytes += recordsLength(again);
    return true;
  }

  /** Gives up the entries from `index` on; gone with the next round that names this group. */
  cutFrom(index: number): void {
    this.#unstageFrom(index);
    this.index.truncateAfter(index - 1);
  }

  get stagedBytes(): number {
    return this.#stagedBytes;
  }

  release(index: number, term: number): void {
    assert(index <= this.index.lastIndex, `${index} is released but not written`);
    assert(
      index < (this.#staged[0]?.index ?? index + 1),
      `${index} is released but about to be replaced`,
    );
    assert(term === this.index.term(index), `released ${index} in term ${term}`);
    this.index.dropThrough(index);
  }

  /** What the next round says of this group; `place` and `synced` must follow. */
  takeSection(isOpening: boolean): RoundSection {
    const entries = this.#staged;
    const firstIndex = entries[0]?.index ?? this.index.lastIndex + 1;
    const withConfiguration = isOpening || this.#configurationChanged;
    const section: RoundSection = {
      group: this.group,
      suspect: this.#suspect,
      replicaId: this.#replicaId,
      hardState: this.#hardState,
      firstIndex,
      lastIndex: this.lastIndex,
      previousTerm: this.#termBefore(firstIndex),
      logStart: { index: this.index.startIndex, term: this.index.startTerm },
      configuration: withConfiguration ? this.#configuration : undefined,
      configurationChecksum: this.#configurationChecksum,
      entries,
    };
    this.#staged = [];
    this.#stagedBytes = 0;
    this.#inFlight = entries;
    this.#configurationChanged = false;
    return section;
  }

  /** The section's records go to `offset` of a segment. `checksums`: of each. */
  place(section: RoundSection, segment: number, offset: number, checksums: Uint32Array): void {
    this.index.truncateAfter(section.firstIndex - 1);
    let at = offset;
    let ordinal = 0;
    for (const { term, data } of section.entries) {
      const length = recordHeaderBytes + data.length;
      this.index.append(term, segment, at, length, checksums[ordinal++] as number);
      at += length;
    }
    this.#neededSegmentOnceSynced = this.index.oldestSegment;
  }

  /** The round with this group's section is durable. */
  synced(): void {
    this.#inFlight = [];
    this.#neededSegment = this.#neededSegmentOnceSynced;
  }

  /** An entry whose bytes are still in memory because its round is in flight. */
  entryInFlight(index: number): LogEntry | undefined {
    const first = this.#inFlight[0];
    return first && this.index.has(index) ? this.#inFlight[index - first.index] : undefined;
  }

  recoveredState(suspect: string | undefined): RecoveredGroup {
    return {
      group: this.group,
      replicaId: this.#replicaId,
      hardState: this.#hardState,
      configuration: this.#configuration,
      logStart: { index: this.index.startIndex, term: this.index.startTerm },
      lastIndex: this.index.lastIndex,
      terms: this.index.termRuns(),
      ...(suspect === undefined ? {} : { suspect }),
    };
  }

  #unstageFrom(index: number): void {
    const kept = Math.max(0, index - (this.#staged[0]?.index ?? index));
    this.#stagedBytes -= recordsLength(this.#staged.splice(kept));
  }

  #termBefore(index: number): number {
    const staged = this.#staged;
    const first = staged[0];
    const term =
      first !== undefined && index > first.index
        ? staged[index - 1 - first.index]?.term
        : this.index.term(index - 1);
    assert(term !== undefined, `the term before ${index} is not known`);
    return term;
  }
}
