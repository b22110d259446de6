import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../lsm/bytes.ts';
import { LsmError } from '../../lsm/errors.ts';
import { crc32c } from '../../lsm/hash/crc32c.ts';
import { BlockBuilder } from '../../lsm/sstable/block-builder.ts';
import { BlockCache } from '../../lsm/sstable/block-cache.ts';
import { Block, BlockCursor } from '../../lsm/sstable/block-reader.ts';
import { FilterBuilder, hashSeries, mayContain } from '../../lsm/sstable/filter.ts';
import { decodeFooter, encodeFooter, FOOTER_BYTES } from '../../lsm/sstable/footer.ts';
import { tableFileName } from '../../lsm/sstable/format.ts';
import type { TableMeta } from '../../lsm/sstable/table-meta.ts';
import { TableReader } from '../../lsm/sstable/table-reader.ts';
import { TableWriter } from '../../lsm/sstable/table-writer.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import {
  drain,
  type Entry,
  hex,
  keyAt,
  keyOf,
  ListCursor,
  seriesKey,
  sorted,
  text,
  utf8,
} from './engine-support.ts';

const entries = fc
  .uniqueArray(fc.uint8Array({ minLength: 8, maxLength: 20, max: 3 }), {
    selector: hex,
    minLength: 1,
    maxLength: 80,
  })
  .chain((keys) =>
    fc
      .array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.maxSafeNat()), {
        minLength: keys.length,
        maxLength: keys.length,
      })
      .map((rest) =>
        sorted(
          keys.map((key, i) => ({
            key,
            value: rest[i]?.[0] as Uint8Array,
            seq: rest[i]?.[1] as number,
          })),
        ),
      ),
  );

function blockOf(list: readonly Entry[]): Block {
  const builder = new BlockBuilder();
  for (const { key, value, seq } of list) {
    builder.add(key, 0, key.length, seq, value, 0, value.length);
  }
  return new Block(builder.finish().slice(), 'test', 0);
}

function cursorOf(block: Block): BlockCursor {
  const cursor = new BlockCursor();
  cursor.reset(block);
  return cursor;
}

async function writeTable(
  vfs: CrashableMemVfs,
  list: readonly Entry[],
  fileNumber = 1,
  blockSizeBytes = 128,
): Promise<TableMeta> {
  const options = { vfs, directory: '/', fileNumber, blockSizeBytes, suffixBytes: 8 };
  const writer = await TableWriter.create(options);
  const cursor = new ListCursor(list);
  for (cursor.seek(new Uint8Array(0)); cursor.valid; cursor.next()) {
    writer.add(cursor);
    if (writer.wantsDrain) await writer.drain();
  }
  return writer.finish();
}

/** Histories of some series, as tables really hold them. */
function histories(series: number, times: number): Entry[] {
  const list: Entry[] = [];
  for (let s = 0; s < series; s++) {
    for (let time = 0; time < times; time++) {
      const key = keyAt(seriesKey(s % 7, `device/${s}/temperature`), 1000 + time);
      list.push({ key, value: utf8(`${s}:${time}`), seq: 1 + s * times + time });
    }
  }
  return sorted(list);
}

describe('blocks', () => {
  it('give back what was added', async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (list) => {
        expect(await drain(cursorOf(blockOf(list)))).toEqual(list);
      }),
    );
  });

  it('seek to the first key at or after any bytes', () => {
    fc.assert(
      fc.property(entries, fc.uint8Array({ maxLength: 20, max: 4 }), (list, target) => {
        const cursor = cursorOf(blockOf(list));
        cursor.seek(target);
        const expected = list.find(({ key }) => compareBytes(key, target) >= 0);
        expect(cursor.valid ? hex(keyOf(cursor)) : undefined).toBe(
          expected === undefined ? undefined : hex(expected.key),
        );
      }),
    );
  });

  it.each([1, 15, 16, 17, 32, 33])(
    'work with %i entries that are prefixes of each other',
    async (n) => {
      const list = Array.from({ length: n }, (_, i) => ({
        key: new Uint8Array(8 + i).fill(7),
        value: utf8(`${i}`),
        seq: i,
      }));
      const block = blockOf(list);
      expect(block.restartCount).toBe(Math.ceil(n / 16));
      expect(await drain(cursorOf(block))).toEqual(list);
      for (const { key } of list) {
        const cursor = cursorOf(block);
        cursor.seek(key);
        expect(keyOf(cursor)).toEqual(key);
      }
    },
  );

  it('neither hang nor lead out of themselves whatever their bytes are', () => {
    const typed = (run: () => void) => {
      try {
        run();
      } catch (error) {
        expect(error).toBeInstanceOf(LsmError);
      }
    };
    const walk = (bytes: Uint8Array, target: Uint8Array) => {
      const cursor = cursorOf(new Block(bytes, 'fuzz', 0));
      let steps = 0;
      for (cursor.seekFirst(); cursor.valid; cursor.next()) {
        expect(++steps).toBeLessThanOrEqual(bytes.length);
        expect(cursor.valueEnd).toBeLessThanOrEqual(bytes.length);
      }
      cursor.seek(target);
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array(), (bytes, target) => {
        typed(() => walk(bytes, target));
      }),
    );
    fc.assert(
      fc.property(entries, fc.nat(), fc.nat(255), fc.uint8Array(), (list, at, byte, target) => {
        const bytes = blockOf(list).bytes.slice();
        bytes[at % bytes.length] = byte;
        typed(() => walk(bytes, target));
      }),
    );
  });
});

describe('the filter', () => {
  it('never denies a series it was given, and rarely affirms another', () => {
    const builder = new FilterBuilder();
    const name = (i: number) => seriesKey(i % 256, `device/${i}`);
    for (let i = 0; i < 5000; i++) builder.add(name(i), 0, name(i).length);
    const filter = builder.finish();
    const affirms = (i: number) => mayContain(filter, hashSeries(name(i), 0, name(i).length));
    let wrong = 0;
    for (let i = 0; i < 5000; i++) expect(affirms(i)).toBe(true);
    for (let i = 5000; i < 25_000; i++) if (affirms(i)) wrong++;
    expect(wrong / 20_000).toBeLessThan(0.02);
  });

  it('says maybe when it makes no sense', () => {
    const hash = { first: 1, second: 2 };
    expect(mayContain(new Uint8Array(0), hash)).toBe(true);
    expect(mayContain(Uint8Array.of(3), hash)).toBe(true);
    expect(mayContain(Uint8Array.of(0, 0, 200), hash)).toBe(true);
  });
});

describe('tables', () => {
  it('give back what was written, with and without a cache, in reads and in scans', async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (list) => {
        const vfs = new CrashableMemVfs();
        const meta = await writeTable(vfs, list);
        const cached = await TableReader.open(vfs, '/', 1, new BlockCache(300));
        expect(await drain(cached.cursor())).toEqual(list);
        expect(await drain(cached.scanCursor(200))).toEqual(list);
        expect(meta).toMatchObject(cached.properties);
        expect(meta.bytes).toBe(cached.bytes);
        await cached.close();
      }),
      { numRuns: 50 },
    );
  });

  it('say in their properties what they hold', async () => {
    const list = histories(5, 40);
    const meta = await writeTable(new CrashableMemVfs(), list);
    expect(meta).toMatchObject({ entryCount: 200, seqMin: 1, seqMax: 200, damaged: false });
    expect(meta.smallest).toEqual(list[0]?.key);
    expect(meta.largest).toEqual(list.at(-1)?.key);
    expect(hex(meta.suffixMin)).toBe(hex(keyAt(new Uint8Array(0), 1039)));
    expect(hex(meta.suffixMax)).toBe(hex(keyAt(new Uint8Array(0), 1000)));
  });

  it('find the first of a series, and at once when all is in the cache', async () => {
    const list = histories(60, 20);
    const vfs = new CrashableMemVfs();
    await writeTable(vfs, list);
    const reader = await TableReader.open(vfs, '/', 1, new BlockCache(1 << 20));
    const series = seriesKey(30 % 7, 'device/30/temperature');
    const hash = hashSeries(series, 0, series.length);
    const first = reader.first(series, hash);
    expect(first).toBeInstanceOf(Promise);
    expect(text((await first)?.value as Uint8Array)).toBe('30:19');
    const again = reader.first(series, hash);
    expect(again).not.toBeInstanceOf(Promise);
    const absent = seriesKey(3, 'device/none');
    expect(await reader.first(absent, hashSeries(absent, 0, absent.length))).toBeUndefined();
  });

  it('skip forward within a block without a read', async () => {
    const list = histories(2, 200);
    const vfs = new CrashableMemVfs();
    await writeTable(vfs, list, 1, 4096);
    const reader = await TableReader.open(vfs, '/', 1);
    const cursor = reader.cursor();
    await cursor.seek(list[0]?.key as Uint8Array);
    expect(cursor.seek(list[20]?.key as Uint8Array)).toBeUndefined();
    expect(keyOf(cursor)).toEqual(list[20]?.key);
  });

  it('answer rightly or with CORRUPTION when any one byte is damaged', async () => {
    const list = histories(6, 12);
    const vfs = new CrashableMemVfs();
    const { bytes } = await writeTable(vfs, list);
    for (let offset = 0; offset < bytes; offset++) {
      const flip = 1 << (offset % 8);
      vfs.damage(`/${tableFileName(1)}`, offset, flip);
      await expectRightOrCorrupt(vfs, list);
      vfs.damage(`/${tableFileName(1)}`, offset, flip);
    }
    expect(await expectRightOrCorrupt(vfs, list)).toBe('right');
  });

  it('answer with CORRUPTION when cut short', async () => {
    const list = histories(3, 10);
    const vfs = new CrashableMemVfs();
    const { bytes } = await writeTable(vfs, list);
    for (let length = bytes - 1; length >= 0; length -= 7) {
      const file = await vfs.open(`/${tableFileName(1)}`, 'write');
      await file.truncate(length);
      await file.close();
      expect(await expectRightOrCorrupt(vfs, list)).toBe('corrupt');
    }
  });

  it('refuse formats newer than ours by saying so', async () => {
    const footer = encodeFooter({
      filter: { offset: 1, length: 2 },
      topIndex: { offset: 3, length: 2 ** 31 },
      properties: { offset: 2 ** 40 + 5, length: 6 },
    });
    expect(decodeFooter(footer, 'f', 0).properties.offset).toBe(2 ** 40 + 5);
    footer[36] = 2;
    new DataView(footer.buffer).setUint32(40, crc32c(footer, 0, 40), true);
    expect(() => decodeFooter(footer, 'f', 0)).toThrow(/format 2, newer/);
    expect(footer.length).toBe(FOOTER_BYTES);

    const vfs = new CrashableMemVfs();
    await writeTable(vfs, histories(1, 3), 1, 4096);
    const raw = await vfs.readFile(`/${tableFileName(1)}`);
    const trailerAt = blockOf(histories(1, 3)).bytes.length;
    const changed = raw.slice(0, trailerAt + 5);
    changed[trailerAt] = 1;
    new DataView(changed.buffer).setUint32(trailerAt + 1, crc32c(changed, 0, trailerAt + 1), true);
    const file = await vfs.open(`/${tableFileName(1)}`, 'write');
    await file.write(0, changed);
    const reader = await TableReader.open(vfs, '/', 1);
    await expect(drain(reader.cursor())).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
  });
});

async function expectRightOrCorrupt(
  vfs: CrashableMemVfs,
  list: readonly Entry[],
): Promise<'right' | 'corrupt'> {
  let reader: TableReader | undefined;
  try {
    reader = await TableReader.open(vfs, '/', 1);
    expect(await drain(reader.cursor())).toEqual(list);
    const series = list[0]?.key.slice(0, -8) as Uint8Array;
    const found = await reader.first(series, hashSeries(series, 0, series.length));
    expect(found?.key).toEqual(list[0]?.key);
    return 'right';
  } catch (error) {
    if (!(error instanceof LsmError)) throw error;
    expect(error.code).toBe('CORRUPTION');
    return 'corrupt';
  } finally {
    await reader?.close();
  }
}

describe('the block cache', () => {
  it('keeps within its bytes and lets the least recently used go', () => {
    const cache = new BlockCache(100);
    const [one, two] = [cache.openTable(), cache.openTable()];
    const item = (bytes: number) => ({ bytes: new Uint8Array(bytes) });
    one.add(0, item(40));
    two.add(0, item(40));
    expect(one.get(0)).toBeDefined();
    one.add(40, item(40));
    expect(two.get(0)).toBeUndefined();
    expect(one.get(0)).toBeDefined();
    expect(cache.usedBytes).toBe(80);
    one.add(80, item(101));
    expect(one.get(80)).toBeUndefined();
    one.close();
    one.add(0, item(10));
    expect(cache.usedBytes).toBe(0);
  });
});
