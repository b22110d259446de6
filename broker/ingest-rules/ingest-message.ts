import assert from 'node:assert/strict';
import type { BatchWrite } from '../batch.ts';
import { isWellFormed, utf8Bytes } from '../json.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { readEventTime } from './event-time.ts';
import { fieldsOf, isOverflow, isRounded, valueText } from './fields.ts';
import { type JsonPath, pathBelow, valueAt } from './json-path.ts';
import { renderKey } from './key-template.ts';
import { parseMessageJson } from './message-json.ts';
import { type Problem, quoted } from './problem.ts';

/** An ordinary PUBLISH. Its QoS and retain flag make no difference to what is stored. */
export interface IngestMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly receivedAtMs: number;
}

/** What a rule makes of one message. */
export type Evaluation =
  | {
      readonly kind: 'writes';
      /** At least one. An empty value deletes. A value may be a range of the payload. */
      readonly writes: readonly BatchWrite[];
      /** What could not be done, although something is stored. At most one of each code. */
      readonly notes: readonly Problem[];
    }
  | { readonly kind: 'nothing'; readonly problem: Problem };

export interface IngestLimits {
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
  /** Of one message with `each`. */
  readonly fieldsMax: number;
  /** How deep JSON may be nested where it has to be read. */
  readonly depthMax: number;
}

export const DEFAULT_INGEST_LIMITS: IngestLimits = {
  keyBytesMax: DEFAULT_LIMITS.keyBytesMax,
  valueBytesMax: DEFAULT_LIMITS.valueBytesMax,
  fieldsMax: 1_000,
  depthMax: 32,
};

/**
 * Carries out a rule on a message that it matches. Never throws, whatever the payload is. Every case is in the
 * table of docs/INGEST.md.
 */
export function evaluate(
  rule: CompiledRule,
  message: IngestMessage,
  limits: IngestLimits = DEFAULT_INGEST_LIMITS,
): Evaluation {
  const { payload } = message;
  if (payload.length > limits.valueBytesMax) {
    return nothing('too-large', sizeSentence('payload', payload.length, limits.valueBytesMax));
  }
  const draft = new Draft(rule, message, limits);
  const { value } = rule;
  if (value.kind === 'whole') return wholePayload(draft);
  // Whoever clears a retained message does not say that the fields it had are gone.
  if (payload.length === 0) return nothing('empty', 'the payload is empty');
  const parsed = parseMessageJson(payload, limits.depthMax);
  if ('problem' in parsed) return { kind: 'nothing', problem: parsed.problem };
  draft.readTime(parsed.json);
  const found = valueAt(parsed.json, value.path);
  // null says "not known now", so the last known value stays.
  if (found === undefined || found === null) {
    const what = found === null ? 'null' : 'nothing';
    return nothing('missing-path', `there is ${what} at the path of the rule`);
  }
  return value.kind === 'path' ? onePath(draft, found) : eachField(draft, found, value.path);
}

function wholePayload(draft: Draft): Evaluation {
  const { message, rule, limits } = draft;
  // An empty payload deletes, as it clears a retained message (DESIGN §3). It has no time to bring.
  if (rule.time !== undefined && message.payload.length > 0) {
    const parsed = parseMessageJson(message.payload, limits.depthMax);
    if ('json' in parsed) draft.readTime(parsed.json);
    else draft.note('no-time', parsed.problem.message);
  }
  draft.write('', message.payload);
  return draft.finish();
}

function onePath(draft: Draft, found: unknown): Evaluation {
  draft.writeJson('', found);
  return draft.finish();
}

function eachField(draft: Draft, found: unknown, path: JsonPath): Evaluation {
  const { rule, limits } = draft;
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    return nothing('not-an-object', `there is ${quoted(found)} where an object is needed`);
  }
  // The time is stored as the time of the others.
  const timeField = rule.time === undefined ? undefined : pathBelow(path, rule.time.path);
  const fields = fieldsOf(found, timeField, limits.fieldsMax);
  if (fields === undefined) {
    return nothing('too-many-fields', `the message has more than ${limits.fieldsMax} fields`);
  }
  if (fields.length === 0) return nothing('no-fields', 'the message has no field with a value');
  for (const field of fields) draft.writeJson(field.path, field.value);
  return draft.finish();
}

/** The writes of one message as they come together. */
class Draft {
  readonly rule: CompiledRule;
  readonly message: IngestMessage;
  readonly limits: IngestLimits;
  readonly #captures: readonly string[];
  readonly #writes: BatchWrite[] = [];
  readonly #notes: Problem[] = [];
  /** In version units; 0: the time of arrival counts. */
  #time = 0;

  constructor(rule: CompiledRule, message: IngestMessage, limits: IngestLimits) {
    this.rule = rule;
    this.message = message;
    this.limits = limits;
    this.#captures = rule.key.usesCaptures ? rule.filter.captures(message.topic) : [];
  }

  readTime(json: unknown): void {
    if (this.rule.time === undefined) return;
    const { time, problem } = readEventTime(json, this.rule.time, this.message.receivedAtMs);
    this.#time = time;
    if (problem !== undefined) this.note(problem.code, problem.message);
  }

  writeJson(field: string, value: unknown): void {
    if (isRounded(value)) {
      this.note('rounded', `the number ${valueText(value)} had more digits than can be kept`);
    }
    if (isOverflow(value)) this.note('too-large', `a number of ${quoted(field)} is beyond 1e308`);
    else this.write(field, utf8Bytes(valueText(value)));
  }

  write(field: string, value: Uint8Array): void {
    const { keyBytesMax, valueBytesMax } = this.limits;
    const holes = { topic: this.message.topic, captures: this.#captures, field };
    const text = renderKey(this.rule.key, holes);
    const key = utf8Bytes(text);
    const wrong = keyWrong(text, key.length, keyBytesMax);
    if (wrong !== undefined) this.note('bad-key', `the key ${quoted(text)} ${wrong}`);
    else if (value.length <= valueBytesMax)
      this.#writes.push({ key, value, time: this.#time, ttlMs: 0 });
    else this.note('too-large', sizeSentence('value', value.length, valueBytesMax));
  }

  note(code: Problem['code'], message: string): void {
    if (this.#notes.some((note) => note.code === code)) return;
    this.#notes.push({ code, message });
  }

  finish(): Evaluation {
    if (this.#writes.length > 0)
      return { kind: 'writes', writes: this.#writes, notes: this.#notes };
    // Other notes are about times and digits: they keep nothing from being stored.
    const why = this.#notes.find(({ code }) => code === 'bad-key' || code === 'too-large');
    assert(why !== undefined, 'a write that was not made has left a note');
    return { kind: 'nothing', problem: why };
  }
}

/** Field names come from devices: unlike a topic they can hold anything. Nothing is replaced (DESIGN §3). */
function keyWrong(key: string, keyBytes: number, keyBytesMax: number): string | undefined {
  if (keyBytes === 0) return 'is empty';
  if (keyBytes > keyBytesMax) return `has ${keyBytes} bytes; at most ${keyBytesMax} are allowed`;
  if (/[+#\0]/.test(key)) return 'has a "+", "#" or U+0000';
  return isWellFormed(key) ? undefined : 'has half of a surrogate pair';
}

function sizeSentence(what: string, bytes: number, bytesMax: number): string {
  return `the ${what} has ${bytes} bytes; at most ${bytesMax} are allowed`;
}

function nothing(code: Problem['code'], message: string): Evaluation {
  return { kind: 'nothing', problem: { code, message } };
}
