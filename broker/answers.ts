import { type CasRequest, type ClientIdentity, compareAndSet } from './cas.ts';
import type { BrokerContext } from './context.ts';
import type { DataPlane, ListOutcome, StoredValue, WriteFailure } from './data-plane.ts';
import { utf8Text } from './json.ts';
import type { WriteAnswer } from './publication.ts';
import type { Request } from './requests.ts';
import { describeExpiry, describeHistoric, describeStored } from './value-json.ts';

/** A page ends early when its JSON would grow beyond this: clients have packet limits, too. */
const PAGE_BYTES_MAX = 1024 * 1024;

export type AnswerErrorCode =
  | 'NOT_FOUND'
  | 'UNAVAILABLE'
  | 'VERSION_MISMATCH'
  | 'STORAGE_FULL'
  | 'NOT_ALLOWED';

export interface Answer {
  /** JSON. */
  readonly reply: object;
  /** The request was to write and did not, or may not have: it must not be acknowledged. */
  readonly failure?: WriteFailure;
}

/**
 * Carries a request out, and counts it. Never rejects: a data plane that fails is reported, and answered as one that
 * is not able to.
 */
export async function answer(
  context: Pick<BrokerContext, 'dataPlane' | 'counters' | 'answerCounts' | 'env'>,
  client: ClientIdentity,
  request: Request,
): Promise<Answer> {
  context.counters.requests += 1;
  const given = await answerAnyhow(context, client, request);
  const { error = 'ok' } = given.reply as { readonly error?: AnswerErrorCode };
  context.answerCounts.add(request.op, error);
  return given;
}

async function answerAnyhow(
  { dataPlane, env }: Pick<BrokerContext, 'dataPlane' | 'env'>,
  client: ClientIdentity,
  request: Request,
): Promise<Answer> {
  try {
    return await carryOut(dataPlane, client, request);
  } catch (error) {
    env.events.emit({
      level: 'error',
      name: 'request-failed',
      message: `a ${request.op} failed: ${String(error)}`,
    });
    return unavailable(request);
  }
}

/** Rejects only if the data plane does. */
export async function carryOut(
  dataPlane: DataPlane,
  client: ClientIdentity,
  request: Request,
): Promise<Answer> {
  switch (request.op) {
    case 'get':
      return { reply: await answerGet(dataPlane, request) };
    case 'cas':
      return answerCas(dataPlane, client, request);
    case 'list':
    case 'range':
      return { reply: await answerList(dataPlane, request) };
    case 'history':
      return { reply: await answerHistory(dataPlane, request) };
  }
}

/** The answer when the data plane is not able to give one. What became of a write is not known then. */
function unavailable(request: Request): Answer {
  if (request.op === 'cas') return casFailed(request, 'no-quorum');
  return { reply: failed(request, 'UNAVAILABLE') };
}

/** To whoever has written with a Response Topic. `version` is the highest; 0: an empty batch has none. */
export function writeAnswered(answer: WriteAnswer, version: number): object {
  return { ...openingOfWrite(answer), ok: true, ...(version === 0 ? {} : { version }) };
}

export function writeFailed(answer: WriteAnswer, failure: WriteFailure): object {
  const error = failure === 'storage-full' ? 'STORAGE_FULL' : 'UNAVAILABLE';
  return { ...openingOfWrite(answer), ok: false, error };
}

function openingOfWrite({ op, name }: WriteAnswer): object {
  return op === 'batch' ? { op, prefix: name } : { op, key: name };
}

/** The answer to what the user may not ask, or may not write. */
export function notAllowed(request: Request): object {
  return failed(request, 'NOT_ALLOWED');
}

async function answerGet(
  dataPlane: DataPlane,
  request: Extract<Request, { op: 'get' }>,
): Promise<object> {
  const outcome = await dataPlane.get(request.key, request.options);
  if (outcome.kind === 'unavailable') return failed(request, 'UNAVAILABLE');
  if (outcome.kind === 'not-found') return failed(request, 'NOT_FOUND');
  return { ...opening(request), ok: true, ...describeStored(outcome) };
}

async function answerCas(
  dataPlane: DataPlane,
  client: ClientIdentity,
  request: CasRequest,
): Promise<Answer> {
  const outcome = await compareAndSet(dataPlane, client, request);
  switch (outcome.kind) {
    case 'won': {
      const { version, expiresAt } = outcome;
      return { reply: { ...opening(request), ok: true, version, ...describeExpiry(expiresAt) } };
    }
    case 'lost':
      return { reply: { ...failed(request, 'VERSION_MISMATCH'), version: outcome.version } };
    case 'failed':
      return casFailed(request, outcome.failure);
  }
}

/** The reply is for those who are not told by a missing acknowledgement. */
function casFailed(request: CasRequest, failure: WriteFailure): Answer {
  const error = failure === 'storage-full' ? 'STORAGE_FULL' : 'UNAVAILABLE';
  return { reply: failed(request, error), failure };
}

async function answerList(
  dataPlane: DataPlane,
  request: Extract<Request, { op: 'list' | 'range' }>,
): Promise<object> {
  const { query } = request;
  const outcome = await dataPlane.list(query);
  if (outcome.kind === 'unavailable') return failed(request, 'UNAVAILABLE');
  const { items, more, next } = pageOf(outcome);
  const keys = items.map(({ key }) => utf8Text(key));
  const content = query.values
    ? {
        items: items.map((item, i) => ({ key: keys[i], ...describeStored(item) })),
      }
    : { keys };
  return { ...opening(request), ok: true, ...content, more, next };
}

/** As much of a page as an answer may hold, and the `after` of the next one. */
export function pageOf(page: Extract<ListOutcome, { kind: 'page' }>) {
  const items = firstThatFit(page.items);
  const more = page.more || items.length < page.items.length;
  const last = items.at(-1);
  return { items, more, next: more && last !== undefined ? utf8Text(last.key) : null };
}

async function answerHistory(
  dataPlane: DataPlane,
  request: Extract<Request, { op: 'history' }>,
): Promise<object> {
  const outcome = await dataPlane.history(request.query);
  if (outcome.kind === 'unavailable') return failed(request, 'UNAVAILABLE');
  const items = firstThatFit(outcome.items);
  const more = outcome.more || items.length < outcome.items.length;
  const last = items.at(-1);
  return {
    ...opening(request),
    ok: true,
    items: items.map(describeHistoric),
    more,
    next: more && last !== undefined ? String(last.time) : null,
  };
}

/** At least one. */
function firstThatFit<Item extends StoredValue>(items: readonly Item[]): readonly Item[] {
  let bytes = 0;
  const end = items.findIndex(
    ({ key, value }) => (bytes += key.length + value.length) > PAGE_BYTES_MAX,
  );
  return end < 0 ? items : items.slice(0, Math.max(1, end));
}

function failed(request: Request, error: AnswerErrorCode): object {
  return { ...opening(request), ok: false, error };
}

function opening(request: Request): object {
  const { id } = request.address;
  const named = id === undefined ? {} : { id };
  switch (request.op) {
    case 'get':
    case 'cas':
      return { ...named, op: request.op, key: utf8Text(request.key) };
    case 'history':
      return { ...named, op: 'history', key: utf8Text(request.query.key) };
    case 'list':
    case 'range':
      return { ...named, op: request.op, prefix: utf8Text(request.query.prefix) };
  }
}
