import { checkKey } from './names.ts';
import { type Time, ttlSeconds, unixMs, type Value, wireMembers } from './values.ts';

/** One of many writes. */
export type Write =
  | {
      readonly key: string;
      readonly value: Value;
      /** When it was measured; not given: when the cluster takes it. */
      readonly time?: Time | undefined;
      /** So long after the cluster has taken it the value is deleted; not given: never. */
      readonly ttlMs?: number | undefined;
    }
  | { readonly key: string; readonly delete: true; readonly time?: Time | undefined };

/** One message of `dss/batch`. */
export interface Batch {
  /** JSON. */
  readonly payload: string;
  readonly count: number;
  /** Sending it again stores nothing a second time: every write has a time of its own. */
  readonly isIdempotent: boolean;
}

/** Few enough that a node is not busy with one for long, many enough that messages do not matter. */
const COUNT_MAX = 500;
const BYTES_MAX = 256 * 1024;
/** Of UTF-8 for one UTF-16 code unit; JSON escapes count as they stand. */
const BYTES_PER_CHARACTER_MAX = 3;
const encoder = new TextEncoder();

/**
 * Splits writes into messages that fit, in their order. One that fits none, because JSON makes it larger than a message
 * may be, is handed out as it is.
 */
export async function* batchesOf(
  writes: Iterable<Write> | AsyncIterable<Write>,
  messageBytesMax: number,
): AsyncGenerator<Batch | Write, void, undefined> {
  let elements: string[] = [];
  let bytes = 0;
  let isIdempotent = true;
  const batch = (): Batch => {
    const full = { payload: `[${elements.join()}]`, count: elements.length, isIdempotent };
    elements = [];
    bytes = 0;
    isIdempotent = true;
    return full;
  };
  for await (const write of writes) {
    const element = JSON.stringify(wireOf(write));
    const length = lengthOf(element) + 1;
    const isAlone = length + 1 > messageBytesMax;
    const isFull = elements.length === COUNT_MAX || bytes + length > BYTES_MAX;
    if (elements.length > 0 && (isAlone || isFull)) yield batch();
    if (isAlone) {
      yield write;
    } else {
      elements.push(element);
      bytes += length;
      isIdempotent &&= write.time !== undefined;
    }
  }
  if (elements.length > 0) yield batch();
}

function wireOf(write: Write): object {
  const { key, time } = write;
  checkKey(key);
  const timed = time === undefined ? {} : { time: unixMs(time) };
  if ('delete' in write) return { key, delete: true, ...timed };
  const { ttlMs } = write;
  const expiring = ttlMs === undefined ? {} : { ttl: ttlSeconds(ttlMs) };
  return { key, ...wireMembers(write.value), ...timed, ...expiring };
}

/** Exact only where it matters. */
function lengthOf(text: string): number {
  const most = text.length * BYTES_PER_CHARACTER_MAX;
  return most < BYTES_MAX / COUNT_MAX ? most : encoder.encode(text).length;
}
