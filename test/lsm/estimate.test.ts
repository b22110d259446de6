import { expect, it } from 'vitest';
import { keyAt, openSmall, put, seriesKey, utf8 } from './engine-support.ts';

it('estimates what a range has, without reading', async () => {
  const { db, vfs } = await openSmall();
  for (let slot = 0; slot < 100; slot++) {
    for (let time = 0; time < 20; time++) put(db, keyAt(seriesKey(slot, 'n'), time), utf8('value'));
  }
  await db.flush();
  await db.compactFully();
  vfs.onOperation = ({ kind }) => expect.fail(kind);
  const whole = db.estimate({ lower: new Uint8Array(0) });
  expect(whole).toEqual({ bytes: db.diskBytes, entries: 2000 });
  const quarter = db.estimate({ lower: Uint8Array.of(25), upper: Uint8Array.of(50) });
  expect(quarter.entries).toBeGreaterThan(450);
  expect(quarter.entries).toBeLessThan(550);
  expect(quarter.bytes / whole.bytes).toBeCloseTo(0.25, 1);
  const one = db.estimate({ lower: seriesKey(7, 'n'), upper: seriesKey(8, 'n') });
  expect(one.entries).toBeGreaterThan(0);
  expect(one.entries).toBeLessThan(80);
  expect(db.estimate({ lower: Uint8Array.of(200) }).entries).toBe(0);
});
