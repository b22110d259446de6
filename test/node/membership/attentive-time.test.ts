import { expect, it } from 'vitest';
import { AttentiveTime } from '../../../node/membership/attentive-time.ts';

it('lived time passes with the clock, but not while nobody looks', () => {
  const time = new AttentiveTime(1_000);
  expect(time.at(1_000)).toBe(0);
  expect(time.at(1_700)).toBe(700);
  expect(time.at(3_700)).toBe(2_700);
  expect(time.at(3_603_700)).toBe(4_700);
  expect(time.at(3_604_700)).toBe(5_700);
});
