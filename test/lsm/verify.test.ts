import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '../../lsm/engine.ts';
import { settled } from '../support/settled.ts';
import { keyAt, openSmall, put, seriesKey, utf8 } from './engine-support.ts';

const corruptions = (events: readonly EngineEvent[]) =>
  events.flatMap((event) => (event.kind === 'corruption' ? [event] : []));

/** Four tables in level 0 of some blocks each. */
async function fourTables(more = {}) {
  const opened = await openSmall(undefined, { level0TablesTrigger: 100, ...more });
  for (let i = 0; i < 4; i++) {
    for (let time = 0; time < 60; time++) {
      put(opened.db, keyAt(seriesKey(1, 's'), time * 4 + i), utf8(`${time * 7919}`));
    }
    await opened.db.flush();
  }
  const names = (await opened.vfs.list('/db')).filter((name) => name.endsWith('.sst'));
  return { ...opened, names };
}

describe('verify', () => {
  it('finds nothing where nothing is', async () => {
    const { db, events } = await fourTables();
    expect(await db.verify()).toEqual({ tables: 4, damage: [] });
    expect(corruptions(events)).toEqual([]);
  });

  it('finds every damaged place, goes on, and reports them', async () => {
    const { db, vfs, events, names } = await fourTables();
    vfs.damage(`/db/${names[1]}`, 10, 1);
    const middle = (await vfs.readFile(`/db/${names[1]}`)).length >>> 1;
    vfs.damage(`/db/${names[1]}`, middle, 1);
    vfs.damage(`/db/${names[3]}`, 10, 1);
    const { damage } = await db.verify();
    expect(damage.map(({ file }) => file)).toEqual(
      expect.arrayContaining([names[1], names[1], names[3]]),
    );
    expect(new Set(damage.map(({ file }) => file)).size).toBe(2);
    expect(damage.filter(({ file }) => file === names[1]).length).toBeGreaterThan(1);
    expect(corruptions(events).length).toBe(damage.length);
    const [first] = corruptions(events);
    expect(first?.range?.lower).toEqual(keyAt(seriesKey(1, 's'), 239));
    expect(first?.range?.upper).toEqual(Uint8Array.of(...keyAt(seriesKey(1, 's'), 3), 0));
  });

  it('keeps the tables that it looks at', async () => {
    const { db, vfs, names } = await fourTables();
    const verified = db.verify();
    await db.compactFully();
    expect(await verified).toMatchObject({ tables: 4, damage: [] });
    await settled();
    expect((await vfs.list('/db')).filter((name) => names.includes(name))).toEqual([]);
  });
});

describe('a scrub', () => {
  it('reads all tables over and over at its rate, and reports a place once', async () => {
    const pauses: number[] = [];
    let go = () => {};
    const pause = (milliseconds: number) => {
      pauses.push(milliseconds);
      return new Promise<void>((resolve) => {
        go = resolve;
      });
    };
    const { db, vfs, events, names } = await fourTables({ pause, scrubBytesPerSecond: 1000 });
    const next = async () => {
      const before = pauses.length;
      go();
      while (pauses.length === before) await settled();
    };
    while (pauses.length === 0) await settled();
    // It began before there were tables, and rests.
    expect(pauses.splice(0)).toEqual([60_000]);
    go();
    while (pauses.length === 0) await settled();
    vfs.damage(`/db/${names[2]}`, 10, 1);
    for (let i = 0; i < 9; i++) await next();
    expect(corruptions(events)).toMatchObject([{ file: names[2] }]);
    // Four tables, then a rest, then the next round.
    const sizes = await Promise.all(names.map((name) => vfs.readFile(`/db/${name}`)));
    const costs = sizes.map(({ length }) => length);
    expect(pauses).toEqual([...costs, 60_000, ...costs, 60_000]);
    vfs.damage(`/db/${names[0]}`, 10, 1);
    await next();
    expect(corruptions(events)).toMatchObject([{ file: names[2] }, { file: names[0] }]);
    await db.close();
    const { length } = pauses;
    go();
    await settled();
    expect(pauses.length).toBe(length);
  });

  it('is none without a rate', async () => {
    const { db, vfs, events, names } = await fourTables({ pause: async () => {} });
    vfs.damage(`/db/${names[2]}`, 10, 1);
    for (let i = 0; i < 20; i++) await settled();
    expect(corruptions(events)).toEqual([]);
    await db.close();
  });
});
