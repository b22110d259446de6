import { isWellFormed } from '../json.ts';
import type { Member } from '../request-members.ts';

/** A key with holes: literal text, and what is filled in for each message. */
export interface KeyTemplate {
  readonly parts: readonly KeyPart[];
  /** Whether some part is a wildcard's level. */
  readonly usesCaptures: boolean;
  /** The key is the topic as it stands. */
  readonly isTopic: boolean;
}

type KeyPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'topic' }
  | { readonly kind: 'capture'; readonly index: number }
  | { readonly kind: 'field' };

export interface KeyHoles {
  readonly topic: string;
  /** What the filter's wildcards stand for. */
  readonly captures: readonly string[];
  /** Names of nested members, joined with slashes. */
  readonly field: string;
}

const PART = /\$([a-zA-Z]+|\d+|\$|)|[^$]+/g;
const ALLOWED = '$topic, $1 to $9 for the levels of the wildcards, $field and $$ for a dollar';

/** What a key template may use. */
interface Holes {
  readonly wildcardCount: number;
  /** The rule stores one key per field. */
  readonly each: boolean;
}

export function parseKeyTemplate(template: string, holes: Holes): Member<KeyTemplate> {
  if (/[+#\0]/.test(template) || !isWellFormed(template)) {
    return { wrong: 'the key must be Unicode text without "+", "#" and U+0000' };
  }
  const parts: KeyPart[] = [];
  for (const [whole, hole] of template.matchAll(PART)) {
    const part = hole === undefined ? { value: textPart(whole) } : partOf(whole, hole, holes);
    if ('wrong' in part) return part;
    parts.push(part.value);
  }
  const usesField = parts.some(({ kind }) => kind === 'field');
  if (holes.each && !usesField) {
    return { wrong: 'the key must have $field: with "each" every field has a key of its own' };
  }
  const isTopic = parts.length === 1 && parts[0]?.kind === 'topic';
  const usesCaptures = parts.some(({ kind }) => kind === 'capture');
  return { value: { parts, usesCaptures, isTopic } };
}

export function renderKey(template: KeyTemplate, holes: KeyHoles): string {
  if (template.isTopic) return holes.topic;
  let key = '';
  for (const part of template.parts) {
    if (part.kind === 'text') key += part.text;
    else if (part.kind === 'topic') key += holes.topic;
    else if (part.kind === 'field') key += holes.field;
    else key += holes.captures[part.index] ?? '';
  }
  return key;
}

function partOf(whole: string, hole: string, { wildcardCount, each }: Holes): Member<KeyPart> {
  if (hole === '$') return { value: textPart('$') };
  if (hole === 'topic') return { value: { kind: 'topic' } };
  if (hole === 'field') {
    if (each) return { value: { kind: 'field' } };
    return { wrong: '$field in the key needs the value "each": only then there are fields' };
  }
  if (!/^[1-9]$/.test(hole)) return { wrong: `the key has ${whole}; allowed are ${ALLOWED}` };
  if (Number(hole) <= wildcardCount) return { value: { kind: 'capture', index: Number(hole) - 1 } };
  const found = wildcardCount === 1 ? '1 wildcard' : `${wildcardCount} wildcards`;
  return { wrong: `the key has ${whole}, but the filter has ${found}` };
}

function textPart(text: string): KeyPart {
  return { kind: 'text', text };
}
