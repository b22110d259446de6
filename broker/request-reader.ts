import { type JsonObject, parseJsonObject } from './json.ts';
import type { Beside } from './publish-properties.ts';
import { shorten } from './refusals.ts';
import type { Member } from './request-members.ts';
import type { ParsedRequest, ReplyAddress, Request } from './requests.ts';
import { mayReplyTo, REPLY_TO_ME } from './topics.ts';

const ID_CHARACTERS_MAX = 256;

/** Reads members one by one and remembers the first that is wrong. */
export class Members {
  readonly #object: JsonObject;
  wrong: string | undefined;

  constructor(object: JsonObject) {
    this.#object = object;
  }

  /** The value; a wrong one is never used, as the request is refused. */
  take<T>(read: (object: JsonObject) => Member<T>): T {
    const member = read(this.#object);
    if ('value' in member) return member.value;
    this.wrong ??= member.wrong;
    return undefined as T;
  }
}

/**
 * Reads a request: what all of them may have, and the rest with `read`. A member that is not among the `allowed`
 * ones is refused, so that a typing error does not go unnoticed. Where the answer goes the PUBLISH itself may say.
 */
export function readRequest(
  payload: Uint8Array,
  beside: Beside,
  allowed: readonly string[],
  read: (members: Members, address: ReplyAddress) => Request,
): ParsedRequest {
  const parsed = parseJsonObject(payload);
  if (parsed.kind === 'malformed') {
    return { kind: 'refused', code: 'MALFORMED_JSON', message: parsed.message };
  }
  const { id, reply } = parsed.object;
  const isId = isRequestId(id);
  const invalid = (message: string): ParsedRequest => {
    const known = isId ? { id } : {};
    return { kind: 'refused', code: 'INVALID_REQUEST', message, ...known };
  };
  const unknown = Object.keys(parsed.object).find((name) => !allowed.includes(name));
  if (unknown !== undefined) {
    return invalid(`unknown member "${shorten(unknown)}"; allowed are ${allowed.join(', ')}`);
  }
  if (id !== undefined && !isId) {
    return invalid(`"id" must be a number or a string of at most ${ID_CHARACTERS_MAX} characters`);
  }
  if (reply !== undefined && (typeof reply !== 'string' || !mayReplyTo(reply))) {
    return invalid(
      '"reply" must be a topic without wildcards that begins neither with dss/ nor with $',
    );
  }
  const named = reply === REPLY_TO_ME ? undefined : (reply as string | undefined);
  const { topic } = beside.reply ?? { topic: named };
  const { correlationData } = beside;
  const members = new Members(parsed.object);
  const request = read(members, { id: isId ? id : undefined, topic, correlationData });
  return members.wrong === undefined ? { kind: 'request', request } : invalid(members.wrong);
}

/** JSON can write numbers that no double holds; they would not come back as they were. */
function isRequestId(id: unknown): id is string | number {
  if (typeof id === 'number') return Number.isFinite(id);
  return typeof id === 'string' && id.length <= ID_CHARACTERS_MAX;
}
