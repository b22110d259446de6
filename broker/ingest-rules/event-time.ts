import { unixMsToVersion } from '../data-plane.ts';
import { CLOCK_AHEAD_MAX_MS } from '../limits.ts';
import { type JsonPath, valueAt } from './json-path.ts';
import { type Problem, quoted } from './problem.ts';
import type { TimeZone } from './time-zone.ts';

/** How many of each unit are a second. */
export const TIME_UNITS = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 } as const;

export type TimeUnit = keyof typeof TIME_UNITS;

/** Where a message carries its event time, and how it is written. */
export interface TimeSource {
  readonly path: JsonPath;
  /** Of a number, and of a text that is one. */
  readonly unit: TimeUnit;
  /** Of a text without a zone; undefined: such a text is no time. */
  readonly zone: TimeZone | undefined;
}

export interface EventTime {
  /** In version units; 0: the time of arrival counts. */
  readonly time: number;
  readonly problem: Problem | undefined;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** RFC 3339, but the zone may be missing or lack its colon. */
const DATE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:?\d{2})?$/;
const NUMBER = /^\d+(\.\d+)?$/;

/** Reads the event time of a message. One that cannot be believed is not used: the reading is stored all the same. */
export function readEventTime(json: unknown, source: TimeSource, receivedAtMs: number): EventTime {
  const given = valueAt(json, source.path);
  if (given === undefined || given === null) {
    return none('no-time', 'there is no time at the path of the rule');
  }
  const unixMs = toUnixMs(given, source, receivedAtMs);
  if (typeof unixMs === 'string') return none('absurd-time', `the time ${quoted(given)} ${unixMs}`);
  const time = Math.floor(unixMsToVersion(unixMs));
  // 2020 is where versions begin, and 0 stands for no time.
  if (time <= 0) return none('absurd-time', `the time ${quoted(given)} is before 2020`);
  if (unixMs > receivedAtMs + CLOCK_AHEAD_MAX_MS) {
    return none('absurd-time', `the time ${quoted(given)} is more than a minute ahead`);
  }
  return { time, problem: undefined };
}

/** Milliseconds since 1970, or what is wrong. */
function toUnixMs(given: unknown, { unit, zone }: TimeSource, receivedAtMs: number) {
  if (typeof given === 'number') return numberToUnixMs(given, unit);
  if (typeof given !== 'string') return 'is neither a number nor a text';
  if (NUMBER.test(given)) return numberToUnixMs(Number(given), unit);
  const match = DATE_TIME.exec(given);
  if (match === null) return 'is not a time such as 2026-11-20T08:00:00Z';
  const wallClockMs = readWallClock(match);
  if (wallClockMs === undefined) return 'does not exist';
  const zoneText = match[8];
  if (zoneText !== undefined) return wallClockMs - offsetMinutes(zoneText) * MINUTE_MS;
  if (zone === undefined) return 'has no zone, and the rule names none';
  return zone.toUnixMs(wallClockMs, receivedAtMs + CLOCK_AHEAD_MAX_MS);
}

/** To the microsecond: that much of seconds with a fraction is not noise. */
function numberToUnixMs(value: number, unit: TimeUnit): number {
  return Math.round(value * (1e6 / TIME_UNITS[unit])) / 1e3;
}

/** The date and time as if they were UTC, in milliseconds; undefined: there is no such day or time. */
function readWallClock(match: RegExpExecArray): number | undefined {
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined;
  const monthStartMs = Date.UTC(year, month - 1, 1);
  if (day < 1 || day > (Date.UTC(year, month, 1) - monthStartMs) / DAY_MS) return undefined;
  const fractionMs = Math.round(Number(`0.${match[7] ?? '0'}`) * 1e6) / 1e3;
  return Date.UTC(year, month - 1, day, hour, minute, second) + fractionMs;
}

function offsetMinutes(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return zone.startsWith('-') ? -minutes : minutes;
}

function none(code: Problem['code'], message: string): EventTime {
  return { time: 0, problem: { code, message } };
}
