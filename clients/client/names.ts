import { clientError } from './errors.ts';

const KEY_BYTES_MAX = 1024;
const LEVELS_MAX = 100;
const encoder = new TextEncoder();

/** Refuses what a node would end the connection for, or refuse after a detour (docs/MQTT.md, Keys). */
export function checkKey(key: string): void {
  if (key === '') throw clientError('INVALID_KEY', 'the key is empty');
  checkPrefix(key);
}

export function checkPrefix(prefix: string): void {
  if (/[+#\0]/.test(prefix)) {
    throw clientError('INVALID_KEY', `'${prefix}' is no key: it contains +, # or U+0000`);
  }
  if (prefix.length * 3 <= KEY_BYTES_MAX) return;
  const { length } = encoder.encode(prefix);
  if (length <= KEY_BYTES_MAX) return;
  const sentence = `the key has ${length} bytes; at most ${KEY_BYTES_MAX} are allowed`;
  throw clientError('INVALID_KEY', sentence);
}

/** `+` is a whole level, `#` a whole level at the end [MQTT-4.7.1-2] [MQTT-4.7.1-3]. */
export function checkFilter(filter: string): void {
  const levels = filter.split('/');
  const isWellFormed = levels.every((level, i) => {
    if (level === '#') return i === levels.length - 1;
    return level === '+' || !/[+#\0]/.test(level);
  });
  if (filter !== '' && isWellFormed && levels.length <= LEVELS_MAX) return;
  const sentence = `'${filter}' is no filter on keys, such as plant1/+/temp or plant1/#`;
  throw clientError('INVALID_FILTER', sentence);
}

/** Level by level; `a/#` matches `a`, too (MQTT 5 §4.7.1.2). */
export function filterMatches(filter: string, key: string): boolean {
  const wanted = filter.split('/');
  const levels = key.split('/');
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true;
    if (i >= levels.length || (level !== '+' && level !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}
