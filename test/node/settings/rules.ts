import type { IngestRule } from '../../../broker/ingest-rules/rule.ts';
import type { RetentionRule } from '../../../node/retention/rules.ts';

const DAY_MS = 24 * 60 * 60_000;

export function retention(prefix: string, days = 30): RetentionRule {
  return { prefix, keepMs: days * DAY_MS, versions: 0, ttlMs: 0 };
}

export function ingest(name: string, filter = `${name}/#`): IngestRule {
  const time = { time: '', timeUnit: '', timeZone: '' };
  return { name, filter, except: [], key: '', value: '', ...time };
}
