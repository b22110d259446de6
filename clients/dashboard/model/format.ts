/** Numbers, sizes and times as people read them. What is not known is a dash. */

export const UNKNOWN = '–';

type Maybe = number | null | undefined;

const isKnown = (value: Maybe): value is number =>
  typeof value === 'number' && !Number.isNaN(value);

/** `1,204` */
export function count(value: Maybe): string {
  return isKnown(value) ? Math.round(value).toLocaleString('en') : UNKNOWN;
}

/** Three digits that count: `0.42`, `8.1`, `214`, `12.4 k`. */
export function rate(value: Maybe): string {
  if (!isKnown(value)) return UNKNOWN;
  if (value === 0) return '0';
  if (value < 10) return value.toFixed(value < 1 ? 2 : 1);
  if (value < 1_000) return value.toFixed(0);
  if (value < 1e6) return `${(value / 1e3).toFixed(value < 1e5 ? 1 : 0)} k`;
  return `${(value / 1e6).toFixed(1)} M`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `412 MiB` */
export function bytes(value: Maybe): string {
  if (!isKnown(value)) return UNKNOWN;
  let [amount, unit] = [value, 0];
  while (amount >= 1_000 && unit < BYTE_UNITS.length - 1)
    [amount, unit] = [amount / 1_024, unit + 1];
  const digits = unit === 0 || amount >= 100 ? 0 : 1;
  return `${amount.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

/** `0.8 ms`, `340 ms`, `12 s`, `3 min`, `2 h 5 min`, `4 d 2 h`. */
export function duration(ms: Maybe): string {
  if (!isKnown(ms)) return UNKNOWN;
  if (ms === 0) return '0 s';
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return withRest(hours, 'h', minutes % 60, 'min');
  return withRest(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function withRest(amount: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${amount} ${unit}` : `${amount} ${unit} ${rest} ${restUnit}`;
}

/** `14:03:22`, with the day before it if that is not today's. Local time. */
export function clock(atMs: Maybe, nowMs: number): string {
  if (!isKnown(atMs)) return UNKNOWN;
  const at = new Date(atMs);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  if (at.toDateString() === new Date(nowMs).toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Of times in JSON, which are RFC 3339 or milliseconds since 1970. */
export function timeOf(value: string | number | null | undefined): number | undefined {
  if (typeof value === 'number') return value;
  const ms = Date.parse(value ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

/** `n1, n2 and n3` */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** `1 shard`, `3 shards` */
export function plural(amount: number, noun: string): string {
  return `${count(amount)} ${noun}${amount === 1 ? '' : 's'}`;
}
