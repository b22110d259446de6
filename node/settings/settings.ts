import type { IngestRule } from '../../broker/ingest-rules/rule.ts';
import type { RetentionRule } from '../retention/rules.ts';
import type { NodeRow } from './nodes.ts';
import { settingsBytes } from './settings-codec.ts';

/** What the whole cluster was told at run time: the state of the meta group. Never changed in place. */
export interface Settings {
  /** Grows by one with every change; 0: nothing was ever set. */
  readonly revision: number;
  /** At most one rule for a prefix. Their order means nothing: the longest prefix counts. */
  readonly retention: readonly RetentionRule[];
  /** At most one rule of a name. The first that matches a topic counts. */
  readonly ingest: readonly IngestRule[];
  /** None: they are those of the genesis (`nodeTable`). */
  readonly nodes: readonly NodeRow[];
  /** Who is connected for each source and sink beside another broker, by name; at most one of each. */
  readonly leases: readonly Lease[];
}

export interface Lease {
  /** Of the source or sink. */
  readonly name: string;
  /** The id of the node that holds it. */
  readonly node: string;
}

/** Why an edit cannot be made, as a sentence. */
export interface SettingsProblem {
  readonly kind:
    | 'not-found'
    | 'over-limit'
    | 'name-taken'
    | 'node-removed'
    | 'too-many-nodes'
    | 'last-node';
  readonly message: string;
}

/** What a change makes of the settings: the same object if nothing is to change. */
export type SettingsEdit = (settings: Settings) => EditResult;
export type EditResult =
  | { readonly settings: Settings; readonly problem?: undefined }
  | { readonly settings?: undefined; readonly problem: SettingsProblem };

export const EMPTY_SETTINGS: Settings = {
  revision: 0,
  retention: [],
  ingest: [],
  nodes: [],
  leases: [],
};

/** Of each kind. Every ordinary PUBLISH meets the ingest rules, every series that is read the others. */
export const RULES_MAX = 1_000;
/** Encoded, rules alone: there is always room for nodes and leases. One log entry, and one message of the cluster, holds all. */
export const SETTINGS_BYTES_MAX = 256 * 1024;

/** Adds a rule, or replaces that of the same prefix. */
export function setRetention(settings: Settings, rule: RetentionRule): EditResult {
  const others = settings.retention.filter(({ prefix }) => prefix !== rule.prefix);
  const retention = [...others, rule].sort((a, b) => compareText(a.prefix, b.prefix));
  return edited(settings, { ...settings, retention });
}

export function removeRetention(settings: Settings, prefix: string): EditResult {
  const retention = settings.retention.filter((rule) => rule.prefix !== prefix);
  if (retention.length < settings.retention.length)
    return edited(settings, { ...settings, retention });
  return notFound(
    prefix === ''
      ? 'there is no retention rule for all keys: the default counts for them'
      : `there is no retention rule for the prefix "${prefix}"`,
  );
}

/**
 * Replaces the rule of the same name where it stands, or appends the rule. With `before`, the rule comes
 * to stand before the one of that name.
 */
export function addIngest(settings: Settings, rule: IngestRule, before?: string): EditResult {
  const index = settings.ingest.findIndex(({ name }) => name === rule.name);
  if (before === undefined || before === rule.name) {
    const ingest = index < 0 ? [...settings.ingest, rule] : settings.ingest.with(index, rule);
    return edited(settings, { ...settings, ingest });
  }
  const others = settings.ingest.filter(({ name }) => name !== rule.name);
  const position = others.findIndex(({ name }) => name === before);
  if (position < 0) return notFound(noIngestRule(before));
  return edited(settings, { ...settings, ingest: others.toSpliced(position, 0, rule) });
}

export function removeIngest(settings: Settings, name: string): EditResult {
  const ingest = settings.ingest.filter((rule) => rule.name !== name);
  if (ingest.length === settings.ingest.length) return notFound(noIngestRule(name));
  return edited(settings, { ...settings, ingest });
}

export function setLeases(settings: Settings, leases: readonly Lease[]): EditResult {
  return edited(settings, { ...settings, leases });
}

/** Several edits as one. */
export function editInTurn(settings: Settings, edits: readonly SettingsEdit[]): EditResult {
  let result: EditResult = { settings };
  for (const edit of edits) {
    result = edit(result.settings);
    if (result.problem !== undefined) return result;
  }
  return result;
}

/** The rules of `initial` in settings that have none yet. */
export function withInitialRules(settings: Settings, initial: InitialRules): EditResult {
  return editInTurn(settings, [
    ...(initial.retention ?? []).map((rule) => (now: Settings) => setRetention(now, rule)),
    ...(initial.ingest ?? []).map((rule) => (now: Settings) => addIngest(now, rule)),
  ]);
}

/** What a configuration file says about rules: how the settings of a new cluster begin. */
export interface InitialRules {
  readonly retention?: readonly RetentionRule[];
  readonly ingest?: readonly IngestRule[];
}

/** Whether both say the same, whatever their revisions. */
export function sameSettings(a: Settings, b: Settings): boolean {
  const bytes = [a, b].map((settings) => settingsBytes({ ...settings, revision: 0 }));
  return Buffer.compare(bytes[0] as Uint8Array, bytes[1] as Uint8Array) === 0;
}

/** What an edit comes to: `before` itself where nothing has changed; limits are checked. */
export function edited(before: Settings, after: Settings): EditResult {
  if (sameSettings(before, after)) return { settings: before };
  const { retention, ingest } = after;
  if (Math.max(retention.length, ingest.length) > RULES_MAX) {
    return overLimit(`there can be at most ${RULES_MAX} rules of a kind: remove one first`);
  }
  const bytes = settingsBytes({ ...after, nodes: [], leases: [] }).length;
  if (bytes > SETTINGS_BYTES_MAX) {
    return overLimit(
      `all rules together would take ${bytes} bytes, but at most ${SETTINGS_BYTES_MAX} are allowed`,
    );
  }
  return { settings: after };
}

function noIngestRule(name: string): string {
  return `there is no ingest rule "${name}"`;
}

function notFound(message: string): EditResult {
  return { problem: { kind: 'not-found', message } };
}

function overLimit(message: string): EditResult {
  return { problem: { kind: 'over-limit', message } };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
