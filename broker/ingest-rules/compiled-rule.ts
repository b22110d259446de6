import { isWellFormed } from '../json.ts';
import { isSharedFilter } from '../ordinary/message.ts';
import type { Member } from '../request-members.ts';
import { isTopicFilter, LEVELS_MAX } from '../topics.ts';
import { TIME_UNITS, type TimeSource, type TimeUnit } from './event-time.ts';
import { type JsonPath, parseJsonPath } from './json-path.ts';
import { type KeyTemplate, parseKeyTemplate } from './key-template.ts';
import type { IngestRule } from './rule.ts';
import { TimeZone } from './time-zone.ts';
import { TopicFilter } from './topic-filter.ts';

/** A rule as it is carried out: everything read and checked once. */
export interface CompiledRule {
  readonly name: string;
  readonly filter: TopicFilter;
  readonly except: readonly TopicFilter[];
  readonly key: KeyTemplate;
  readonly value: ValueSource;
  /** undefined: messages carry no time. */
  readonly time: TimeSource | undefined;
}

export type ValueSource =
  | { readonly kind: 'whole' }
  | { readonly kind: 'path'; readonly path: JsonPath }
  /** One key per scalar field of the object at the path. */
  | { readonly kind: 'each'; readonly path: JsonPath };

const NAME_CHARACTERS_MAX = 128;
const TEXT_BYTES_MAX = 1_024;
const EXCEPT_MAX = 100;
const EACH = /^each(?:$| +(?=\S))/;

/** Checks a rule, too: what is wrong is a sentence that says what is allowed. */
export function compileRule(rule: IngestRule): Member<CompiledRule> {
  const wrong = sizesWrong(rule) ?? filtersWrong(rule) ?? nameWrong(rule.name);
  if (wrong !== undefined) return { wrong };
  const filter = new TopicFilter(rule.filter);
  const value = valueSource(rule.value);
  if ('wrong' in value) return value;
  const each = value.value.kind === 'each';
  const template = rule.key === '' ? defaultKey(each) : rule.key;
  const key = parseKeyTemplate(template, { wildcardCount: filter.wildcardCount, each });
  if ('wrong' in key) return key;
  const time = timeSource(rule);
  if ('wrong' in time) return time;
  return {
    value: {
      name: rule.name,
      filter,
      except: rule.except.map((text) => new TopicFilter(text)),
      key: key.value,
      value: value.value,
      time: time.value,
    },
  };
}

function defaultKey(each: boolean): string {
  return each ? '$topic/$field' : '$topic';
}

function nameWrong(name: string): string | undefined {
  if (
    name !== '' &&
    name.length <= NAME_CHARACTERS_MAX &&
    !/\p{Cc}/u.test(name) &&
    isWellFormed(name)
  ) {
    return undefined;
  }
  return `the name must have 1 to ${NAME_CHARACTERS_MAX} characters, none of them a control character`;
}

function sizesWrong({ filter, except, key, value, time }: IngestRule): string | undefined {
  if (except.length > EXCEPT_MAX) return `"except" can have at most ${EXCEPT_MAX} filters`;
  const texts = { filter, key, value, time };
  const long = Object.entries(texts).find(([, text]) => Buffer.byteLength(text) > TEXT_BYTES_MAX);
  if (long !== undefined) return `"${long[0]}" can have at most ${TEXT_BYTES_MAX} bytes`;
  const longExcept = except.some((text) => Buffer.byteLength(text) > TEXT_BYTES_MAX);
  return longExcept ? `a filter of "except" can have at most ${TEXT_BYTES_MAX} bytes` : undefined;
}

function filtersWrong({ filter, except }: IngestRule): string | undefined {
  if (filter.startsWith('dss/')) {
    return `the filter ${JSON.stringify(filter)} begins with dss/: what is published there is stored, or not, without a rule`;
  }
  if (isSharedFilter(filter)) {
    return `the filter ${JSON.stringify(filter)} begins with $share/, which is for subscriptions only`;
  }
  const wrong = [filter, ...except].find((text) => !isFilter(text));
  if (wrong === undefined) return undefined;
  const where = wrong === filter ? 'the filter' : 'in "except"';
  return `${where} ${JSON.stringify(wrong)} is not an MQTT filter such as tele/+/SENSOR or zigbee2mqtt/#`;
}

function isFilter(text: string): boolean {
  return isTopicFilter(text) && text.split('/').length <= LEVELS_MAX && isWellFormed(text);
}

function valueSource(text: string): Member<ValueSource> {
  if (text === '') return { value: { kind: 'whole' } };
  const each = EACH.exec(text);
  const pathText = each === null ? text : text.slice(each[0].length) || '$';
  const path = parseJsonPath(pathText);
  if ('wrong' in path) {
    return {
      wrong: `the value: ${path.wrong}; nothing means the whole payload, "each" all its fields`,
    };
  }
  return { value: { kind: each === null ? 'path' : 'each', path: path.value } };
}

function timeSource({ time, timeUnit, timeZone }: IngestRule): Member<TimeSource | undefined> {
  if (time === '') {
    if (timeUnit === '' && timeZone === '') return { value: undefined };
    return { wrong: 'the time has a unit or a zone, but no path' };
  }
  const path = parseJsonPath(time);
  if ('wrong' in path) return { wrong: `the time: ${path.wrong}` };
  const unit = timeUnit === '' ? 'ms' : timeUnit;
  if (!Object.hasOwn(TIME_UNITS, unit)) {
    return {
      wrong: `the time's unit ${JSON.stringify(unit)} must be ${Object.keys(TIME_UNITS).join(', ')}`,
    };
  }
  const zone = timeZone === '' ? undefined : TimeZone.named(timeZone);
  if (timeZone !== '' && zone === undefined) {
    return {
      wrong: `the time's zone ${JSON.stringify(timeZone)} must be a name of the time zone database, such as "Europe/Berlin" or "UTC"`,
    };
  }
  return { value: { path: path.value, unit: unit as TimeUnit, zone } };
}
