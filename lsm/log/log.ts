import assert from 'node:assert/strict';
import { isCorruption } from '../corruption.ts';
import { LsmError } from '../errors.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { logIdBytes, type RoundHeader } from './format.ts';
import { LogGroup } from './log-group.ts';
import { readEntries } from './log-reads.ts';
import { recover } from './recovery.ts';
import { replay } from './replay.ts';
import { areReplicasLost, replicasChecksum } from './replicas.ts';
import { RoundWriter, type WrittenRecords } from './round-writer.ts';
import { SegmentFiles } from './segment-files.ts';
import { scanLog } from './segment-scan.ts';
import type {
  GroupState,
  HardState,
  LogDamage,
  LogEntry,
  LogStatistics,
  RecoveredGroup,
} from './types.ts';

export interface LogOptions {
  readonly vfs: Vfs;
  /** Made if it does not exist. Nobody else may write to it. */
  readonly directory: string;
  /** Eight random bytes; called when a log is created. */
  readonly newLogId: () => Uint8Array;
  /** A segment that is larger gets no further round. Default 16 MiB. */
  readonly segmentBytes?: number;
  /** How much is written ahead of small rounds, for syncs that need not make the file longer; 0: nothing. Default 256 KiB. */
  readonly zerosAheadBytes?: number;
}

export interface OpenedLog {
  readonly log: Log;
  readonly groups: RecoveredGroup[];
  readonly damage: LogDamage[];
  /**
   * Which replicas there were is not known, now or at an earlier start: nothing in this folder's neighbourhood can be
   * trusted.
   */
  readonly replicasLost: boolean;
  /**
   * The last round that was found, 0 for none. Who was told of a higher one knows that this log has lost it:
   * a synced last round that vanished looks like a torn tail from here.
   */
  readonly recoveredRound: number;
}

/**
 * The log of a node, shared by all its groups. What is staged becomes durable with the next round: one
 * write and one sync. After a failed write or sync nothing is repeated: every call fails with `LOG_FAILED`.
 */
export class Log {
  readonly #segmentBytes: number;
  readonly #files: SegmentFiles;
  readonly #logId: Uint8Array;
  readonly #replicasLost: boolean;
  readonly #groups = new Map<number, LogGroup>();
  /** Of them; undefined when it has to be computed. */
  #replicasChecksum: number | undefined;
  readonly #writer = new RoundWriter();

  /** Groups that the next round must name. */
  readonly #staged = new Set<LogGroup>();
  /** Groups that the next round names if there is one: their log start or configuration moved. */
  readonly #changed = new Set<LogGroup>();

  #nextRound: number;
  #segment: number;
  #offset = 0;
  /** Its opening round is synced, so that no older one is the only home of any state. */
  #durableSegment = 0;
  #inFlight: Promise<void> | undefined;
  #failure: LsmError | undefined;
  #closed = false;
  #rounds = 0;

  /**
   * Opens or creates a log. What was found is durable when it resolves. Bad bytes never make it reject, only I/O
   * errors and `FORMAT_TOO_NEW` do; what they cost is in `damage` and in each group's `suspect`.
   */
  static async open(options: LogOptions): Promise<OpenedLog> {
    const { vfs, directory } = options;
    await vfs.makeDirectory(directory);
    const scans = await scanLog(vfs, directory);
    const recovery = recover(scans);
    const { groups: replayed, damage } = replay(recovery);
    const { recoveredRound } = recovery;
    const replicasLost = areReplicasLost(recovery, replayed);
    const { segmentBytes = SEGMENT_BYTES, zerosAheadBytes = ZEROS_AHEAD_BYTES } = options;
    const files = new SegmentFiles({ vfs, directory, segmentBytes, zerosAheadBytes });
    for (const { segment, fileBytes } of scans) files.add(segment, fileBytes);
    const log = new Log(files, {
      segmentBytes,
      logId: recovery.logId ?? options.newLogId(),
      replicasLost,
      nextRound: recovery.nextRound,
      segment: recovery.nextSegment - 1,
    });
    try {
      await files.removeOldSpares();
      for (const segment of recovery.tornSegments) await files.remove(segment);
      for (const group of replayed) log.#groups.set(group.group, LogGroup.recovered(group));
      const groups = replayed.map((group) => log.#group(group.group).recoveredState(group.suspect));
      for (const { group, firstUndeclaredIndex } of replayed) {
        if (firstUndeclaredIndex !== undefined) await log.#stageAgain(group, firstUndeclaredIndex);
      }
      await log.#writeRound(true);
      return { log, groups, damage, replicasLost, recoveredRound };
    } catch (error) {
      await files.close();
      throw error;
    }
  }

  private constructor(
    files: SegmentFiles,
    start: {
      segmentBytes: number;
      logId: Uint8Array;
      replicasLost: boolean;
      nextRound: number;
      segment: number;
    },
  ) {
    assert(start.logId.length === logIdBytes, 'a log id has eight bytes');
    this.#segmentBytes = start.segmentBytes;
    this.#files = files;
    this.#logId = start.logId;
    this.#replicasLost = start.replicasLost;
    this.#nextRound = start.nextRound;
    this.#segment = start.segment;
  }

  /**
   * Adds a replica; durable with the next round. For a group that is there it begins anew: a new replica id, or a
   * snapshot in place of its log. What the log held of it is forgotten, and so is that it was suspect.
   */
  addGroup(state: GroupState): void {
    this.#assertUsable();
    const existing = this.#groups.get(state.group);
    const group = existing ?? new LogGroup(state);
    existing?.restart(state);
    this.#groups.set(state.group, group);
    this.#replicasChecksum = undefined;
    this.#staged.add(group);
  }

  /** Durable with the next round that is written; does not ask for one. */
  setConfiguration(group: number, configuration: Uint8Array): void {
    this.#assertUsable();
    const changed = this.#group(group);
    changed.setConfiguration(configuration);
    this.#changed.add(changed);
  }

  /**
   * Gathers for the next round. `entries` follow each other; from the first one on they replace what the
   * log or the stage holds. Their data must not change until the round is written.
   */
  stage(group: number, hardState: HardState | undefined, entries: readonly LogEntry[]): void {
    this.#assertUsable();
    const staged = this.#group(group);
    if (hardState === undefined && entries.length === 0) return;
    staged.stage(hardState, entries);
    this.#staged.add(staged);
  }

  /** A round is wanted. */
  get hasStaged(): boolean {
    return this.#staged.size > 0;
  }

  /** Bytes of the entries that wait for the next round. */
  get stagedBytes(): number {
    let sum = 0;
    for (const group of this.#staged) sum += group.stagedBytes;
    return sum;
  }

  get roundInFlight(): boolean {
    return this.#inFlight !== undefined;
  }

  /** The number of the last round that is durable. It only grows, over restarts too. */
  get syncedRound(): number {
    return this.#nextRound - 1;
  }

  /**
   * Writes and syncs what is staged now as one round; what is staged meanwhile waits for the next. At most one at
   * a time. With nothing staged it still writes log starts and configurations that changed, or nothing at all.
   */
  async commitRound(): Promise<void> {
    this.#assertUsable();
    assert(this.#inFlight === undefined, 'a round is in flight');
    if (this.#staged.size + this.#changed.size === 0) return;
    this.#inFlight = this.#writeRound(this.#offset >= this.#segmentBytes);
    try {
      await this.#inFlight;
    } finally {
      this.#inFlight = undefined;
    }
  }

  /**
   * The entries from `firstIndex` to `lastIndex`, at least one but no more than `bytesMax` of data. Staged
   * entries are not there before their round. Fewer, or none, if they are not or no longer in the log.
   * @throws {LsmError} CORRUPTION if the disk gives other bytes than were written. Then a round is wanted: it declares
   *   the damaged one synced, which might else be the last, and pass for a torn tail at the next start
   */
  async read(
    group: number,
    firstIndex: number,
    lastIndex: number,
    bytesMax: number,
  ): Promise<LogEntry[]> {
    this.#assertUsable();
    const found = this.#group(group);
    try {
      const entries = await readEntries(found, this.#files, firstIndex, lastIndex, bytesMax);
      this.#assertUsable();
      return entries;
    } catch (error) {
      if (isCorruption(error)) this.#staged.add(found);
      throw error;
    }
  }

  /**
   * Gives up entries up to `index`: they are flushed, and nobody needs them. They cannot be read from now on; the
   * log start is durable, and their space free, with the next round.
   */
  release(group: number, index: number, term: number): void {
    this.#assertUsable();
    const released = this.#group(group);
    if (index <= released.index.startIndex) return;
    released.release(index, term);
    this.#changed.add(released);
  }

  /**
   * Writes all of a group's entries once more, with the next round, so that they hold no old segment: for those that
   * cannot be given up. They are in memory until that round is written; nothing of the group may be released before.
   * Returns whether there is something to write; not if they were released or replaced meanwhile.
   *
   * @param cutsAtDamage whether an entry that cannot be read is given up, with all that follow it, as the next start would
   * have it. Only of a replica that promises nothing any more.
   * @throws {LsmError} CORRUPTION, like `read`, where it is not cut: under a checksum of their own wrong bytes would pass
   *   for good ones
   */
  async moveToTail(group: number, { cutsAtDamage = false } = {}): Promise<boolean> {
    this.#assertUsable();
    const moved = this.#group(group);
    const { index } = moved;
    if (index.oldestSegment === undefined || index.oldestSegment === this.#segment) return false;
    const entries: LogEntry[] = [];
    let next = index.startIndex + 1;
    let metDamage = false;
    let isCut = false;
    // In portions, so that nobody else's read waits for all of it; what was appended meanwhile goes along.
    while (index.has(next) && !isCut) {
      // What comes before the damage is read entry by entry.
      const lastIndex = metDamage ? next : index.lastIndex;
      try {
        const portion = await this.read(group, next, lastIndex, PORTION_BYTES);
        if (portion.length === 0) return false;
        for (const entry of portion) entries.push(entry);
        next += portion.length;
      } catch (error) {
        if (!cutsAtDamage || !isUnreadable(error)) throw error;
        isCut = metDamage && index.has(next);
        metDamage = true;
      }
    }
    if (isCut) moved.cutFrom(next);
    const isMoved = moved.stageAgain(entries);
    if (isCut || isMoved) this.#staged.add(moved);
    return isCut || isMoved;
  }

  /** What a group's entries from `firstIndex` on take in the files. */
  bytesFrom(group: number, firstIndex: number): number {
    return this.#group(group).index.bytesFrom(firstIndex);
  }

  /** What the segments take from the oldest one on that holds an entry of the group; 0: none does. */
  heldBytes(group: number): number {
    const { oldestSegment } = this.#group(group).index;
    return oldestSegment === undefined ? 0 : this.#files.bytesFrom(oldestSegment);
  }

  /**
   * Lets go of old segments, oldest first, up to one that holds an entry some group needs by what is durable.
   * Returns how many. What was released counts once a round was written since.
   */
  async collect(): Promise<number> {
    this.#assertUsable();
    let firstNeeded = this.#durableSegment;
    for (const { neededSegment } of this.#groups.values()) {
      firstNeeded = Math.min(firstNeeded, neededSegment ?? firstNeeded);
    }
    let removed = 0;
    for (;;) {
      const oldest = this.#files.oldest;
      if (oldest === undefined || oldest >= firstNeeded) return removed;
      await this.#files.retire(oldest);
      removed++;
    }
  }

  /** What its segments take: what somebody may still need. */
  get segmentsBytes(): number {
    return this.#files.bytes;
  }

  /** With the files that later segments write over. */
  get diskBytes(): number {
    return this.#files.bytes + this.#files.spareBytes;
  }

  statistics(): LogStatistics {
    return {
      rounds: this.#rounds,
      syncs: this.#files.writes,
      bytesWritten: this.#files.bytesWritten,
      segments: this.#files.count,
      bytesOnDisk: this.diskBytes,
    };
  }

  /** Waits for the round in flight; what is only staged is dropped. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#inFlight?.catch(() => {});
    await this.#files.close();
  }

  async #writeRound(isOpening: boolean): Promise<void> {
    try {
      const groups = isOpening
        ? [...this.#groups.values()]
        : [...new Set([...this.#staged, ...this.#changed])];
      const bytes = this.#layOut(groups, isOpening);
      await this.#persist(bytes, isOpening);
      for (const group of groups) group.synced();
      this.#nextRound++;
      this.#durableSegment = this.#segment;
    } catch (cause) {
      const message = `round ${this.#nextRound} could not be written`;
      this.#failure = new LsmError('LOG_FAILED', message, { cause });
      throw this.#failure;
    }
  }

  /** Takes what is staged; from here on the in-memory index says where it will be. */
  #layOut(groups: readonly LogGroup[], isOpening: boolean): Uint8Array {
    if (isOpening) {
      this.#segment++;
      this.#offset = 0;
    }
    this.#staged.clear();
    this.#changed.clear();
    const sections = groups.map((group) => group.takeSection(isOpening));
    this.#replicasChecksum ??= replicasChecksum(this.#groups.values());
    const header: RoundHeader = {
      kind: isOpening ? 'opening' : 'ordinary',
      replicasLost: this.#replicasLost,
      logId: this.#logId,
      number: this.#nextRound,
      syncedRound: this.#nextRound - 1,
      segment: this.#segment,
      replicasChecksum: this.#replicasChecksum,
    };
    const { bytes, records } = this.#writer.write(header, sections);
    for (const [at, section] of sections.entries()) {
      const { offset, checksums } = records[at] as WrittenRecords;
      groups[at]?.place(section, this.#segment, this.#offset + offset, checksums);
    }
    return bytes;
  }

  /** One write that is durable when it resolves; a new segment's name as well. */
  async #persist(bytes: Uint8Array, isOpening: boolean): Promise<void> {
    if (isOpening) await this.#files.create(this.#segment);
    await this.#files.write(this.#segment, this.#offset, bytes);
    this.#offset += bytes.length;
    this.#rounds++;
    if (isOpening) await this.#files.syncDirectory();
  }

  /** Entries of undeclared rounds go into the opening round once more. */
  async #stageAgain(group: number, firstIndex: number): Promise<void> {
    const { index } = this.#group(group);
    const entries = await this.read(group, firstIndex, index.lastIndex, Number.POSITIVE_INFINITY);
    this.stage(group, undefined, entries);
  }

  #group(group: number): LogGroup {
    const found = this.#groups.get(group);
    assert(found !== undefined, `group ${group} is not in the log`);
    return found;
  }

  #assertUsable(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new LsmError('ENGINE_CLOSED', 'the log is closed');
  }
}

const SEGMENT_BYTES = 16 * 1024 * 1024;
const ZEROS_AHEAD_BYTES = 256 * 1024;
const PORTION_BYTES = 1024 * 1024;

function isUnreadable(error: unknown): boolean {
  return isCorruption(error) || (error as { readonly code?: unknown }).code === 'EIO';
}
