import { isUtf8 } from 'node:buffer';
import { isWellFormed } from './json.ts';
import { isSharedFilter, parseFilter } from './ordinary/message.ts';
import type { Refusal } from './refusals.ts';

/** The session layer (`aedes.ts`) takes no deeper topic or filter; keys have no such limit. */
export const LEVELS_MAX = 100;

const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;
const SYSTEM_PREFIX: Uint8Array = new TextEncoder().encode('$SYS/');

/** What a client publishes to; `supported` ones have a handler here. */
export const VERBS = {
  put: { supported: true },
  delete: { supported: true },
  get: { supported: true },
  list: { supported: true },
  batch: { supported: true },
  cas: { supported: true },
  range: { supported: true },
  history: { supported: true },
  query: { supported: false },
} as const;

export type Verb = keyof typeof VERBS;

/** Second levels that only a node itself publishes to (DESIGN §7). */
export const RESERVED = [
  'value',
  'watch',
  'replay',
  'reply',
  'error',
  'snapshot',
  'sys',
  'cluster',
] as const;

/** Whether the topic begins with `dss/`: then it is ours and never enters ordinary MQTT from outside. */
export function isOurTopic(buffer: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= 4 &&
    buffer[start] === 0x64 &&
    buffer[start + 1] === 0x73 &&
    buffer[start + 2] === 0x73 &&
    buffer[start + 3] === SLASH
  );
}

/** Whether the topic begins with `$SYS/`: neither ours nor anybody's to publish to. */
export function isSystemTopic(buffer: Uint8Array, start: number, end: number): boolean {
  if (end - start < SYSTEM_PREFIX.length) return false;
  return SYSTEM_PREFIX.every((byte, i) => buffer[start + i] === byte);
}

/** Whether the topic, known to be ours, begins with `dss/put/`: asked for every reading. */
export function isPutTopic(buffer: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= 8 &&
    buffer[start + 4] === 0x70 &&
    buffer[start + 5] === 0x75 &&
    buffer[start + 6] === 0x74 &&
    buffer[start + 7] === SLASH
  );
}

/**
 * Whether the bytes may be the topic of a PUBLISH: not empty [MQTT-4.7.3-1], no wildcards [MQTT-3.3.2-2], no
 * U+0000 [MQTT-1.5.3-2], well-formed UTF-8 [MQTT-1.5.3-1].
 */
export function isTopicName(buffer: Uint8Array, start: number, end: number): boolean {
  let union = 0;
  for (let i = start; i < end; i += 1) {
    const byte = buffer[i] as number;
    if (byte === HASH || byte === PLUS || byte === 0) return false;
    union |= byte;
  }
  if (start === end) return false;
  return union < 0x80 || isUtf8(buffer.subarray(start, end));
}

export type OurTopic =
  | { readonly kind: 'verb'; readonly verb: Verb; readonly restStart: number }
  | { readonly kind: 'reserved'; readonly name: string }
  | { readonly kind: 'unknown'; readonly name: string };

/** Reads the second level. `restStart` is where the key or prefix begins; `end` if there is none. */
export function parseOurTopic(buffer: Uint8Array, start: number, end: number): OurTopic {
  const nameStart = start + 4;
  let nameEnd = nameStart;
  while (nameEnd < end && buffer[nameEnd] !== SLASH) nameEnd += 1;
  const name = Buffer.from(
    buffer.buffer,
    buffer.byteOffset + nameStart,
    nameEnd - nameStart,
  ).toString();
  if (Object.hasOwn(VERBS, name)) {
    return { kind: 'verb', verb: name as Verb, restStart: Math.min(nameEnd + 1, end) };
  }
  const reserved = (RESERVED as readonly string[]).includes(name);
  return { kind: reserved ? 'reserved' : 'unknown', name };
}

/**
 * Whether a filter is well formed: not empty, `#` only as the last level, `+` only as a whole level
 * [MQTT-4.7.1-2] [MQTT-4.7.1-3], no U+0000.
 */
export function isTopicFilter(filter: string): boolean {
  if (filter === '' || filter.includes('\0')) return false;
  const levels = filter.split('/');
  return levels.every((level, i) => {
    if (level === '#') return i === levels.length - 1;
    return level === '+' || !(level.includes('+') || level.includes('#'));
  });
}

/**
 * Whether a filter matches a topic or key, level by level, byte for byte. There is no exception for a
 * leading `$` here: a key lies below `dss/value/`, so `#` reaches the key `$x/y` too.
 */
export function matches(filter: string, topic: string): boolean {
  const filterLevels = filter.split('/');
  const topicLevels = topic.split('/');
  for (let i = 0; i < filterLevels.length; i += 1) {
    // `a/#` also matches its parent level `a` (MQTT 3.1.1 §4.7.1.2).
    if (filterLevels[i] === '#') return true;
    if (i >= topicLevels.length) return false;
    if (filterLevels[i] !== '+' && filterLevels[i] !== topicLevels[i]) return false;
  }
  return filterLevels.length === topicLevels.length;
}

/** Where a connection gets the answers to its own requests; literally so. */
export const REPLY_TO_ME = 'dss/reply/me';

/** Where a connection hears that the current values of a subscription have all been sent. */
export const SNAPSHOT_TO_ME = 'dss/snapshot/me';

/** Answers enter ordinary MQTT, never our own topics: there they could trigger further requests. */
export function mayReplyTo(topic: string): boolean {
  if (topic === REPLY_TO_ME) return true;
  const bytes = Buffer.from(topic);
  if (bytes.length > 0xffff || !isTopicName(bytes, 0, bytes.length)) return false;
  if (!isWellFormed(topic) || topic.startsWith('dss/') || topic.startsWith('$')) return false;
  return topic.split('/').length <= LEVELS_MAX;
}

/** Bridges announce their state there, which is not theirs to publish to; it is dropped without a word. */
export function isBridgeNotice(topic: string): boolean {
  return topic.startsWith('$SYS/broker/connection/');
}

/** How values are delivered: raw on `dss/value/<key>`, or as JSON on `dss/watch/<key>`. */
export type ValueForm = 'value' | 'watch';

export interface FilterUse {
  /** Of a shared subscription (`$share/<group>/<filter>`); else empty. */
  readonly group: string;
  /** What it matches, without that. */
  readonly filter: string;
  /** Why the filter is answered with 0x80; then nothing else holds. */
  readonly refusal: Omit<Refusal, 'topic'> | undefined;
  /** The filter on keys for what it sees of values; undefined: nothing. */
  readonly keys: string | undefined;
  readonly form: ValueForm;
  /** It lies wholly in our topics, so the QoS that is granted is ours to say. */
  readonly ours: boolean;
  /** It asks, literally, for the answers or errors of its own connection. */
  readonly replies: boolean;
  readonly errors: boolean;
  /** It wants to hear when the current values of a subscription of its connection have all been sent. */
  readonly snapshots: boolean;
}

/** What a subscription means to us (DESIGN §7). */
export function filterUse(text: string): FilterUse {
  const { group, filter } = parseFilter(text) ?? { group: '', filter: text };
  const [first, second] = filter.split('/', 2);
  const literal = first === 'dss' && second !== undefined && second !== '+' && second !== '#';
  const isShared = group !== '';
  return {
    group,
    filter,
    refusal: filterRefusal(filter, { ourLevel: literal ? second : undefined, isShared }),
    // Each value to one member; a wildcard that reaches them by the way is about ordinary topics.
    keys: isShared && !literal ? undefined : keyFilter(filter),
    form: literal && second === 'watch' ? 'watch' : 'value',
    ours: literal && second !== 'sys',
    replies: literal && second === 'reply' && matches(filter, 'dss/reply/me'),
    errors: literal && second === 'error' && matches(filter, 'dss/error/me'),
    snapshots: literal && second === 'snapshot' && matches(filter, SNAPSHOT_TO_ME),
  };
}

const SUBSCRIBABLE: readonly string[] = ['value', 'watch', 'reply', 'error', 'snapshot', 'sys'];

function filterRefusal(
  filter: string,
  { ourLevel, isShared }: { readonly ourLevel: string | undefined; readonly isShared: boolean },
): FilterUse['refusal'] {
  if (isSharedFilter(filter)) {
    const message = 'a shared subscription is $share/<group>/<filter>, its group without wildcards';
    return { code: 'INVALID_FILTER', message };
  }
  if (isShared && ourLevel !== undefined && ourLevel !== 'value') {
    return { code: 'INVALID_FILTER', message: 'of our topics only dss/value can be shared' };
  }
  if (ourLevel === undefined || SUBSCRIBABLE.includes(ourLevel)) return undefined;
  if (ourLevel === 'replay' || ourLevel === 'query') {
    return { code: 'NOT_SUPPORTED', message: `dss/${ourLevel} is not supported yet` };
  }
  if (ourLevel === 'cluster') {
    return { code: 'RESERVED_TOPIC', message: 'cluster topics are not for clients' };
  }
  const message =
    'subscribe to dss/value/<filter>, dss/watch/<filter>, dss/reply/me, dss/error/me, dss/snapshot/me or dss/sys/<filter>';
  return { code: 'INVALID_FILTER', message };
}

/**
 * The levels of a filter that are left for the key. A wildcard finds `dss/value`, never `dss/watch`: one copy of
 * each value is enough for those who did not ask for another form.
 */
function keyFilter(filter: string): string | undefined {
  const levels = filter.split('/');
  if (levels[0] === '#') return '#';
  if (levels[0] !== 'dss' && levels[0] !== '+') return undefined;
  if (levels[1] === '#') return '#';
  const isWatch = levels[0] === 'dss' && levels[1] === 'watch';
  if (!isWatch && levels[1] !== 'value' && levels[1] !== '+') return undefined;
  return levels.length > 2 ? levels.slice(2).join('/') : undefined;
}
