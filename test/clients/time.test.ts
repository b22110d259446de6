import { describe, expect, it } from 'vitest';
import { CliError } from '../../clients/cli/errors.ts';
import { formatTime, parseTime } from '../../clients/cli/time.ts';

describe('a time on the command line', () => {
  const now = Date.UTC(2026, 10, 20, 8);
  const parse = parseTime('--at', () => now);

  it.each([
    ['100000000000', 100_000_000_000],
    ['1763625600123', 1_763_625_600_123],
    ['2026-11-20T08:00:00Z', now],
    ['2026-11-20T08:00:00.250Z', now + 250],
    ['2026-11-20 09:00:00+01:00', now],
    ['-30s', now - 30_000],
    ['-15m', now - 900_000],
    ['-1h', now - 3_600_000],
    ['-2d', now - 172_800_000],
    ['-1w', now - 604_800_000],
  ])('%s is %i', (text, unixMs) => {
    expect(parse(text)).toBe(unixMs);
  });

  it.each([
    'yesterday',
    '',
    '1h',
    '-1y',
    '-h',
    '-1763625600123',
    '1.5',
    '2026-11-20',
    '2026-11-20T08:00:00',
    '2026-13-20T08:00:00Z',
    '99999999999999999999',
    '-999999999w',
  ])("'%s' is a wrong command line", (text) => {
    expect(() => parse(text)).toThrow(CliError);
  });

  it.each(['0', '2027', '1763625600', '99999999999'])(
    'is not %s, which is hardly meant as milliseconds since 1970',
    (text) => {
      expect(() => parse(text)).toThrow(/^--at takes a number for milliseconds .* would be in 197/);
    },
  );

  it('is printed so that it can be given back', () => {
    expect(formatTime(now + 7)).toBe('2026-11-20T08:00:00.007Z');
    expect(parse(formatTime(now + 7))).toBe(now + 7);
  });
});
