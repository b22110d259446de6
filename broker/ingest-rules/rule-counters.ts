import { isUtf8 } from 'node:buffer';
import { utf8Text } from '../json.ts';
import { shorten } from '../refusals.ts';
import type { Evaluation, IngestMessage } from './ingest-message.ts';
import type { Problem, ProblemCode } from './problem.ts';

/** What one rule has done on this node since it started, or since the rule was made. */
export interface RuleCounts {
  readonly name: string;
  /** Messages that it matched. */
  readonly messages: number;
  /** Values, and deletes, that were handed to the store. */
  readonly stored: number;
  readonly deleted: number;
  /** Messages with each problem. */
  readonly problems: Readonly<Partial<Record<ProblemCode, number>>>;
  /** The last message with each problem. */
  readonly examples: readonly ProblemExample[];
  readonly lastStored: StoredExample | undefined;
}

export interface ProblemExample {
  readonly problem: ProblemCode;
  readonly message: string;
  readonly topic: string;
  /** Cut after 256 bytes. */
  readonly payload: string;
  /** `base64` for what is not UTF-8. */
  readonly encoding: Encoding;
  /** How long all of it is. */
  readonly payloadBytes: number;
  readonly atMs: number;
}

type Encoding = 'text' | 'base64';

export interface StoredExample {
  readonly topic: string;
  readonly key: string;
  /** As a payload in `ProblemExample`. */
  readonly value: string;
  readonly encoding: Encoding;
  readonly valueBytes: number;
  readonly atMs: number;
}

const SHOWN_BYTES_MAX = 256;

/** The beginning of a payload, copied: the rest of the read buffer is not held. */
interface Excerpt {
  readonly start: Uint8Array;
  readonly bytes: number;
}

interface Counts {
  messages: number;
  stored: number;
  deleted: number;
  readonly problems: Map<ProblemCode, number>;
  readonly examples: Map<ProblemCode, SeenProblem>;
  lastStored: SeenWrite | undefined;
}

interface SeenProblem {
  readonly problem: Problem;
  readonly seen: Seen;
}

interface SeenWrite {
  readonly key: Uint8Array;
  readonly seen: Seen;
}

interface Seen {
  readonly topic: string;
  readonly atMs: number;
  readonly excerpt: Excerpt;
}

/** Counts by the rule's name, so a rule that is changed goes on counting. Bounded by rules and problem codes. */
export class RuleCounters {
  readonly #byName = new Map<string, Counts>();

  record(ruleName: string, message: IngestMessage, evaluation: Evaluation): void {
    const counts = this.#countsOf(ruleName);
    counts.messages += 1;
    if (evaluation.kind === 'nothing') {
      countProblem(counts, evaluation.problem, message);
      return;
    }
    for (const { value } of evaluation.writes) {
      if (value.length === 0) counts.deleted += 1;
      else counts.stored += 1;
    }
    const last = evaluation.writes.findLast(({ value }) => value.length > 0);
    if (last !== undefined) counts.lastStored = { key: last.key, seen: seen(message, last.value) };
    for (const note of evaluation.notes) countProblem(counts, note, message);
  }

  /** Forgets rules that are no longer there. */
  keepOnly(ruleNames: Iterable<string>): void {
    const kept = new Set(ruleNames);
    for (const name of this.#byName.keys()) if (!kept.has(name)) this.#byName.delete(name);
  }

  /** Zero for a rule that no message has met. */
  of(ruleName: string): RuleCounts {
    const counts = this.#byName.get(ruleName) ?? zeroCounts();
    const { messages, stored, deleted, problems, examples, lastStored } = counts;
    return {
      name: ruleName,
      messages,
      stored,
      deleted,
      problems: Object.fromEntries(problems),
      examples: [...examples.values()].map(problemExample),
      lastStored: lastStored && storedExample(lastStored),
    };
  }

  #countsOf(ruleName: string): Counts {
    const known = this.#byName.get(ruleName);
    if (known !== undefined) return known;
    const counts = zeroCounts();
    this.#byName.set(ruleName, counts);
    return counts;
  }
}

function zeroCounts(): Counts {
  return {
    messages: 0,
    stored: 0,
    deleted: 0,
    problems: new Map(),
    examples: new Map(),
    lastStored: undefined,
  };
}

function countProblem(counts: Counts, problem: Problem, message: IngestMessage): void {
  counts.problems.set(problem.code, (counts.problems.get(problem.code) ?? 0) + 1);
  counts.examples.set(problem.code, { problem, seen: seen(message, message.payload) });
}

function seen({ topic, receivedAtMs }: IngestMessage, bytes: Uint8Array): Seen {
  const start = Uint8Array.prototype.slice.call(bytes, 0, SHOWN_BYTES_MAX);
  return { topic: shorten(topic), atMs: receivedAtMs, excerpt: { start, bytes: bytes.length } };
}

function problemExample({ problem, seen: { topic, atMs, excerpt } }: SeenProblem): ProblemExample {
  const { text, encoding } = excerptText(excerpt);
  return {
    problem: problem.code,
    message: problem.message,
    topic,
    payload: text,
    encoding,
    payloadBytes: excerpt.bytes,
    atMs,
  };
}

function storedExample({ key, seen: { topic, atMs, excerpt } }: SeenWrite): StoredExample {
  const { text, encoding } = excerptText(excerpt);
  return {
    topic,
    key: utf8Text(key),
    value: text,
    encoding,
    valueBytes: excerpt.bytes,
    atMs,
  };
}

function excerptText({ start, bytes }: Excerpt): { text: string; encoding: Encoding } {
  const whole = bytes > start.length ? withoutCutCharacter(start) : start;
  if (isUtf8(whole)) return { text: utf8Text(whole), encoding: 'text' };
  return { text: Buffer.from(start).toString('base64'), encoding: 'base64' };
}

/** A character of UTF-8 has up to four bytes, so at most three are left of one that was cut. */
function withoutCutCharacter(bytes: Uint8Array): Uint8Array {
  for (let cut = 0; cut < 4; cut += 1) {
    const whole = bytes.subarray(0, bytes.length - cut);
    if (isUtf8(whole)) return whole;
  }
  return bytes;
}
