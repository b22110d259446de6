import type { Alert, ResolvedAlert } from './alert-states.ts';
import { RULE_NAMES, RULES, type RuleInForce, type RuleName, type Severity } from './rules.ts';

/** An alert as programs and people see it: `GET /v1/alerts`, `/v1/cluster`, `dss/sys/alerts/<name>`, the webhook. */
export interface AlertDocument {
  readonly name: string;
  readonly rule: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly state: 'pending' | 'firing' | 'resolved';
  /** RFC 3339, like `until`. */
  readonly since: string;
  readonly until?: string;
  readonly message: string;
  readonly advice: string;
}

export function alertDocument(alert: Alert | ResolvedAlert): AlertDocument {
  const { name, rule, subject, severity, state, sinceMs, message, advice } = alert;
  const until = alert.state === 'resolved' ? { until: new Date(alert.untilMs).toISOString() } : {};
  const since = new Date(sinceMs).toISOString();
  return { name, rule, subject, severity, state, since, ...until, message, advice };
}

export function ruleDocuments(inForce: Readonly<Record<RuleName, RuleInForce>>) {
  return RULE_NAMES.map((rule) => {
    const { severity, threshold, forSeconds, isEnabled: enabled } = inForce[rule];
    const { unit, description } = RULES[rule];
    return { rule, severity, threshold, unit, forSeconds, enabled, description };
  });
}
