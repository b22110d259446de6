import type { StorageEngine } from '../../lsm/engine.ts';
import { decode, kv, ProtocolError } from '../../protos/index.ts';
import { type Entry, EntryKind } from '../raft/types.ts';
import type { Retention } from '../retention/retention.ts';
import { ruleFromProto } from '../retention/rules.ts';
import { applySettingsRecord } from '../settings/meta-log.ts';
import type { Settings } from '../settings/settings.ts';
import { WriteApplier, type WriteObserver } from './apply-writes.ts';
import type { ConditionalResult } from './condition.ts';
import { needsOfEntry, parseWriteEntry, type Section } from './entry.ts';
import type { Streams } from './streams.ts';
import { needsOf } from './write-batch.ts';

/** A batch of an entry that was applied. */
export interface AppliedSection {
  readonly section: Section;
  /** What became of its conditional writes; undefined: the batch was in already, or came too early. */
  readonly results: readonly ConditionalResult[] | undefined;
}

export type ApplyOutcome =
  | { readonly kind: 'applied'; readonly sections: readonly AppliedSection[] }
  /** The bytes do not parse; every replica skips them alike. */
  | { readonly kind: 'skipped'; readonly reason: string }
  /** Written by a newer DSS, or it depends on a damaged table: this group stops here. */
  | { readonly kind: 'halted'; readonly reason: string; readonly isDamage: boolean };

/** Where a group's log has got to, as a flush stores it. */
export interface GroupState {
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  readonly highestVersion: number;
  readonly streams: Streams;
  readonly retention: Retention;
  readonly settings: Settings;
}

const NOTHING_APPLIED: ApplyOutcome = { kind: 'applied', sections: [] };

/**
 * What a shard's log makes of the engine. A function of the entries and of current values only: never of a
 * clock, of settings, or of what compaction has removed (DESIGN §5 ▣).
 */
export class StateMachine implements GroupState {
  appliedIndex: number;
  appliedTerm: number;
  /** The highest version in the applied log. */
  highestVersion: number;
  streams: Streams;
  /** What the log has said about how long values stay. */
  retention: Retention;
  /** Of the meta group: what the cluster was told at run time. */
  settings: Settings;
  /** Since the start. */
  appliedWrites = 0;
  readonly #writes: WriteApplier;

  constructor(
    options: GroupState & {
      readonly engine: StorageEngine;
      readonly firstSlot: number;
      readonly slotCount: number;
    },
  ) {
    this.#writes = new WriteApplier(options.engine, options.firstSlot, options.slotCount);
    this.appliedIndex = options.appliedIndex;
    this.appliedTerm = options.appliedTerm;
    this.highestVersion = options.highestVersion;
    this.streams = options.streams;
    this.retention = options.retention;
    this.settings = options.settings;
  }

  /** A snapshot has taken the place of everything there was. */
  restore(restored: GroupState): void {
    this.appliedIndex = restored.appliedIndex;
    this.appliedTerm = restored.appliedTerm;
    this.highestVersion = restored.highestVersion;
    this.streams = restored.streams;
    this.retention = restored.retention;
    this.settings = restored.settings;
    this.earliestExpiry = 0;
  }

  /** Event times that were later than their write's version, since the start. */
  get clampedTimes(): number {
    return this.#writes.clampedTimes;
  }

  /** No value of this shard expires before; 0 until somebody has looked. */
  get earliestExpiry(): number {
    return this.#writes.earliestExpiry;
  }

  set earliestExpiry(expiresAt: number) {
    this.#writes.earliestExpiry = expiresAt;
  }

  /** Looks up what `apply` must know. `undefined`: nothing is missing; else ask again then. */
  prepare(entry: Entry, observer: WriteObserver): Promise<void> | undefined {
    if (entry.kind !== EntryKind.write || needsOfEntry(entry.data) === 0) return undefined;
    const sections = parseWriteEntry(entry.data);
    return sections && this.#writes.prepare(entry.data, sections, observer, this.retention);
  }

  apply(entry: Entry, observer: WriteObserver): ApplyOutcome {
    const outcome = this.#applyKind(entry, observer);
    if (outcome.kind === 'halted') return outcome;
    this.appliedIndex = entry.index;
    this.appliedTerm = entry.term;
    this.#writes.forget();
    return outcome;
  }

  #applyKind(entry: Entry, observer: WriteObserver): ApplyOutcome {
    switch (entry.kind) {
      case EntryKind.empty:
      case EntryKind.configuration:
        return NOTHING_APPLIED;
      case EntryKind.write:
        return this.#applyWrites(entry.data, observer);
      case EntryKind.rules:
      case EntryKind.watermark:
      case EntryKind.settings:
      case EntryKind.checksum:
        return this.#applyRecord(entry.kind, entry.data);
      default: {
        const reason = `it has kind ${entry.kind}, which this version does not know`;
        return { kind: 'halted', reason, isDamage: false };
      }
    }
  }

  #applyWrites(data: Uint8Array, observer: WriteObserver): ApplyOutcome {
    const sections = parseWriteEntry(data);
    if (sections === undefined) return { kind: 'skipped', reason: 'its header does not parse' };
    if (this.#writes.isUndecidable(data, sections, this.retention)) {
      const reason = 'it depends on a value in a damaged table';
      return { kind: 'halted', reason, isDamage: true };
    }
    const applied: AppliedSection[] = [];
    for (const section of sections) {
      this.highestVersion = Math.max(this.highestVersion, section.highestVersion);
      const { node, startCounter, number, count, batchStart, batchEnd } = section;
      if (this.streams.judge(node, startCounter, number).kind !== 'next') {
        applied.push({ section, results: undefined });
        continue;
      }
      this.streams.advance(node, startCounter, number);
      if (needsOf(data, batchStart, batchEnd, count) === undefined) {
        return { kind: 'skipped', reason: 'its batch does not parse' };
      }
      this.appliedWrites += count;
      const results = this.#writes.apply(data, section, observer, this.retention);
      applied.push({ section, results });
    }
    return { kind: 'applied', sections: applied };
  }

  #applyRecord(kind: number, data: Uint8Array): ApplyOutcome {
    try {
      if (kind === EntryKind.rules) this.#applyRules(decode(kv.RulesRecord, data));
      else if (kind === EntryKind.watermark) this.#applyWatermark(decode(kv.WatermarkRecord, data));
      else if (kind === EntryKind.checksum) this.#noteVersion(decode(kv.ChecksumRecord, data));
      else
        this.settings = applySettingsRecord(
          this.settings,
          decode(kv.SettingsRecord, data),
        ).settings;
      return NOTHING_APPLIED;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { kind: 'skipped', reason: `its record does not parse: ${error.message}` };
    }
  }

  #noteVersion({ version }: { readonly version: number }): void {
    this.highestVersion = Math.max(this.highestVersion, version);
  }

  #applyRules({ version, revision, rules }: kv.RulesRecord): void {
    this.#noteVersion({ version });
    const own = (rules as kv.RetentionRule[]).map(ruleFromProto);
    this.retention = this.retention.withRules(revision, own, version);
  }

  #applyWatermark({ version, cutoffs, expiryFloor }: kv.WatermarkRecord): void {
    this.#noteVersion({ version });
    this.retention = this.retention.withWatermark({
      version,
      cutoffs: cutoffs as kv.Cutoff[],
      expiryFloor,
    });
  }
}
