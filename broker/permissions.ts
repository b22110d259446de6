import type { Access } from './access.ts';
import { utf8Text } from './json.ts';
import type { Publication } from './publication.ts';
import { type Refusal, shorten } from './refusals.ts';
import type { ReplyAddress, Request } from './requests.ts';

/** Why a user may not do something (DESIGN §10); a refusal by state. */
export type Forbidden = Omit<Refusal, 'topic'>;

/** The name is that of a key, or of an ordinary topic. Allocates nothing when it is allowed. */
export function forbiddenToWrite(
  access: Access,
  buffer: Uint8Array,
  start: number,
  end: number,
): Forbidden | undefined {
  if (access.mayWriteKey(buffer, start, end)) return undefined;
  return forbidden(access, `write to ${shorten(utf8Text(buffer.subarray(start, end)))}`);
}

/** Why what a PUBLISH to one of our topics asks for is not allowed; undefined: it is. */
export function forbiddenIn(
  access: Access,
  publication: Exclude<Publication, { kind: 'refused' }>,
  buffer: Uint8Array,
): Forbidden | undefined {
  switch (publication.kind) {
    case 'write':
      return forbiddenToWrite(access, buffer, publication.keyStart, publication.keyEnd);
    case 'batch': {
      const { answer } = publication;
      if (answer !== undefined && !mayAnswerAt(access, answer.address)) {
        return forbiddenAnswer(access, answer.address);
      }
      for (const { key } of publication.writes) {
        const why = forbiddenToWrite(access, key, 0, key.length);
        if (why !== undefined) return { ...why, message: `${why.message}; nothing was stored` };
      }
      return undefined;
    }
    case 'request':
      return forbiddenRequest(access, publication.request);
  }
}

export function forbiddenToRead(access: Access, what: string): Forbidden {
  return forbidden(access, `read ${shorten(what)}`);
}

/** Whether an answer may go where the request wants it. */
export function mayAnswer(access: Access, { address }: Request): boolean {
  return mayAnswerAt(access, address);
}

function mayAnswerAt(access: Access, { topic }: ReplyAddress): boolean {
  return topic === undefined || access.mayWrite(topic);
}

function forbiddenAnswer(access: Access, { topic }: ReplyAddress): Forbidden {
  return forbidden(access, `write to ${shorten(topic ?? '')}, where the answer was to go`);
}

function forbiddenRequest(access: Access, request: Request): Forbidden | undefined {
  const { id } = request.address;
  const why = mayAnswer(access, request)
    ? forbiddenAct(access, request)
    : forbiddenAnswer(access, request.address);
  return why === undefined || id === undefined ? why : { ...why, id };
}

function forbiddenAct(access: Access, request: Request): Forbidden | undefined {
  switch (request.op) {
    case 'get':
      return forbiddenKey(access, request.key);
    case 'history':
      return forbiddenKey(access, request.query.key);
    case 'cas':
      // Its answer tells whether there is a value, and since when.
      return (
        forbiddenToWrite(access, request.key, 0, request.key.length) ??
        forbiddenKey(access, request.key)
      );
    case 'list':
    case 'range': {
      const prefix = utf8Text(request.query.prefix);
      if (access.mayReadBelow(prefix)) return undefined;
      return forbiddenToRead(access, prefix === '' ? 'all keys' : `all keys below ${prefix}`);
    }
  }
}

function forbiddenKey(access: Access, key: Uint8Array): Forbidden | undefined {
  if (access.mayReadKey(key, 0, key.length)) return undefined;
  return forbiddenToRead(access, utf8Text(key));
}

function forbidden({ user }: Access, what: string): Forbidden {
  return { code: 'NOT_ALLOWED', message: `the user ${JSON.stringify(user)} may not ${what}` };
}
