import type { IngestRule } from '../../broker/ingest-rules/rule.ts';
import type { RuleCounts } from '../../broker/ingest-rules/rule-counters.ts';
import {
  describeRetentionRule,
  effectiveRules,
  type RetentionRuleDocument,
} from '../retention/rules.ts';
import type { Settings } from './settings.ts';

/** Settings as JSON, as people and programs see them. */

export interface RetentionDocument {
  readonly revision: number;
  readonly rules: readonly RetentionRuleDocument[];
}

export interface IngestDocument {
  readonly revision: number;
  readonly rules: readonly (IngestRule & RuleReport)[];
}

/** What a rule did on one node since that started. */
interface RuleReport {
  readonly counters: Pick<RuleCounts, 'messages' | 'stored' | 'deleted' | 'problems'>;
  readonly examples: RuleCounts['examples'];
  readonly lastStored: RuleCounts['lastStored'] | null;
}

/** The rule for every key always shows: the default counts where nobody has set one. */
export function retentionDocument({ revision, retention }: Settings): RetentionDocument {
  return { revision, rules: effectiveRules(retention).map(describeRetentionRule) };
}

export function ingestDocument(
  { revision, ingest }: Settings,
  countsOf: (rule: string) => RuleCounts,
): IngestDocument {
  return { revision, rules: ingest.map((rule) => ({ ...rule, ...report(countsOf(rule.name)) })) };
}

function report(counts: RuleCounts): RuleReport {
  const { messages, stored, deleted, problems, examples, lastStored = null } = counts;
  return { counters: { messages, stored, deleted, problems }, examples, lastStored };
}
