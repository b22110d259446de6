import { versionToUnixMs } from '../../broker/data-plane.ts';
import {
  evaluate,
  type IngestLimits,
  type IngestMessage,
} from '../../broker/ingest-rules/ingest-message.ts';
import type { IngestRules } from '../../broker/ingest-rules/rules.ts';
import { utf8Text, valueMembers } from '../../broker/json.ts';

/** What the rules would make of a message, as JSON; nothing is stored or counted. */
export interface IngestTrial {
  /** The name of the rule that matches its topic. */
  readonly rule: string | null;
  readonly writes: readonly ({
    readonly key: string;
    /** Milliseconds since 1970; null: the time of arrival. */
    readonly time: number | null;
  } & ReturnType<typeof valueMembers>)[];
  readonly problems: readonly { readonly problem: string; readonly message: string }[];
}

export function ingestTrial(
  rules: IngestRules,
  message: IngestMessage,
  limits?: IngestLimits,
): IngestTrial {
  const rule = rules.match(message.topic);
  if (rule === undefined) return { rule: null, writes: [], problems: [] };
  const evaluation = evaluate(rule, message, limits);
  const isStored = evaluation.kind === 'writes';
  const problems = isStored ? evaluation.notes : [evaluation.problem];
  return {
    rule: rule.name,
    writes: (isStored ? evaluation.writes : []).map(({ key, value, time }) => ({
      key: utf8Text(key),
      ...valueMembers(value),
      time: time === 0 ? null : versionToUnixMs(time),
    })),
    problems: problems.map(({ code, message: sentence }) => ({ problem: code, message: sentence })),
  };
}
