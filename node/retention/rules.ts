import { isJsonObject, isWellFormed } from '../../broker/json.ts';
import type { Member } from '../../broker/request-members.ts';
import type { kv } from '../../protos/index.ts';
import { DURATION_FORMS, formatDuration, parseDuration } from './duration.ts';

/** How long values stay (DESIGN §3). Of the rules whose prefix covers a key, the longest counts. */
export interface RetentionRule {
  /** Whole levels: `plant1` covers the key `plant1` and `plant1/…`, never `plant10`. Empty: every key. */
  readonly prefix: string;
  /** Values that are not the newest are kept so long after their time; undefined: for ever. */
  readonly keepMs: number | undefined;
  /** At most so many values of a key, the newest included; 0: no limit. */
  readonly versions: number;
  /** The newest expires so long after it was written; 0: never. */
  readonly ttlMs: number;
}

/** A rule as users read and write it. Null is what is not given. */
export interface RetentionRuleDocument {
  readonly prefix: string;
  readonly keep: string;
  readonly versions: number | null;
  readonly ttl: string | null;
}

export const DEFAULT_KEEP_MS = 7 * 24 * 60 * 60_000;
const DEFAULT_RULE: RetentionRule = { prefix: '', keepMs: DEFAULT_KEEP_MS, versions: 0, ttlMs: 0 };
export const DEFAULT_RULES: readonly RetentionRule[] = [DEFAULT_RULE];

const VERSIONS_MAX = 1_000_000;
const PREFIX_BYTES_MAX = 1_024;
const MEMBERS = ['prefix', 'keep', 'versions', 'ttl'];

/** The rules in force: one per prefix (the last one given), and the default if there is none for every key. */
export function effectiveRules(rules: readonly RetentionRule[]): RetentionRule[] {
  return [...new Map([...DEFAULT_RULES, ...rules].map((rule) => [rule.prefix, rule])).values()];
}

/** Reads `{prefix, keep?, versions?, ttl?}` as it comes out of JSON or YAML. */
export function parseRetentionRule(input: unknown): Member<RetentionRule> {
  if (!isJsonObject(input)) {
    return {
      wrong: 'a retention rule must be an object, such as {"prefix":"plant1","keep":"30d"}',
    };
  }
  const stranger = Object.keys(input).find((name) => !MEMBERS.includes(name));
  if (stranger !== undefined) {
    return {
      wrong: `"${stranger}" is not a member of a retention rule: ${MEMBERS.join(', ')} are`,
    };
  }
  const { prefix, keep, versions, ttl } = input;
  const parts = {
    prefix: parsePrefix(prefix),
    keep: parseKeep(keep ?? undefined),
    versions: parseVersions(versions ?? undefined),
    ttl: parseTtl(ttl ?? undefined),
  };
  if ('wrong' in parts.prefix) return parts.prefix;
  if ('wrong' in parts.keep) return parts.keep;
  if ('wrong' in parts.versions) return parts.versions;
  if ('wrong' in parts.ttl) return parts.ttl;
  return {
    value: {
      prefix: parts.prefix.value,
      keepMs: parts.keep.value,
      versions: parts.versions.value,
      ttlMs: parts.ttl.value,
    },
  };
}

/** What `parseRetentionRule` reads as the same rule. */
export function describeRetentionRule(rule: RetentionRule): RetentionRuleDocument {
  return {
    prefix: rule.prefix,
    keep: rule.keepMs === undefined ? 'forever' : formatDuration(rule.keepMs),
    versions: rule.versions === 0 ? null : rule.versions,
    ttl: rule.ttlMs === 0 ? null : formatDuration(rule.ttlMs),
  };
}

export function ruleToProto(rule: RetentionRule): kv.RetentionRule.$Properties {
  return { ...rule, keepMs: rule.keepMs ?? null };
}

export function ruleFromProto(rule: kv.RetentionRule.$Properties): RetentionRule {
  return {
    prefix: rule.prefix ?? '',
    keepMs: rule.keepMs ?? undefined,
    versions: rule.versions ?? 0,
    ttlMs: rule.ttlMs ?? 0,
  };
}

function parsePrefix(given: unknown): Member<string> {
  if (typeof given !== 'string') {
    return {
      wrong: '"prefix" must be the beginning of keys, such as "plant1", or "" for every key',
    };
  }
  const isLong = Buffer.byteLength(given) > PREFIX_BYTES_MAX;
  if (isLong || given.includes('\0') || !isWellFormed(given)) {
    return { wrong: `"prefix" must be at most ${PREFIX_BYTES_MAX} bytes of text without U+0000` };
  }
  if (/[+#]/.test(given)) {
    return { wrong: '"prefix" must have no wildcard: "plant1" covers "plant1" and all below it' };
  }
  if (given.endsWith('/')) {
    return { wrong: '"prefix" must not end in "/": "plant1" covers "plant1" and all below it' };
  }
  return { value: given };
}

function parseKeep(given: unknown): Member<number | undefined> {
  if (given === undefined) return { value: DEFAULT_KEEP_MS };
  if (given === 'forever') return { value: undefined };
  const value = parseDuration(given);
  if (value !== undefined) return { value };
  return {
    wrong: `"keep" must be "forever" or a duration of at most 100 years, ${DURATION_FORMS}`,
  };
}

function parseVersions(given: unknown): Member<number> {
  if (given === undefined) return { value: 0 };
  if (typeof given === 'number' && Number.isInteger(given) && given >= 1 && given <= VERSIONS_MAX) {
    return { value: given };
  }
  return {
    wrong: `"versions" must be a whole number from 1 to ${VERSIONS_MAX}; without it there is no limit`,
  };
}

function parseTtl(given: unknown): Member<number> {
  if (given === undefined) return { value: 0 };
  const value = parseDuration(given);
  if (value !== undefined && value > 0) return { value };
  return {
    wrong: `"ttl" must be a duration above 0 and of at most 100 years, ${DURATION_FORMS}; without it values do not expire`,
  };
}
