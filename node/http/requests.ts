import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Access, EVERYTHING } from '../../broker/access.ts';
import { utf8Bytes } from '../../broker/json.ts';
import type { BrokerLimits } from '../../broker/limits.ts';
import type { Member } from '../../broker/request-members.ts';
import { isTopicName } from '../../broker/topics.ts';

/** A query as fastify gives it once its schema has seen to it that nothing is given twice. */
export type Query = Readonly<Record<string, string>>;

/** Who asks; on routes that ask nobody that is everybody. */
export function accessOf({ access }: FastifyRequest): Access {
  return access ?? EVERYTHING;
}

/**
 * The key that a path ends with, percent-decoded. Not by the router, which takes some characters for its own and
 * does not say what is malformed.
 */
export function keyInPath(
  url: string,
  path: string,
  { keyBytesMax }: Pick<BrokerLimits, 'keyBytesMax'>,
): Member<Uint8Array> {
  const query = url.indexOf('?');
  const encoded = url.slice(path.length, query === -1 ? undefined : query);
  const text = decoded(encoded);
  if (text === undefined) return { wrong: 'the key is not percent-encoded UTF-8' };
  return keyOf(text, { keyBytesMax });
}

/** A key, or a prefix of whole levels, that is not empty. */
export function keyOf(
  text: string,
  { keyBytesMax }: Pick<BrokerLimits, 'keyBytesMax'>,
): Member<Uint8Array> {
  const key = utf8Bytes(text);
  if (key.length === 0 || key.length > keyBytesMax) {
    return { wrong: `the key has ${key.length} bytes; 1 to ${keyBytesMax} are allowed` };
  }
  if (isTopicName(key, 0, key.length)) return { value: key };
  return { wrong: 'a key is UTF-8 without "+", "#" and U+0000' };
}

/**
 * A query as the JSON of the verb that it stands for, so that one reader knows what is allowed. All is text in a query:
 * what is named in `plain` stays text, numbers and truth values of others become such.
 */
export function payloadOf(query: Query, plain: readonly string[] = []): Uint8Array {
  const given = Object.entries(query);
  if (given.length === 0) return NOTHING;
  const members = Object.fromEntries(
    given.map(([name, text]) => [name, plain.includes(name) ? text : plainValue(text)]),
  );
  return utf8Bytes(JSON.stringify(members));
}

export function plainValue(text: string | undefined): string | number | boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** Bodies of any type come as they are. */
export function takeRawBodies(scope: FastifyInstance, bodyLimit: number): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_, body, done) =>
    done(null, body),
  );
}

/** The bytes of a body that `takeRawBodies` took. */
export function bodyOf({ body }: FastifyRequest): Uint8Array {
  return body instanceof Uint8Array ? body : NOTHING;
}

function decoded(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const NOTHING = new Uint8Array(0);
