import { deviceBatch } from '../load/load-frames.ts';
import type { RequestClient } from '../request-client.ts';
import { keyName, textOf } from './readings.ts';

export const KEYS = 1_000;
export const READINGS_PER_KEY = 200;
/** Items of a page, readings of a batch. */
export const PAGE = 100;
/** What the cases read lies below it, and is written with event times that are this far apart. */
export const READ_PREFIX = 'read';
export const READING_INTERVAL_MS = 10_000;

/** A verb in one of its forms: what is sent for the n-th request, resolving when it was answered well. */
export interface VerbCase {
  readonly name: string;
  /** Of a batch: how many readings one request carries. */
  readonly readings?: number;
  /** The case to compare the rate with. */
  readonly against?: string;
  send(client: RequestClient, sequence: number): Promise<unknown>;
}

/** `lastTimeMs` is the event time of the newest reading of every key below `READ_PREFIX`. */
export function verbCases(lastTimeMs: number): VerbCase[] {
  const halfMs = lastTimeMs - (READINGS_PER_KEY / 2) * READING_INTERVAL_MS;
  return [
    {
      name: 'put',
      send: (client, n) => client.publish(`dss/put/put/${keyOf(n)}`, Buffer.from(textOf(n))),
    },
    { name: 'delete', against: 'put', send: (client, n) => deleteKey(client, n) },
    casCase(),
    batchCase('batch, JSON', (n) => Buffer.from(JSON.stringify(readingsOf(n)))),
    batchCase('batch, DeviceBatch', (sequence) => deviceBatch(readingsOf(sequence))),
    { name: 'get strong', send: (client, n) => ask(client, `get/${readKey(n)}`) },
    {
      name: 'get eventual',
      against: 'get strong',
      send: (client, n) => ask(client, `get/${readKey(n)}`, { consistency: 'eventual' }),
    },
    {
      name: 'get at',
      against: 'get strong',
      send: (client, n) => ask(client, `get/${readKey(n)}`, { at: halfMs }),
    },
    {
      name: `history, ${PAGE}`,
      against: 'get strong',
      send: (client, n) => ask(client, `history/${readKey(n)}`, { limit: PAGE }),
    },
    {
      name: `list, ${PAGE}`,
      against: 'get strong',
      send: (client, n) => ask(client, `list/${READ_PREFIX}`, { limit: PAGE, after: before(n) }),
    },
    {
      name: `range, ${PAGE}`,
      against: `list, ${PAGE}`,
      send: (client, n) => ask(client, `range/${READ_PREFIX}`, { limit: PAGE, after: before(n) }),
    },
  ];
}

/** Asks and insists on `"ok":true`. */
export async function ask(
  client: RequestClient,
  rest: string,
  members: Readonly<Record<string, unknown>> = {},
): Promise<Buffer> {
  const answer = await client.request(`dss/${rest}`, members);
  if (!answer.includes('"ok":true')) throw new Error(`dss/${rest} was answered with ${answer}`);
  return answer;
}

/** Neighbouring requests go to keys that are far apart. */
function keyOf(sequence: number): string {
  return keyName((sequence * 7) % KEYS);
}

function readKey(sequence: number): string {
  return `${READ_PREFIX}/${keyOf(sequence)}`;
}

/** A place from which a whole page is left. */
function before(sequence: number): string {
  return `${READ_PREFIX}/${keyName((sequence * 7) % (KEYS - PAGE))}`;
}

function deleteKey(client: RequestClient, sequence: number): Promise<unknown> {
  return client.publish(`dss/delete/delete/${keyOf(sequence)}`, NOTHING);
}

/** Each key's first request wants no value, each further one the version that the last one won. */
function casCase(): VerbCase {
  const versions = new Map<string, number>();
  return {
    name: 'cas, won',
    against: 'put',
    send: async (client, sequence) => {
      const key = `cas/${keyOf(sequence)}`;
      const value = textOf(sequence);
      const answer = await ask(client, `cas/${key}`, { if: versions.get(key) ?? null, value });
      versions.set(key, JSON.parse(answer.toString()).version as number);
    },
  };
}

function batchCase(name: string, payload: (sequence: number) => Uint8Array): VerbCase {
  return {
    name,
    readings: PAGE,
    against: 'put',
    send: (client, sequence) => client.publish('dss/batch/batch', payload(sequence)),
  };
}

function readingsOf(sequence: number): { key: string; value: string }[] {
  const first = sequence * PAGE;
  return Array.from({ length: PAGE }, (_, i) => ({
    key: keyName((first + i) % KEYS),
    value: textOf(first + i),
  }));
}

const NOTHING = new Uint8Array(0);
