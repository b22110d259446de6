import type { kv } from '../../protos/index.ts';
import type { Settings } from './settings.ts';
import { settingsFromProto, settingsToProto } from './settings-codec.ts';

/** What the meta group can do for the settings on this node. */
export interface MetaLog {
  /** As this node has applied them; undefined without a replica of the meta group here. */
  readonly settings: Settings | undefined;
  /** Proposes to replace them. Only the leader can; it resolves when the record is applied there. */
  propose(record: kv.SettingsRecord.$Properties): Promise<ProposalOutcome>;
}

export type ProposalOutcome =
  | { readonly kind: 'applied'; readonly settings: Settings }
  /** They had another revision than expected: here they are. */
  | { readonly kind: 'conflict'; readonly settings: Settings }
  | { readonly kind: 'not-leader'; readonly leader: string | undefined }
  /** Not applied within the deadline; it may still be, later. */
  | { readonly kind: 'failed' };

const RECORD_FORMAT = 1;
/** No settings ever get this far. */
const NO_REVISION = Number.MAX_SAFE_INTEGER;

/** Replaces `expected`, and nothing else, by `settings`. */
export function changeRecord(
  expected: Settings,
  settings: Settings,
): kv.SettingsRecord.$Properties {
  return {
    format: RECORD_FORMAT,
    expectedRevision: expected.revision,
    settings: settingsToProto({ ...settings, revision: expected.revision + 1 }),
  };
}

/**
 * A record that conflicts with every revision. It goes through the log like a change, so the settings that
 * come back have everything in them that was applied before it was asked for.
 */
export function readRecord(): kv.SettingsRecord.$Properties {
  return { format: RECORD_FORMAT, expectedRevision: NO_REVISION };
}

/**
 * What a record makes of the settings, on every replica alike. It never throws: a record that does not
 * apply leaves them as they are.
 */
export function applySettingsRecord(
  settings: Settings,
  record: kv.SettingsRecord.$Properties,
): { readonly kind: 'applied' | 'conflict'; readonly settings: Settings } {
  const next = record.settings;
  if (next == null || record.expectedRevision !== settings.revision) {
    return { kind: 'conflict', settings };
  }
  return {
    kind: 'applied',
    settings: { ...settingsFromProto(next), revision: settings.revision + 1 },
  };
}
