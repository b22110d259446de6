import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatInstant } from '../../../node/alerts/instant.ts';
import { PerMinute } from '../../../node/alerts/per-minute.ts';

it('writes instants as a Date does', () => {
  const instant = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
  fc.assert(
    fc.property(instant, (ms) => {
      expect(formatInstant(ms)).toBe(new Date(ms).toISOString());
    }),
    { examples: [[0], [Date.UTC(2024, 1, 29)], [Date.UTC(2100, 2, 1)], [Date.UTC(2000, 11, 31)]] },
  );
});

it('counts what the last minute brought', () => {
  const perMinute = new PerMinute();
  expect(perMinute.at(0, 500)).toBe(0);
  expect(perMinute.at(1_000, 530)).toBe(30);
  expect(perMinute.at(60_000, 540)).toBe(40);
  expect(perMinute.at(61_000, 540)).toBe(10);
  expect(perMinute.at(130_000, 540)).toBe(0);
});
