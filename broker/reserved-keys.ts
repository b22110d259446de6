import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { matches } from './topics.ts';

/**
 * Keys of the broker's own, for what it keeps in the store beside the values of users. They begin with a byte that is
 * in no UTF-8 text, so no client can name one, and whoever lists or watches without naming one never sees any.
 *
 *     0xFF / t / <owner> / r         the retained message of a topic
 *     0xFF / t / <owner> / s         the record of a session
 *     0xFF / q / <owner> / <id>      a message that is queued for a session
 *
 * The owner is the topic or the client id, hashed, so that any fits: 16 bytes of SHA-256 in hexadecimal. All keys of an
 * owner are in one slot, and so written in one order (node/ring/slots.ts); of their values only the newest is kept.
 *
 * In text, as in a filter, U+0000 stands for the first byte: no key or filter of a client holds one.
 */
export const RESERVED_BYTE = 0xff;
const RESERVED_TEXT = '\0';
const ID_BYTES_MAX = 512;

/** What `DataPlane.watch` takes for all retained messages and session records. */
export const TABLES_FILTER = `${RESERVED_TEXT}/t/#`;

export type TableName = 'retained' | 'session';
const TABLE_LETTER = { retained: 'r', session: 's' } as const;

export function isReserved(bytes: Uint8Array, start = 0): boolean {
  return bytes[start] === RESERVED_BYTE;
}

/** Whom a key belongs to: a topic or a client. */
export function ownerOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}

export function tableKey(table: TableName, owner: string): string {
  return `${RESERVED_TEXT}/t/${owner}/${TABLE_LETTER[table]}`;
}

/** What a key of a table speaks of; undefined: of something that this version does not know. */
export function parseTableKey(text: string): { table: TableName; owner: string } | undefined {
  const [, , owner, letter] = text.split('/');
  const table = letter === 'r' ? 'retained' : letter === 's' ? 'session' : undefined;
  return owner === undefined || table === undefined ? undefined : { table, owner };
}

/** What everything that is queued for a session lies below. */
export function queuePrefix(owner: string): string {
  return `${RESERVED_TEXT}/q/${owner}`;
}

export function queueKey(owner: string, id: string): string {
  assert(id !== '' && !id.includes('\0') && id.length <= ID_BYTES_MAX, 'ids are short texts');
  return `${queuePrefix(owner)}/${id}`;
}

/** Different keys have different texts, whoever they belong to. */
export function keyText(key: Uint8Array): string {
  return isReserved(key) ? RESERVED_TEXT + decoder.decode(key.subarray(1)) : decoder.decode(key);
}

/** Of a key or of whole levels of one. */
export function keyBytes(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  if (isReservedText(text)) bytes[0] = RESERVED_BYTE;
  return bytes;
}

export function isReservedText(text: string): boolean {
  return text.startsWith(RESERVED_TEXT);
}

/** Whether a watch on this filter is told of this key, both as text. No wildcard reaches a reserved key by chance. */
export function reaches(filter: string, key: string): boolean {
  return isReservedText(filter) === isReservedText(key) && matches(filter, key);
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();
