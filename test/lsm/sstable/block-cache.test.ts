import { describe, expect, it } from 'vitest';
import { BlockCache, type Cacheable, type CachedTable } from '../../../lsm/sstable/block-cache.ts';

class Item implements Cacheable {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  movedTo(bytes: Uint8Array): Item {
    return new Item(bytes);
  }
}

/** Asked for twice, so that it is kept. */
function add(table: CachedTable, place: number, length: number): Uint8Array {
  once(table, place, length);
  return once(table, place, length);
}

function once(table: CachedTable, place: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(place);
  return table.add(place, bytes, true, (kept) => new Item(kept)).bytes;
}

/** 1,600 bytes in pieces of 100. */
const open = () => new BlockCache(1600);

describe('the block cache', () => {
  it('keeps copies, within its bytes', () => {
    const cache = open();
    const table = cache.openTable();
    for (let place = 0; place < 100; place++) {
      const length = 1 + ((place * 37) % 160);
      expect(add(table, place, length)).toEqual(new Uint8Array(length).fill(place));
      expect(table.get(place)?.bytes).toEqual(new Uint8Array(length).fill(place));
      expect(cache.usedBytes).toBeLessThanOrEqual(1600);
    }
    expect(table.get(0)).toBeUndefined();
    expect(cache.statistics()).toMatchObject({ blockCacheHits: 100, blockCacheMisses: 1 });
  });

  it('counts what filters were asked, and what they spared, over all tables', () => {
    const cache = open();
    for (const mayContain of [true, false, false]) cache.openTable().filtered(mayContain);
    expect(cache.statistics()).toMatchObject({ filterChecks: 3, filterSkips: 2 });
  });

  it('gives what it cannot keep all the same, as a copy', () => {
    const cache = open();
    const table = cache.openTable();
    const bytes = new Uint8Array(1601).fill(7);
    const item = table.add(0, bytes, true, (kept) => new Item(kept));
    bytes.fill(8);
    expect(item.bytes).toEqual(new Uint8Array(1601).fill(7));
    expect(table.get(0)).toBeUndefined();
  });

  it('does not change what somebody still holds', () => {
    const cache = open();
    const table = cache.openTable();
    const first = add(table, 1, 50);
    for (let place = 2; place < 200; place++) add(table, place, 50);
    expect(table.get(1)).toBeUndefined();
    expect(first).toEqual(new Uint8Array(50).fill(1));
  });

  it('spares what was used, small or large, while much else passes through', () => {
    const cache = open();
    const table = cache.openTable();
    add(table, 1, 30);
    add(table, 2, 400);
    for (let place = 3; place < 250; place++) {
      add(table, place, 45);
      expect(table.get(1)?.bytes).toEqual(new Uint8Array(30).fill(1));
      expect(table.get(2)?.bytes).toEqual(new Uint8Array(400).fill(2));
      expect(cache.usedBytes).toBeLessThanOrEqual(1600);
    }
    for (let place = 0; place < 60; place++) add(table, -place, 90);
    expect(table.get(2)).toBeUndefined();
  });

  it('makes room even where everything was used', () => {
    const cache = open();
    const table = cache.openTable();
    for (let place = 0; place < 200; place++) {
      add(table, place, 40);
      for (let other = 0; other <= place; other++) table.get(other);
    }
    expect(table.get(199)).toBeDefined();
    expect(cache.usedBytes).toBeLessThanOrEqual(1600);
  });

  it('keeps what is asked for once only while there is room', () => {
    const cache = open();
    const table = cache.openTable();
    for (let place = 1; place <= 100; place++) once(table, place, 100);
    expect([table.get(1), table.get(15)].every((item) => item !== undefined)).toBe(true);
    expect(table.get(100)).toBeUndefined();
    once(table, 100, 100);
    expect(table.get(100)).toBeDefined();
  });

  it('forgets a table that is closed, and takes nothing of it any more', () => {
    const cache = open();
    const [one, two] = [cache.openTable(), cache.openTable()];
    add(one, 1, 50);
    add(two, 1, 50);
    one.close();
    add(one, 3, 50);
    expect([one.get(1), one.get(3)]).toEqual([undefined, undefined]);
    expect(two.get(1)).toBeDefined();
    for (let place = 2; place < 100; place++) add(two, place, 50);
    expect(cache.usedBytes).toBeLessThanOrEqual(1600);
  });
});
