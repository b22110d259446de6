import { describe, expect, it } from 'vitest';
import { unixMsToVersion } from '../../../broker/data-plane.ts';
import { readEventTime, type TimeUnit } from '../../../broker/ingest-rules/event-time.ts';
import { TimeZone } from '../../../broker/ingest-rules/time-zone.ts';

const NOW_MS = Date.UTC(2024, 5, 1, 12);

function read(given: unknown, options: { unit?: TimeUnit; zone?: string; nowMs?: number } = {}) {
  const zone = options.zone === undefined ? undefined : TimeZone.named(options.zone);
  const source = { path: ['t'], unit: options.unit ?? 'ms', zone };
  return readEventTime({ t: given }, source, options.nowMs ?? NOW_MS);
}

const timeOf = (...args: Parameters<typeof read>) => {
  const { time, problem } = read(...args);
  return problem?.code ?? time;
};

describe('an event time', () => {
  const expected = unixMsToVersion(Date.UTC(2024, 4, 1, 10, 30) + 250);

  it.each<[unknown, TimeUnit]>([
    [1714559400.25, 's'],
    [1714559400250, 'ms'],
    [1714559400250000, 'us'],
    [1714559400250000000, 'ns'],
    ['1714559400250', 'ms'],
    ['1714559400.25', 's'],
    ['2024-05-01T10:30:00.25Z', 'ms'],
    ['2024-05-01t10:30:00.250z', 's'],
    ['2024-05-01 12:30:00.250+02:00', 'ms'],
    ['2024-05-01T05:00:00.250-0530', 'ms'],
    ['2024-05-01T12:30:00.25', 'ms'],
  ])('%s in %s is read', (given, unit) => {
    expect(timeOf(given, { unit, zone: 'Europe/Berlin' })).toBe(expected);
  });

  it('keeps microseconds, and seconds with a fraction are not noise', () => {
    const ms = Date.UTC(2024, 4, 1);
    expect(timeOf(1714521600000500, { unit: 'us' })).toBe(unixMsToVersion(ms) + 2048);
    expect(timeOf('2024-05-01T00:00:00.000500Z')).toBe(unixMsToVersion(ms) + 2048);
    expect(timeOf(1631266595.44, { unit: 's' })).toBe(unixMsToVersion(1631266595440));
  });

  it('that is missing or null is reported, and arrival counts', () => {
    expect(timeOf(undefined)).toBe('no-time');
    expect(timeOf(null)).toBe('no-time');
    expect(read(undefined).time).toBe(0);
  });

  it.each([
    ...['yesterday', '', '10:30', '2024-05-01', '2024-05-01T10:30:00', '2024-13-01T00:00:00Z'],
    ...['2024-02-30T00:00:00Z', '2024-05-01T24:00:00Z', '2024-05-01T10:60:00Z', '9'.repeat(400)],
    ...[true, {}, [1714559400250], -1, 0, 1e300, Number.POSITIVE_INFINITY],
    ...['1970-01-01T00:00:13Z', '2019-12-31T23:59:59.999Z', '2020-01-01T00:00:00Z', 1714559400],
  ])('%s is not believed, and arrival counts', (given) => {
    expect(read(given)).toMatchObject({ time: 0, problem: { code: 'absurd-time' } });
  });

  it('may be a minute ahead, not more', () => {
    expect(timeOf(NOW_MS + 60_000)).toBe(unixMsToVersion(NOW_MS + 60_000));
    expect(timeOf(NOW_MS + 60_001)).toBe('absurd-time');
  });
});

describe('a text without a zone', () => {
  const zone = 'Europe/Berlin';
  const nowMs = Date.UTC(2025, 0, 1);
  const utc = (...args: Parameters<typeof Date.UTC>) => unixMsToVersion(Date.UTC(...args));

  it('is read in the zone of the rule, summer and winter', () => {
    expect(timeOf('2024-07-01T12:00:00', { zone, nowMs })).toBe(utc(2024, 6, 1, 10));
    expect(timeOf('2024-12-01T12:00:00', { zone, nowMs })).toBe(utc(2024, 11, 1, 11));
    expect(timeOf('2024-07-01T12:00:00', { zone: 'Asia/Kathmandu', nowMs })).toBe(
      utc(2024, 6, 1, 6, 15),
    );
  });

  it('is right on both sides of a change', () => {
    expect(timeOf('2024-03-31T01:59:59', { zone, nowMs })).toBe(utc(2024, 2, 31, 0, 59, 59));
    expect(timeOf('2024-03-31T03:00:00', { zone, nowMs })).toBe(utc(2024, 2, 31, 1));
    expect(timeOf('2024-10-27T01:59:59', { zone, nowMs })).toBe(utc(2024, 9, 26, 23, 59, 59));
    expect(timeOf('2024-10-27T03:00:00', { zone, nowMs })).toBe(utc(2024, 9, 27, 2));
    const newYork = { zone: 'America/New_York', nowMs };
    expect(timeOf('2024-03-10T01:59:59', newYork)).toBe(utc(2024, 2, 10, 6, 59, 59));
    expect(timeOf('2024-03-10T03:00:00', newYork)).toBe(utc(2024, 2, 10, 7));
  });

  it('in the hour that comes twice is the later one that is not ahead of its arrival', () => {
    const first = Date.UTC(2024, 9, 27, 0, 30);
    const text = '2024-10-27T02:30:00';
    expect(timeOf(text, { zone, nowMs: first + 1_000 })).toBe(unixMsToVersion(first));
    const second = first + 3_600_000;
    expect(timeOf(text, { zone, nowMs: second + 1_000 })).toBe(unixMsToVersion(second));
  });

  it('that no clock has shown is read as if the clock had not been changed', () => {
    expect(timeOf('2024-03-31T02:30:00', { zone, nowMs })).toBe(utc(2024, 2, 31, 1, 30));
  });
});
