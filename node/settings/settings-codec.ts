import { ingestRuleFromProto, ingestRuleToProto } from '../../broker/ingest-rules/rule.ts';
import { encode, kv } from '../../protos/index.ts';
import { ruleFromProto, ruleToProto } from '../retention/rules.ts';
import type { Settings } from './settings.ts';

/** As settings travel between nodes, and are stored by the meta group. */
export function settingsToProto(settings: Settings): kv.Settings.$Properties {
  return {
    revision: settings.revision,
    retention: settings.retention.map(ruleToProto),
    ingest: settings.ingest.map(ingestRuleToProto),
  };
}

/** Rules were checked when they were made; what another node sends, or a log has stored, is taken as it is. */
export function settingsFromProto(settings: kv.Settings.$Properties): Settings {
  return {
    revision: settings.revision ?? 0,
    retention: (settings.retention ?? []).map(ruleFromProto),
    ingest: (settings.ingest ?? []).map(ingestRuleFromProto),
  };
}

export function settingsBytes(settings: Settings): Uint8Array {
  return encode(kv.Settings, settingsToProto(settings));
}
