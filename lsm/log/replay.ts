import { EntryIndex } from './entry-index.ts';
import type { DirectoryEntry } from './format.ts';
import { segmentFileName } from './format.ts';
import type { Gap, Recovery } from './recovery.ts';
import type { ReadSection, Round } from './round-reader.ts';
import type { HardState, LogDamage } from './types.ts';

/** A group as the rounds tell it. */
export interface ReplayedGroup {
  readonly group: number;
  readonly replicaId: number;
  readonly hardState: HardState;
  readonly configuration: Uint8Array;
  readonly configurationChecksum: number;
  readonly index: EntryIndex;
  readonly suspect: string | undefined;
  /** Entries from it on are in undeclared rounds: the next opening round must hold them again. */
  readonly firstUndeclaredIndex: number | undefined;
}

/** The rules for reading of `lsm/FORMAT.md#rules-for-reading`, 3 to 6. */
export function replay(recovery: Recovery): { groups: ReplayedGroup[]; damage: LogDamage[] } {
  const groups = new Map<number, GroupReplay>();
  const damage: Damage[] = [];
  const finalLogStarts = findFinalLogStarts(recovery.steps);
  let lastDamage: Damage | undefined;
  for (const step of recovery.steps) {
    if (step.kind === 'gap') {
      lastDamage = new Damage(step, step.reason);
      damage.push(lastDamage);
      for (const group of groups.values()) group.doubt(lastDamage);
      continue;
    }
    if (step.sections.some(({ records }) => records === undefined)) {
      lastDamage = new Damage(step, `records of round ${step.number} are damaged`);
      damage.push(lastDamage);
    }
    const isUndeclared = step.number > recovery.declaredRound;
    const cause = lastDamage ?? new Damage(step, `what comes before round ${step.number} is gone`);
    for (const section of step.sections) {
      existingOrNew(groups, section, finalLogStarts).read(section, step, isUndeclared, cause);
    }
  }
  for (const group of groups.values()) group.blame(damage);
  return {
    groups: [...groups.values()].sort((one, other) => one.group - other.group),
    damage: damage.map((place) => place.report()),
  };
}

/** A place from which something is missing. */
class Damage {
  readonly #place: { readonly segment: number; readonly offset: number };
  readonly reason: string;
  readonly #groups: number[] = [];

  constructor(place: { readonly segment: number; readonly offset: number }, reason: string) {
    this.#place = place;
    this.reason = reason;
  }

  makesSuspect(group: number): void {
    this.#groups.push(group);
  }

  report(): LogDamage {
    const { segment, offset } = this.#place;
    return { file: segmentFileName(segment), offset, reason: this.reason, groups: this.#groups };
  }
}

class GroupReplay implements ReplayedGroup {
  readonly group: number;
  replicaId: number;
  hardState: HardState;
  configuration: Uint8Array = new Uint8Array(0);
  configurationChecksum = 0;
  readonly index: EntryIndex;
  firstUndeclaredIndex: number | undefined;
  /** A lost directory may have named this group; the next one that does settles it. */
  #inDoubt: Damage | undefined;
  /** Entries after `index.lastIndex` could not be read. */
  #missing: Damage | undefined;
  /** The configuration that the directories mean was not found. */
  #configurationMissing: Damage | undefined;
  #foundSuspectBefore = false;

  constructor(section: ReadSection, finalLogStart: DirectoryEntry['logStart']) {
    this.group = section.group;
    this.replicaId = section.replicaId;
    this.hardState = section.hardState;
    this.index = new EntryIndex(finalLogStart.index, finalLogStart.term);
  }

  get suspect(): string | undefined {
    if (this.#foundSuspectBefore) return 'found damaged at an earlier start';
    if (this.#inDoubt !== undefined) return `its last state may be lost: ${this.#inDoubt.reason}`;
    if (this.#missing !== undefined) {
      return `entries after ${this.index.lastIndex} are missing: ${this.#missing.reason}`;
    }
    if (this.#configurationMissing === undefined) return undefined;
    return `its configuration is missing: ${this.#configurationMissing.reason}`;
  }

  doubt(damage: Damage): void {
    this.#inDoubt = damage;
  }

  /** `cause` is what a break in this group's log would be put down to. */
  read(section: ReadSection, round: Round, isUndeclared: boolean, cause: Damage): void {
    if (section.replicaId !== this.replicaId) this.#restart(section.replicaId);
    this.#inDoubt = undefined;
    this.hardState = section.hardState;
    this.#foundSuspectBefore = section.suspect;
    this.#readConfiguration(section, cause);
    this.#readEntries(section, round, isUndeclared, cause);
  }

  /** Adds this group to the damage that makes it suspect. */
  blame(damage: Damage[]): void {
    const cause = this.#inDoubt ?? this.#missing ?? this.#configurationMissing;
    if (cause === undefined) return;
    if (!damage.includes(cause)) damage.push(cause);
    cause.makesSuspect(this.group);
  }

  /** Another replica of the same group: what the old one's log held is not this one's. */
  #restart(replicaId: number): void {
    this.replicaId = replicaId;
    this.index.restart(this.index.startIndex, this.index.startTerm);
    this.firstUndeclaredIndex = undefined;
  }

  #readConfiguration(section: ReadSection, cause: Damage): void {
    if (section.configuration !== undefined) {
      this.configuration = section.configuration;
      this.configurationChecksum = section.configurationChecksum;
    }
    const agrees = section.configurationChecksum === this.configurationChecksum;
    this.#configurationMissing = agrees ? undefined : (this.#configurationMissing ?? cause);
  }

  #readEntries(section: ReadSection, round: Round, isUndeclared: boolean, cause: Damage): void {
    const previousIndex = section.firstIndex - 1;
    if (!this.#continues(previousIndex, section.previousTerm)) {
      this.#missing ??= cause;
      return;
    }
    this.#missing = undefined;
    this.index.truncateAfter(Math.max(previousIndex, this.index.startIndex));
    if (section.lastIndex <= this.index.startIndex || section.lastIndex === previousIndex) return;
    if (section.records === undefined) {
      this.#missing = cause;
      return;
    }
    this.#append(section, section.records, round.segment);
    if (isUndeclared) {
      const first = Math.max(section.firstIndex, this.index.startIndex + 1);
      this.firstUndeclaredIndex = Math.min(this.firstUndeclaredIndex ?? first, first);
    }
  }

  /** Before the final log start nothing matters any more; after it, see FORMAT.md, rule 4. */
  #continues(previousIndex: number, previousTerm: number): boolean {
    return previousIndex < this.index.startIndex || this.index.term(previousIndex) === previousTerm;
  }

  #append(
    section: ReadSection,
    records: NonNullable<ReadSection['records']>,
    segment: number,
  ): void {
    let offset = records.offset;
    for (let ordinal = 0; ordinal < records.lengths.length; ordinal++) {
      const length = records.lengths[ordinal] as number;
      if (section.firstIndex + ordinal > this.index.startIndex) {
        const term = records.terms[ordinal] as number;
        const checksum = records.checksums[ordinal] as number;
        this.index.append(term, segment, offset, length, checksum);
      }
      offset += length;
    }
  }
}

function existingOrNew(
  groups: Map<number, GroupReplay>,
  section: ReadSection,
  finalLogStarts: ReadonlyMap<number, DirectoryEntry['logStart']>,
): GroupReplay {
  const existing = groups.get(section.group);
  if (existing !== undefined) return existing;
  const group = new GroupReplay(section, finalLogStarts.get(section.group) ?? section.logStart);
  groups.set(section.group, group);
  return group;
}

/**
 * A later directory may move a group's log start over entries that went with removed segments. Knowing the
 * end first, those need not be told from lost ones.
 */
function findFinalLogStarts(
  steps: readonly (Round | Gap)[],
): Map<number, DirectoryEntry['logStart']> {
  const logStarts = new Map<number, DirectoryEntry['logStart']>();
  for (const step of steps) {
    if (step.kind === 'gap') continue;
    for (const { group, logStart } of step.sections) logStarts.set(group, logStart);
  }
  return logStarts;
}
