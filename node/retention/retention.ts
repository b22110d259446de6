import assert from 'node:assert/strict';
import { UNITS_PER_MS } from '../../broker/data-plane.ts';
import { isReserved } from '../../broker/reserved-keys.ts';
import { compareBytes } from '../../lsm/bytes.ts';
import { encode, kv } from '../../protos/index.ts';
import { type KeyRetention, PrefixRetention } from './prefix-retention.ts';
import { PrefixTable } from './prefix-table.ts';
import { effectiveRules, type RetentionRule, ruleFromProto, ruleToProto } from './rules.ts';

/** Values of the keys below a prefix may go if they are older, but never the newest of a key. */
export interface Cutoff {
  readonly prefix: string;
  /** In version units. */
  readonly time: number;
}

/** What a log entry says that lets history go. */
export interface Watermark {
  readonly version: number;
  readonly cutoffs: readonly Cutoff[];
  /** Every value that expired before is settled. */
  readonly expiryFloor: number;
}

const NEWS_UNITS = 60_000 * UNITS_PER_MS;
const NEWS_PART_OF_KEEP = 0.01;
/** No rule is for reserved keys: but for when tombstones leave, it is the same for them in every cluster. */
const NEWEST_ONLY = { ttlMs: 0, limits: [{ upToVersion: Number.MAX_SAFE_INTEGER, count: 1 }] };

/**
 * What a shard's log has said about retention so far (DESIGN §5 ▣, history watermark). Immutable, and a
 * function of the log entries alone, so that at the same index every replica hides the same.
 *
 * Whatever comes, for no key a cutoff goes back, and no value that was hidden is seen again.
 */
export class Retention {
  /** Of the settings that the rules come from; 0: none have reached this shard. */
  readonly revision: number;
  readonly rules: readonly RetentionRule[];
  /** Entries of `Space.expiries` below this time have done their duty. */
  readonly expiryFloor: number;
  /** Whether a tombstone may be gone anywhere. */
  readonly hasTombstoneCutoff: boolean;
  /** Whether a rule makes values expire. */
  readonly hasTtl: boolean;
  /** Whether values are counted anywhere. */
  readonly hasLimits: boolean;
  /** Of all prefixes. */
  readonly lowestCutoff: number;
  readonly highestCutoff: number;
  readonly highestTombstoneCutoff: number;
  /** An entry for each rule's prefix, and ghosts. */
  readonly #table: PrefixTable<PrefixRetention>;
  /** Of every key, where no prefix makes a difference: that is the common case. */
  readonly #ofAll: KeyRetention | undefined;
  readonly #ofReserved: KeyRetention;

  private constructor(state: {
    readonly revision: number;
    readonly rules: readonly RetentionRule[];
    readonly entries: readonly PrefixRetention[];
    readonly expiryFloor: number;
  }) {
    this.revision = state.revision;
    this.rules = state.rules;
    this.expiryFloor = state.expiryFloor;
    this.#table = new PrefixTable(state.entries);
    const [first, second] = this.#table.items;
    const keys = this.#table.items.map((entry) => entry.keys);
    this.lowestCutoff = Math.min(...keys.map(({ cutoff }) => cutoff));
    this.highestCutoff = Math.max(...keys.map(({ cutoff }) => cutoff));
    this.highestTombstoneCutoff = Math.max(...keys.map(({ tombstoneCutoff }) => tombstoneCutoff));
    this.hasTombstoneCutoff = this.highestTombstoneCutoff > 0;
    this.hasLimits = keys.some(({ limits }) => limits.length > 0);
    this.hasTtl = this.rules.some(({ ttlMs }) => ttlMs > 0);
    this.#ofAll = second === undefined ? first?.keys : undefined;
    this.#ofReserved = { ...this.#table.coveringPrefix('').keys, ...NEWEST_ONLY };
  }

  /** What holds for the key `bytes[start, end)`. */
  of(bytes: Uint8Array, start = 0, end = bytes.length): KeyRetention {
    if (isReserved(bytes, start)) return this.#ofReserved;
    return this.#ofAll ?? this.#table.covering(bytes, start, end).keys;
  }

  /** Rules reach the shard. Those of a revision that it knows already, or of an earlier one, do not count. */
  withRules(revision: number, rules: readonly RetentionRule[], version: number): Retention {
    if (revision <= this.revision) return this;
    const inForce = new PrefixTable(effectiveRules(rules));
    const prefixes = [...inForce.items, ...this.#table.items].map(({ prefix }) => prefix);
    const entries = [...new Set(prefixes)].map((prefix) =>
      this.#table
        .coveringPrefix(prefix)
        .governedBy(prefix, inForce.coveringPrefix(prefix), version),
    );
    return this.#with({ revision, rules: inForce.items, entries, version });
  }

  /** Lets history go, and what is not said of this table's prefixes is ignored. */
  withWatermark({ version, cutoffs, expiryFloor }: Watermark): Retention {
    const times = new Map(cutoffs.map(({ prefix, time }) => [prefix, time]));
    const entries = this.#table.items.map((entry) => {
      const time = times.get(entry.prefix);
      return time === undefined ? entry : entry.letGo(time, version);
    });
    return this.#with({ entries, version, expiryFloor });
  }

  /** What a leader proposes to let go: what is older than the rules say. */
  nextWatermark(now: number): Cutoff[] {
    return this.#table.items.map((entry) => ({
      prefix: entry.prefix,
      time: entry.dueCutoff(now),
    }));
  }

  /**
   * What a leader proposes when the disk is full: `fraction`, from 0 to 1, of the time between what is gone
   * and now, also where a rule says "for ever". `oldest` is the time of the oldest value that is stored.
   */
  pressed(options: {
    readonly fraction: number;
    readonly now: number;
    readonly oldest: number;
  }): Cutoff[] {
    const { fraction, now, oldest } = options;
    assert(fraction >= 0 && fraction <= 1, 'a fraction is from 0 to 1');
    return this.#table.items.map((entry) => {
      const begin = Math.max(entry.keys.cutoff, oldest);
      const pressed = Math.floor(Math.min(now, begin + (now - begin) * fraction));
      return { prefix: entry.prefix, time: Math.max(pressed, entry.dueCutoff(now)) };
    });
  }

  /**
   * Whether a proposal would move something so far that it is worth a log entry: a cutoff by a minute or a
   * hundredth of what its rule keeps, or the expiry floor by a minute.
   */
  isNews(cutoffs: readonly Cutoff[], expiryFloor = this.expiryFloor): boolean {
    if (expiryFloor - this.expiryFloor >= NEWS_UNITS) return true;
    return cutoffs.some(({ prefix, time }) => {
      const entry = this.#table.coveringPrefix(prefix);
      const move = time - entry.keys.cutoff;
      if (entry.prefix !== prefix || move <= 0) return false;
      const { keepMs = Number.POSITIVE_INFINITY } = entry.rule;
      return move >= Math.min(NEWS_UNITS, keepMs * UNITS_PER_MS * NEWS_PART_OF_KEEP);
    });
  }

  equals(other: Retention): boolean {
    return this === other || compareBytes(this.#encoded(), other.#encoded()) === 0;
  }

  toProto(): kv.RetentionState.$Properties {
    return {
      revision: this.revision,
      rules: this.rules.map(ruleToProto),
      cutoffs: this.#table.items.map(({ prefix, keys, limits }) => ({
        prefix,
        time: keys.cutoff,
        tombstoneTime: keys.tombstoneCutoff,
        counts: limits.map((limit) => ({ ...limit })),
      })),
      expiryFloor: this.expiryFloor,
    };
  }

  /** Absent: nothing has been said yet. */
  static fromProto(state: kv.RetentionState.$Properties | null | undefined): Retention {
    const rules = new PrefixTable(effectiveRules((state?.rules ?? []).map(ruleFromProto)));
    const stored = new Map(state?.cutoffs?.map((cutoff) => [cutoff.prefix ?? '', cutoff]));
    const prefixes = new Set([...rules.items.map(({ prefix }) => prefix), ...stored.keys()]);
    const entries = [...prefixes].map((prefix) => {
      const { time = 0, tombstoneTime = 0, counts = [] } = stored.get(prefix) ?? {};
      return new PrefixRetention({
        prefix,
        rule: rules.coveringPrefix(prefix),
        cutoff: time,
        tombstoneCutoff: tombstoneTime,
        limits: counts.map(({ upToVersion = 0, count = 0 }) => ({ upToVersion, count })),
      });
    });
    const { revision = 0, expiryFloor = 0 } = state ?? {};
    return new Retention({ revision, rules: rules.items, entries, expiryFloor });
  }

  /**
   * Before the log has said anything: the default rules, and nothing is gone. Made when it is first asked for, as a
   * static field cannot use its own class in what the compiler emits.
   */
  static get initial(): Retention {
    initial ??= Retention.fromProto(undefined);
    return initial;
  }

  /** The same object if that changes nothing. */
  #with(change: {
    readonly entries: readonly PrefixRetention[];
    readonly version: number;
    readonly revision?: number;
    readonly rules?: readonly RetentionRule[];
    readonly expiryFloor?: number;
  }): Retention {
    const { revision = this.revision, rules = this.rules } = change;
    const entries = withoutIdleGhosts(change.entries, change.version);
    const expiryFloor = Math.max(this.expiryFloor, change.expiryFloor ?? 0);
    const now = this.#table.items;
    const isSame =
      revision === this.revision &&
      expiryFloor === this.expiryFloor &&
      entries.length === now.length &&
      entries.every((entry, index) => entry === now[index]);
    return isSame ? this : new Retention({ revision, rules, entries, expiryFloor });
  }

  #encoded(): Uint8Array {
    return encode(kv.RetentionState, this.toProto());
  }
}

let initial: Retention | undefined;

/** Each is compared with the nearest above it, which may itself be leaving: what that hides its own does too. */
function withoutIdleGhosts(
  entries: readonly PrefixRetention[],
  version: number,
): readonly PrefixRetention[] {
  if (!entries.some(({ isGhost }) => isGhost)) return entries;
  const table = new PrefixTable(entries);
  return table.items.filter((entry, index) => {
    const above = entry.isGhost ? table.parentAt(index) : undefined;
    return above === undefined || !entry.isCoveredBy(above, version);
  });
}
