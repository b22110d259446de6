import { usageError } from './errors.ts';

const RELATIVE = /^-(\d+)(s|m|h|d|w)$/;
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** The last instant that a `Date` can hold (ECMA-262, Time Values). */
const DATE_MS_MAX = 8.64e15;

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * March 1973. Smaller numbers are not meant as milliseconds, but as a year or as seconds; and no value is older
 * than 2020 (DESIGN §3).
 */
const UNIX_MS_MIN = 1e11;

/** What the help of a command says about its times. */
export const timeHelp = `
Times are milliseconds since 1970, RFC 3339 with a zone (2026-11-20T08:00:00Z), or that long ago by the
clock of this machine: -30s, -15m, -1h, -2d, -1w.`;

/**
 * Parser of an option that is a time. Gives milliseconds since 1970, which is all that goes over the wire: a
 * node knows nothing of relative times.
 */
export function parseTime(name: string, nowMs: () => number = Date.now) {
  return (text: string): number => {
    const unixMs = toUnixMs(text, nowMs);
    if (/^\d+$/.test(text) && unixMs < UNIX_MS_MIN) {
      const year = new Date(unixMs).getUTCFullYear();
      throw usageError(
        `${name} takes a number for milliseconds since 1970, so '${text}' would be in ${year}: give a time such as 2026-11-20T08:00:00Z, or -1h`,
      );
    }
    if (Math.abs(unixMs) <= DATE_MS_MAX) return unixMs;
    throw usageError(
      `${name} needs milliseconds since 1970, a time such as 2026-11-20T08:00:00Z, or -1h, not '${text}'`,
    );
  };
}

function toUnixMs(text: string, nowMs: () => number): number {
  const [, count, unit = ''] = RELATIVE.exec(text) ?? [];
  if (count !== undefined) return nowMs() - Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (/^\d+$/.test(text)) return Number(text);
  return RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
}

/** Parser of an option that is a length of time, such as `30s`; gives milliseconds, at least 1. */
export function parseDuration(name: string) {
  return (text: string): number => {
    const [, count, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)?$/.exec(text) ?? [];
    const milliseconds = Math.round(Number(count) * (unit === 'ms' ? 1 : (UNIT_MS[unit] ?? 0)));
    if (milliseconds >= 1 && milliseconds <= DATE_MS_MAX) return milliseconds;
    throw usageError(
      `${name} needs a length of time such as 500ms, 30s, 15m, 1h or 7d, not '${text}'`,
    );
  };
}

/** RFC 3339 in UTC, to the millisecond: it can be given back as `--at`, `--from` or `--to`. */
export function formatTime(unixMs: number): string {
  return new Date(unixMs).toISOString();
}
