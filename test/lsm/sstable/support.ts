import fc from 'fast-check';
import type { CodecName } from '../../../lsm/codec/codecs.ts';
import { Block } from '../../../lsm/sstable/block.ts';
import { BlockBuilder } from '../../../lsm/sstable/block-builder.ts';
import type { BlockCache } from '../../../lsm/sstable/block-cache.ts';
import { BlockCursor } from '../../../lsm/sstable/block-cursor.ts';
import { EntryKind } from '../../../lsm/sstable/format.ts';
import { TableFiles } from '../../../lsm/sstable/table-files.ts';
import type { TableMeta } from '../../../lsm/sstable/table-meta.ts';
import { TableReader } from '../../../lsm/sstable/table-reader.ts';
import { TableWriter, type TableWriterOptions } from '../../../lsm/sstable/table-writer.ts';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { type Entry, hex, keyAt, ListCursor, seriesKey, sorted, utf8 } from '../entries.ts';

export type WholeEntry = Required<Entry>;

/** Entries in key order, some of them deletions, with keys that share much or nothing. */
export function entriesOf(
  keyLengthMin: number,
  values: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 40 }),
): fc.Arbitrary<WholeEntry[]> {
  const key = fc.uint8Array({ minLength: keyLengthMin, maxLength: keyLengthMin + 12, max: 3 });
  const rest = fc.tuple(values, fc.maxSafeNat(), fc.boolean());
  return fc
    .uniqueArray(fc.tuple(key, rest), { selector: ([k]) => hex(k), minLength: 1, maxLength: 80 })
    .map((list) =>
      list.map(([k, [value, seq, isPut]]) =>
        isPut
          ? { key: k, value, seq, kind: EntryKind.put }
          : { key: k, value: new Uint8Array(0), seq, kind: EntryKind.deletion },
      ),
    )
    .map((list) => sorted(list) as WholeEntry[]);
}

/** Of series with suffixes of eight bytes. */
export const entries = entriesOf(8);

export function blockBytes(list: readonly Entry[]): Uint8Array {
  const builder = new BlockBuilder();
  for (const { key, value, seq, kind } of list) {
    builder.add(key, 0, key.length, seq, kind ?? EntryKind.put, value, 0, value.length);
  }
  return builder.finish().slice();
}

export function blockOf(list: readonly Entry[]): Block {
  return new Block(blockBytes(list), 'test', 0);
}

export function cursorOf(block: Block): BlockCursor {
  const cursor = new BlockCursor();
  cursor.reset(block);
  return cursor;
}

/** The options that tables differ by. */
export interface TableShape {
  readonly blockSizeBytes?: number;
  readonly codec?: CodecName;
  readonly keyFilter?: boolean;
  readonly suffixBytes?: number;
}

export async function writeTable(
  vfs: TableWriterOptions['vfs'],
  list: readonly Entry[],
  shape: TableShape = {},
  fileNumber = 1,
): Promise<TableMeta> {
  const options = { blockSizeBytes: 128, suffixBytes: 8, codec: 'none' as const, ...shape };
  const writer = await TableWriter.create({ vfs, directory: '/', fileNumber, ...options });
  const cursor = new ListCursor(list);
  for (cursor.seek(new Uint8Array(0)); cursor.valid; cursor.next()) {
    writer.add(cursor);
    if (writer.wantsDrain) await writer.drain();
  }
  return writer.finish();
}

export interface Written {
  readonly vfs: CrashableMemVfs;
  readonly meta: TableMeta;
  readonly files: TableFiles;
  readonly reader: TableReader;
}

/** A table in memory and a reader that has read nothing yet. */
export async function written(
  list: readonly Entry[],
  shape: TableShape = {},
  cache?: BlockCache,
): Promise<Written> {
  const vfs = new CrashableMemVfs();
  const meta = await writeTable(vfs, list, shape);
  const files = new TableFiles({ vfs, directory: '/' });
  return { vfs, meta, files, reader: new TableReader(files, meta, cache) };
}

/** Histories of some series, as tables really hold them. */
export function histories(series: number, times: number): WholeEntry[] {
  const list: WholeEntry[] = [];
  for (let s = 0; s < series; s++) {
    for (let time = 0; time < times; time++) {
      const key = keyAt(seriesKey(s % 7, `device/${s}/temperature`), 1000 + time);
      const kind = EntryKind.put;
      list.push({ key, value: utf8(`${s}:${time}`), seq: 1 + s * times + time, kind });
    }
  }
  return sorted(list) as WholeEntry[];
}
