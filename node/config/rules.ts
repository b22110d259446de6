import { presetRules } from '../../broker/ingest-rules/presets.ts';
import { type IngestRule, parseIngestRule } from '../../broker/ingest-rules/rule.ts';
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
    if (typeof rule !== 'object' || rule === null || !('preset' in rule)) {
      return [accept(parseIngestRule(rule), where)];
    }
    const { preset, timeZone, ...rest } = rule as Readonly<Record<string, unknown>>;
    const [stranger] = Object.keys(rest);
    if (stranger !== undefined) {
      throw invalid(`${where}: a preset has no "${stranger}", only a timeZone.`);
    }
    if (timeZone !== undefined && typeof timeZone !== 'string') {
      throw invalid(`${where}: "timeZone" must be a name such as Europe/Berlin.`);
    }
    return accept(presetRules(String(preset), { timeZone }), where);
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
