import assert from 'node:assert/strict';
import { UNITS_PER_MS } from '../../broker/data-plane.ts';
import {
  type CountLimit,
  limitsAfterChange,
  limitsThatMatter,
  sameLimits,
  UNLIMITED,
} from './count-limits.ts';
import type { RetentionRule } from './rules.ts';

/** What holds for a key's values: see `SeriesFilter`. Times and versions are in version units (DESIGN §3). */
export interface KeyRetention {
  /** Values with an earlier time are hidden, except the newest. */
  readonly cutoff: number;
  /** A tombstone with an earlier version is hidden even if it is the newest. Never above `cutoff`. */
  readonly tombstoneCutoff: number;
  /** Of a value that is written now without one of its own; 0: it does not expire. */
  readonly ttlMs: number;
  /** Ascending, the one that is for all versions last: no count is above that one's. Empty: no limit. */
  readonly limits: readonly CountLimit[];
}

/** A tombstone stays so long at least, that watchers who were away for a moment hear of it. */
const TOMBSTONE_UNITS_MIN = 60 * 60_000 * UNITS_PER_MS;

/**
 * How far the keys below one prefix have been let go. Immutable. The prefix has a rule, or had one: then it
 * is a ghost, which another rule governs, and which remembers what its keys have lost already.
 */
export class PrefixRetention {
  readonly prefix: string;
  /** The one that governs its keys: of this prefix or, for a ghost, of one that covers it. */
  readonly rule: RetentionRule;
  /** What is remembered of earlier counts. */
  readonly limits: readonly CountLimit[];
  /** For each of its keys. */
  readonly keys: KeyRetention;

  constructor(state: {
    readonly prefix: string;
    readonly rule: RetentionRule;
    readonly cutoff: number;
    readonly tombstoneCutoff: number;
    readonly limits: readonly CountLimit[];
  }) {
    const { prefix, rule, cutoff, tombstoneCutoff } = state;
    assert(tombstoneCutoff <= cutoff, 'a tombstone goes no sooner than the values behind it');
    this.prefix = prefix;
    this.rule = rule;
    this.limits = limitsThatMatter(state.limits, countOf(rule), cutoff);
    const present = { upToVersion: Number.MAX_SAFE_INTEGER, count: countOf(rule) };
    const limits = present.count === UNLIMITED ? this.limits : [...this.limits, present];
    this.keys = { cutoff, tombstoneCutoff, ttlMs: rule.ttlMs, limits };
  }

  get isGhost(): boolean {
    return this.rule.prefix !== this.prefix;
  }

  /** This prefix under new rules, or one below it that gets a rule of its own. */
  governedBy(prefix: string, rule: RetentionRule, version: number): PrefixRetention {
    if (prefix === this.prefix && rule === this.rule) return this;
    const change = { oldCount: countOf(this.rule), newCount: countOf(rule), version };
    const limits = limitsAfterChange(this.limits, change);
    return new PrefixRetention({ ...this.keys, prefix, rule, limits });
  }

  /** With what a watermark of this version lets go. Nothing is let go before it is written. */
  letGo(time: number, version: number): PrefixRetention {
    const cutoff = Math.max(this.keys.cutoff, Math.min(time, version));
    const tombstoneCutoff = Math.max(
      this.keys.tombstoneCutoff,
      Math.min(cutoff, version - TOMBSTONE_UNITS_MIN),
    );
    const { keys } = this;
    if (cutoff === keys.cutoff && tombstoneCutoff === keys.tombstoneCutoff) return this;
    return new PrefixRetention({ ...this, cutoff, tombstoneCutoff });
  }

  /** Up to where its rule lets values go at this time, if it has not let go more before. */
  dueCutoff(now: number): number {
    const { keepMs } = this.rule;
    const due = keepMs === undefined ? 0 : now - keepMs * UNITS_PER_MS;
    return Math.max(this.keys.cutoff, due);
  }

  /**
   * Whether a ghost has become one with the entry above it: that hides all that this one hides, and nothing
   * else that is not due here too. Limits must be the same: hiding some values for a lower count, but not
   * those behind them, would move these up and bring them back.
   */
  isCoveredBy(above: PrefixRetention, version: number): boolean {
    assert(above.rule === this.rule, 'no rule lies between a ghost and the entry above it');
    const { cutoff, tombstoneCutoff } = above.keys;
    const left = limitsThatMatter(this.limits, countOf(this.rule), cutoff);
    return (
      cutoff >= this.keys.cutoff &&
      cutoff <= this.dueCutoff(version) &&
      tombstoneCutoff >= this.keys.tombstoneCutoff &&
      sameLimits(left, above.limits)
    );
  }
}

function countOf(rule: RetentionRule): number {
  return rule.versions === 0 ? UNLIMITED : rule.versions;
}
