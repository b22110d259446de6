import { expect, it } from 'vitest';
import { PerMinute } from '../../../node/alerts/per-minute.ts';

it('counts what the last minute brought', () => {
  const perMinute = new PerMinute();
  expect(perMinute.at(0, 500)).toBe(0);
  expect(perMinute.at(1_000, 530)).toBe(30);
  expect(perMinute.at(60_000, 540)).toBe(40);
  expect(perMinute.at(61_000, 540)).toBe(10);
  expect(perMinute.at(130_000, 540)).toBe(0);
});
