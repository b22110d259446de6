/**
 * Why a message, or a part of it, was not stored as its rule says. Codes are stable: they are counted per rule
 * and shown to users. All cases: docs/INGEST.md.
 */
export const PROBLEM_CODES = [
  'empty',
  'not-json',
  'too-deep',
  'missing-path',
  'not-an-object',
  'no-fields',
  'too-many-fields',
  'too-large',
  'bad-key',
  'rounded',
  'no-time',
  'absurd-time',
] as const;

export type ProblemCode = (typeof PROBLEM_CODES)[number];

export interface Problem {
  readonly code: ProblemCode;
  /** A sentence about this message. */
  readonly message: string;
}

const TEXT_CHARACTERS_MAX = 80;

/** A value from a message as it may stand in a sentence: as JSON, shortened. */
export function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value.slice(0, TEXT_CHARACTERS_MAX + 1) : value;
  const json = JSON.stringify(text) ?? 'nothing';
  return json.length <= TEXT_CHARACTERS_MAX ? json : `${json.slice(0, TEXT_CHARACTERS_MAX)}…`;
}
