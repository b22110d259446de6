import { usageError } from './errors.ts';

const KEY_BYTES_MAX = 1024;

/** Keys are kept byte for byte (DESIGN §3); what MQTT cannot carry in a topic is refused before it is sent. */
export function checkKey(key: string): string {
  if (key === '') throw usageError('a key cannot be empty: give 1 to 1,024 bytes');
  checkTopicPart('key', key);
  return key;
}

/** A prefix is whole levels, so `plant1/` and `plant1` are the same; empty means every key. */
export function checkPrefix(prefix: string): string {
  checkTopicPart('prefix', prefix);
  return prefix;
}

export const PREFIX_HELP = 'whole levels: plant1 means plant1 and plant1/…, never plant10';

/** Where a verb that takes a prefix is asked: `dss/list`, `dss/list/plant1`. */
export function topicOf(verb: string, prefix: string): string {
  return prefix === '' ? `dss/${verb}` : `dss/${verb}/${prefix}`;
}

export function checkFilter(filter: string): string {
  if (filter === '') throw usageError("a filter cannot be empty: '#' matches every key");
  if (filter.includes('\0')) throw usageError('a filter cannot hold U+0000');
  const levels = filter.split('/');
  for (const [index, level] of levels.entries()) {
    const alone = !/[+#]/.test(level) || level === '+' || level === '#';
    if (alone && (level !== '#' || index === levels.length - 1)) continue;
    throw usageError(`in a filter '+' and '#' are whole levels, '#' the last: not '${filter}'`);
  }
  return filter;
}

function checkTopicPart(what: string, text: string): void {
  if (/[+#\0]/.test(text)) {
    throw usageError(`a ${what} cannot hold '+', '#' or U+0000: '${text.replaceAll('\0', '\\0')}'`);
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > KEY_BYTES_MAX) {
    throw usageError(`a ${what} has at most 1,024 bytes; this one has ${bytes}`);
  }
}
