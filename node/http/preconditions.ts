import type { IncomingHttpHeaders } from 'node:http';
import type { Member } from '../../broker/request-members.ts';

/** The entity tag of a value is its version. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * What a write wants the current value to be (RFC 9110 §13.1): a version, null for none, undefined for anything. Only
 * what the cluster can decide in one place, in the order of all writes, is taken.
 */
export function expectedVersion(headers: IncomingHttpHeaders): Member<number | null | undefined> {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (noneMatch === undefined) {
    if (match === undefined) return { value: undefined };
    const version = Number(/^"(\d{1,16})"$/.exec(match)?.[1]);
    if (Number.isSafeInteger(version) && version > 0) return { value: version };
    return { wrong: 'If-Match must be one version as ETag gives it, such as "823456789012345"' };
  }
  if (match === undefined && noneMatch === '*') return { value: null };
  return { wrong: 'a write takes If-Match: "<version>" or If-None-Match: *, not both' };
}

/** Whether the client has this version already: `If-None-Match` of a GET, which compares weakly. */
export function isKnown({ 'if-none-match': known }: IncomingHttpHeaders, version: number): boolean {
  if (known === undefined) return false;
  if (known.trim() === '*') return true;
  const tags = known.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etagOf(version));
}
