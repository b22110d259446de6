import { parsePreset } from '../../broker/ingest-rules/presets.ts';
import { type IngestRule, parseIngestRule } from '../../broker/ingest-rules/rule.ts';
import { isJsonObject } from '../../broker/json.ts';
import type { Member } from '../../broker/request-members.ts';
import { parseRetentionRule, type RetentionRule } from '../retention/rules.ts';
import { invalid } from './invalid.ts';

/** @throws {NodeError} CONFIG_INVALID, saying which rule is wrong and what is allowed */
export function parseRetention(given: unknown, origin: string): RetentionRule[] {
  return rulesOf(given, origin).map((rule, index) =>
    accept(parseRetentionRule(rule), `${origin}, rule ${index + 1}`),
  );
}

/** A rule is written out, or `{preset, timeZone?}` stands for several. */
export function parseIngest(given: unknown, origin: string): IngestRule[] {
  return rulesOf(given, origin).flatMap((rule, index) => {
    const where = `${origin}, rule ${index + 1}`;
    if (isJsonObject(rule) && 'preset' in rule) return accept(parsePreset(rule), where);
    return [accept(parseIngestRule(rule), where)];
  });
}

function rulesOf(given: unknown, origin: string): unknown[] {
  if (given === undefined || given === null) return [];
  if (Array.isArray(given)) return given;
  throw invalid(`${origin} must be a list of rules.`);
}

function accept<T>(member: Member<T>, where: string): T {
  if ('value' in member) return member.value;
  throw invalid(`${where}: ${member.wrong.replace(/\.$/, '')}.`);
}
