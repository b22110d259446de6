import { expect, it } from 'vitest';
import { isFull, isPressed, storageSizes } from '../../../node/upkeep/storage-budget.ts';

const used = (percent: number) => ({ usedBytes: percent, maxBytes: 100 });

it('without a budget nothing is ever full', () => {
  const load = { usedBytes: Number.MAX_SAFE_INTEGER, maxBytes: 0 };
  expect(isPressed(load)).toBe(false);
  expect(isFull(load, { wasFull: true, hasHistory: false })).toBe(false);
});

it('history goes from 80 % on', () => {
  expect(isPressed(used(80))).toBe(false);
  expect(isPressed(used(81))).toBe(true);
});

it('puts are refused when nothing is left to go, at 110 % at once, and until there is room', () => {
  const before = { wasFull: false, hasHistory: false };
  expect(isFull(used(100), before)).toBe(false);
  expect(isFull(used(101), before)).toBe(true);
  expect(isFull(used(110), { ...before, hasHistory: true })).toBe(false);
  expect(isFull(used(111), { ...before, hasHistory: true })).toBe(true);
  expect(isFull(used(96), { wasFull: true, hasHistory: true })).toBe(true);
  expect(isFull(used(95), { wasFull: true, hasHistory: true })).toBe(false);
});

it('of a large budget the log may take four times its own for who is brought up to date, of a small one no more than that', () => {
  const logBytesMax = 64 * 2 ** 20;
  const of = (storageMaxBytes: number) => storageSizes({ storageMaxBytes });
  expect(of(0)).toMatchObject({ logBytesMax, catchUpBytesMax: 4 * logBytesMax });
  expect(of(100 * 2 ** 30).catchUpBytesMax).toBe(4 * logBytesMax);
  expect(of(2 ** 30)).toMatchObject({ logBytesMax, catchUpBytesMax: 2 * logBytesMax });
  expect(of(2 ** 20)).toMatchObject({ logBytesMax: 2 ** 18, catchUpBytesMax: 2 ** 18 });
});
