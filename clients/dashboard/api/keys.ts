import { timeOf } from '../model/format.ts';
import type { KeyPage, KeyRange } from '../model/key-level.ts';
import { type CarriedValue, type Value, valueOfBytes, valueOfCarried } from '../model/value.ts';
import { type Answer, ask, askBytes } from './ask.ts';

/** What a key has, or had. */
export interface Stored {
  readonly version: number | undefined;
  readonly atMs: number | undefined;
  /** Undefined: the key was deleted. */
  readonly value: Value | undefined;
}

export interface Current extends Stored {
  readonly expiresAtMs: number | undefined;
}

interface StoredDocument extends CarriedValue {
  readonly key?: string;
  readonly version?: number;
  readonly time?: string | number;
  readonly deleted?: boolean;
}

interface PageDocument {
  readonly items: readonly StoredDocument[];
  readonly more: boolean;
  readonly next: string | null;
}

/** Keys have slashes, which stay. */
const keyPath = (base: string, key: string): string =>
  `${base}/${key.split('/').map(encodeURIComponent).join('/')}`;

export async function listKeys(
  range: KeyRange & { readonly prefix?: string | undefined; readonly limit: number },
): Promise<Answer<KeyPage>> {
  const answer = await ask<PageDocument>('v1/kv', { query: { ...range, values: 'false' } });
  if (answer.kind !== 'ok') return answer;
  const { items, more } = answer.body;
  return { ...answer, body: { keys: items.flatMap(({ key }) => key ?? []), more } };
}

export async function currentOf(key: string): Promise<Answer<Current>> {
  const answer = await askBytes(keyPath('v1/kv', key));
  if (answer.kind !== 'ok') return answer;
  const { headers, body } = answer;
  const version = Number(headers.get('dss-version') ?? Number.NaN);
  const current = {
    version: Number.isNaN(version) ? undefined : version,
    atMs: timeOf(headers.get('dss-time')),
    expiresAtMs: timeOf(headers.get('dss-expires')),
    value: valueOfBytes(body),
  };
  return { ...answer, body: current };
}

export interface HistoryPage {
  /** Newest first. */
  readonly items: readonly Stored[];
  readonly next: string | null;
}

export async function historyOf(
  key: string,
  query: { readonly fromMs?: number; readonly after?: string; readonly limit: number },
): Promise<Answer<HistoryPage>> {
  const { fromMs, after, limit } = query;
  const answer = await ask<PageDocument>(keyPath('v1/history', key), {
    query: { from: fromMs, after, limit, order: 'desc' },
  });
  if (answer.kind !== 'ok') return answer;
  const { items, next } = answer.body;
  return { ...answer, body: { items: items.map(storedOf), next } };
}

/** Of an item of an answer, or of the data of an event. */
export function storedOf(document: StoredDocument): Stored {
  const { version, time, deleted } = document;
  const value = deleted === true ? undefined : valueOfCarried(document);
  return { version, atMs: timeOf(time), value };
}

export interface PutOptions {
  /** What the key must have; null: nothing; undefined: whatever. */
  readonly ifVersion: number | null | undefined;
  /** As `ttl` of the API. */
  readonly ttl?: string;
}

/** Refused with status 412 when the key has another version. */
export function putKey(key: string, value: string, { ifVersion, ttl }: PutOptions) {
  const headers = { ...condition(ifVersion), 'content-type': 'application/octet-stream' };
  const body = new TextEncoder().encode(value);
  return askBytes(keyPath('v1/kv', key), { method: 'PUT', body, headers, query: { ttl } });
}

export function deleteKey(key: string, { ifVersion }: Pick<PutOptions, 'ifVersion'>) {
  return askBytes(keyPath('v1/kv', key), { method: 'DELETE', headers: condition(ifVersion) });
}

function condition(version: number | null | undefined): Record<string, string> {
  if (version === undefined) return {};
  return version === null ? { 'if-none-match': '*' } : { 'if-match': `"${version}"` };
}
