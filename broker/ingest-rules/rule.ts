import type { kv } from '../../protos/index.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import type { Member } from '../request-members.ts';
import { compileRule } from './compiled-rule.ts';

/** Which ordinary topics are stored, and how (DESIGN §7): what users write, and `kv.IngestRule` holds. */
export interface IngestRule {
  /** Unique; a rule under a known name replaces that rule. */
  readonly name: string;
  readonly filter: string;
  /** Filters of topics that are left to later rules. */
  readonly except: readonly string[];
  /** Template of the key; empty: `$topic`, with `each` `$topic/$field`. */
  readonly key: string;
  /** Empty: the whole payload; a path into it as JSON; `each` or `each <path>`: one key per scalar field. */
  readonly value: string;
  /** Path of the event time in the payload; empty: none, the time of arrival counts. */
  readonly time: string;
  /** Of a time that is a number: `s`, `ms`, `us` or `ns`. Empty: `ms`. */
  readonly timeUnit: string;
  /** IANA name, of a time that is text without a zone. Empty: such a text is no time. */
  readonly timeZone: string;
}

const MEMBERS = ['name', 'filter', 'except', 'key', 'value', 'time', 'timeUnit', 'timeZone'];
const TIME_MEMBERS = ['path', 'unit', 'zone'];

/**
 * Reads a rule from JSON or YAML: `{name?, filter, except?, key?, value?, time?}`. `except` is a filter or a list
 * of filters; `time` is a path or `{path, unit?, zone?}`; `timeUnit` and `timeZone` may stand beside it instead, so
 * that a rule can be sent back as it was shown. The name is the filter when there is none.
 */
export function parseIngestRule(input: unknown): Member<IngestRule> {
  if (!isJsonObject(input)) {
    return { wrong: 'an ingest rule must be an object such as {"filter":"tele/+/SENSOR"}' };
  }
  const unknown = Object.keys(input).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) {
    return { wrong: `unknown member "${unknown}"; an ingest rule has ${MEMBERS.join(', ')}` };
  }
  const shaped = shape(input);
  if ('wrong' in shaped) return shaped;
  const compiled = compileRule(shaped.value);
  return 'wrong' in compiled ? compiled : shaped;
}

/** Rules were checked when they were made: what is stored is taken as it is. */
export function ingestRuleFromProto(message: kv.IngestRule.$Properties): IngestRule {
  return {
    name: message.name ?? '',
    filter: message.filter ?? '',
    except: message.except ?? [],
    key: message.key ?? '',
    value: message.value ?? '',
    time: message.time ?? '',
    timeUnit: message.timeUnit ?? '',
    timeZone: message.timeZone ?? '',
  };
}

export function ingestRuleToProto(rule: IngestRule): kv.IngestRule.$Properties {
  return { ...rule, except: [...rule.except] };
}

/** The members' types, and what is left out. What they say is for `compileRule`. */
function shape(input: JsonObject): Member<IngestRule> {
  const filter = textMember(input, 'filter', undefined);
  if ('wrong' in filter) return filter;
  const name = textMember(input, 'name', filter.value);
  if ('wrong' in name) return name;
  const except = exceptMember(input.except);
  if ('wrong' in except) return except;
  const key = textMember(input, 'key', '');
  if ('wrong' in key) return key;
  const value = textMember(input, 'value', '');
  if ('wrong' in value) return value;
  const time = timeMembers(input);
  if ('wrong' in time) return time;
  return {
    value: {
      name: name.value === '' ? filter.value : name.value,
      filter: filter.value,
      except: except.value,
      key: key.value,
      value: value.value,
      ...time.value,
    },
  };
}

function exceptMember(given: unknown): Member<readonly string[]> {
  if (given === undefined || given === null) return { value: [] };
  if (typeof given === 'string') return { value: [given] };
  if (Array.isArray(given) && given.every((filter) => typeof filter === 'string')) {
    return { value: given };
  }
  return { wrong: '"except" must be a filter or a list of filters, as text' };
}

function timeMembers(
  input: JsonObject,
): Member<Pick<IngestRule, 'time' | 'timeUnit' | 'timeZone'>> {
  const nested = isJsonObject(input.time) ? input.time : undefined;
  const unknown = Object.keys(nested ?? {}).find((name) => !TIME_MEMBERS.includes(name));
  if (unknown !== undefined) {
    return { wrong: `unknown member "${unknown}" of "time"; allowed are path, unit and zone` };
  }
  if (nested !== undefined && (input.timeUnit ?? input.timeZone) !== undefined) {
    return { wrong: '"time" is an object: unit and zone belong into it' };
  }
  const time = nested === undefined ? textMember(input, 'time', '') : textMember(nested, 'path');
  if ('wrong' in time) return time;
  const unit = nested ? textMember(nested, 'unit', '') : textMember(input, 'timeUnit', '');
  if ('wrong' in unit) return unit;
  const zone = nested ? textMember(nested, 'zone', '') : textMember(input, 'timeZone', '');
  if ('wrong' in zone) return zone;
  const timeUnit = time.value === '' || unit.value !== '' ? unit.value : 'ms';
  return { value: { time: time.value, timeUnit, timeZone: zone.value } };
}

/** Without `otherwise` the member must be there. */
function textMember(object: JsonObject, name: string, otherwise?: string): Member<string> {
  const given = object[name] ?? otherwise;
  if (typeof given === 'string') return { value: given };
  return { wrong: `"${name}" must be text` };
}
