import { isJsonObject } from '../../broker/json.ts';
import {
  isRuleName,
  RULE_NAMES,
  RULES,
  type RuleSetting,
  type RuleSettings,
} from '../alerts/rules.ts';
import { invalid } from './invalid.ts';

const MEMBERS = ['enabled', 'threshold', 'forSeconds'];
const FOR_SECONDS_MAX = 86_400;

/**
 * `alerts.rules`: what a node is told about the rules by which it raises alerts.
 *
 * @throws {NodeError} CONFIG_INVALID, saying which rule is wrong and what is allowed
 */
export function parseAlertRules(given: unknown, origin: string): RuleSettings {
  if (given === undefined || given === null) return {};
  if (!isJsonObject(given)) {
    throw invalid(
      `${origin} must hold rules by their names, such as loop-delay: {threshold: 100}.`,
    );
  }
  return Object.fromEntries(
    Object.entries(given).map(([name, setting]) => [name, parseRule(name, setting, origin)]),
  );
}

function parseRule(name: string, given: unknown, origin: string): RuleSetting {
  if (!isRuleName(name)) {
    throw invalid(`${origin} has the unknown rule ${name}; known are ${RULE_NAMES.join(', ')}.`);
  }
  if (!isJsonObject(given)) {
    throw invalid(`${name} in ${origin} must have settings of its own: ${MEMBERS.join(', ')}.`);
  }
  const stranger = Object.keys(given).find((member) => !MEMBERS.includes(member));
  if (stranger !== undefined) {
    throw invalid(
      `${name} in ${origin} has the unknown setting ${stranger}; known are ${MEMBERS.join(', ')}.`,
    );
  }
  const { enabled, threshold, forSeconds } = given;
  if (enabled !== undefined && typeof enabled !== 'boolean') {
    throw invalid(`enabled of ${name} in ${origin} must be true or false.`);
  }
  if (threshold !== undefined && RULES[name].threshold === null) {
    throw invalid(`${name} in ${origin} has a threshold, but it does or does not hold.`);
  }
  if (threshold !== undefined && !isWithin(threshold, Number.MAX_SAFE_INTEGER)) {
    throw invalid(`threshold of ${name} in ${origin} must be a number above 0.`);
  }
  if (forSeconds !== undefined && forSeconds !== 0 && !isWithin(forSeconds, FOR_SECONDS_MAX)) {
    throw invalid(
      `forSeconds of ${name} in ${origin} must be a number of seconds up to ${FOR_SECONDS_MAX}.`,
    );
  }
  return {
    ...(enabled === undefined ? {} : { enabled }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(forSeconds === undefined ? {} : { forSeconds }),
  };
}

function isWithin(value: unknown, max: number): value is number {
  return typeof value === 'number' && value > 0 && value <= max;
}
