import type { DataPlane, HistoricValue, StoredValue } from './data-plane.ts';
import { versionToUnixMs } from './data-plane.ts';
import { utf8Text, valueMembers } from './json.ts';
import type { Request } from './requests.ts';

/** A page ends early when its JSON would grow beyond this: clients have packet limits, too. */
const PAGE_BYTES_MAX = 1024 * 1024;

/** Carries a request out. Resolves with the answer's JSON; rejects only if the data plane does. */
export async function answer(dataPlane: DataPlane, request: Request): Promise<object> {
  switch (request.op) {
    case 'get':
      return answerGet(dataPlane, request);
    case 'list':
    case 'range':
      return answerList(dataPlane, request);
    case 'history':
      return answerHistory(dataPlane, request);
  }
}

/** The answer when the data plane is not able to give one. */
export function unavailable(request: Request): object {
  return { ...opening(request), ok: false, error: 'UNAVAILABLE' };
}

async function answerGet(
  dataPlane: DataPlane,
  request: Extract<Request, { op: 'get' }>,
): Promise<object> {
  const outcome = await dataPlane.get(request.key, request.at);
  if (outcome.kind === 'unavailable') return unavailable(request);
  if (outcome.kind === 'not-found') return { ...opening(request), ok: false, error: 'NOT_FOUND' };
  return { ...opening(request), ok: true, ...described(outcome), ...valueMembers(outcome.value) };
}

async function answerList(
  dataPlane: DataPlane,
  request: Extract<Request, { op: 'list' | 'range' }>,
): Promise<object> {
  const { query } = request;
  const outcome = await dataPlane.list(query);
  if (outcome.kind === 'unavailable') return unavailable(request);
  const items = firstThatFit(outcome.items);
  const more = outcome.more || items.length < outcome.items.length;
  const keys = items.map(({ key }) => utf8Text(key));
  const content = query.values
    ? {
        items: items.map((item, i) => ({
          key: keys[i],
          ...described(item),
          ...valueMembers(item.value),
        })),
      }
    : { keys };
  return {
    ...opening(request),
    ok: true,
    ...content,
    more,
    next: more ? (keys.at(-1) ?? null) : null,
  };
}

async function answerHistory(
  dataPlane: DataPlane,
  request: Extract<Request, { op: 'history' }>,
): Promise<object> {
  const outcome = await dataPlane.history(request.query);
  if (outcome.kind === 'unavailable') return unavailable(request);
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

function describeHistoric(item: HistoricValue): object {
  if (item.deleted) return { ...described(item), deleted: true };
  return { ...described(item), ...valueMembers(item.value) };
}

/** At least one. */
function firstThatFit<Item extends StoredValue>(items: readonly Item[]): readonly Item[] {
  let bytes = 0;
  const end = items.findIndex(
    ({ key, value }) => (bytes += key.length + value.length) > PAGE_BYTES_MAX,
  );
  return end < 0 ? items : items.slice(0, Math.max(1, end));
}

function opening(request: Request): object {
  const { id } = request.address;
  const named = id === undefined ? {} : { id };
  switch (request.op) {
    case 'get':
      return { ...named, op: 'get', key: utf8Text(request.key) };
    case 'history':
      return { ...named, op: 'history', key: utf8Text(request.query.key) };
    case 'list':
    case 'range':
      return { ...named, op: request.op, prefix: utf8Text(request.query.prefix) };
  }
}

function described(item: StoredValue): { version: number; time: number } {
  return { version: item.version, time: versionToUnixMs(item.time) };
}
