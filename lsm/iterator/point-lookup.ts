import { compareBytes } from '../bytes.ts';
import type { MaybePromise } from '../engine.ts';
import type { Memtable } from '../memtable/memtable.ts';
import { hashSeries } from '../sstable/filter.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { FoundEntry, TableReader } from '../sstable/table-reader.ts';

export interface LookupSources {
  readonly memtables: readonly Memtable[];
  /** Tables that may hold the series, newest first: the sooner a new value is found, the more are skipped. */
  readonly tables: readonly TableMeta[];
  readonly seqMax: number;
  readonly suffixBytes: number;
  readonly readerOf: (table: TableMeta) => TableReader;
}

/**
 * The first entry of a series: over all sources the least suffix and, of equal ones, the highest sequence
 * number. A late value of an old time may be in a newer source, so the first hit need not be the answer; but
 * a table whose newest time is older than what was found cannot change it, which leaves few to be read.
 */
export function firstOfSeries(
  series: Uint8Array,
  sources: LookupSources,
): MaybePromise<FoundEntry | undefined> {
  let best: FoundEntry | undefined;
  for (const memtable of sources.memtables) {
    const address = memtable.firstOfSeries(series, sources.seqMax);
    if (address >= 0) best = better(best, entryAt(memtable, address));
  }
  const hash = hashSeries(series, 0, series.length);
  const lookFrom = (start: number): MaybePromise<FoundEntry | undefined> => {
    for (let i = start; i < sources.tables.length; i++) {
      const table = sources.tables[i] as TableMeta;
      if (best !== undefined && !mayImprove(table, best, sources.suffixBytes)) continue;
      const found = sources.readerOf(table).first(series, hash);
      if (found instanceof Promise) {
        return found.then((entry) => {
          best = better(best, entry);
          return lookFrom(i + 1);
        });
      }
      best = better(best, found);
    }
    return best;
  };
  return lookFrom(0);
}

function mayImprove(table: TableMeta, best: FoundEntry, suffixBytes: number): boolean {
  const suffix = best.key.subarray(best.key.length - suffixBytes);
  const order = compareBytes(table.suffixMin, suffix);
  return order < 0 || (order === 0 && table.seqMax > best.seq);
}

function better(
  best: FoundEntry | undefined,
  found: FoundEntry | undefined,
): FoundEntry | undefined {
  if (best === undefined || found === undefined) return found ?? best;
  const order = compareBytes(found.key, best.key);
  return order < 0 || (order === 0 && found.seq > best.seq) ? found : best;
}

function entryAt(memtable: Memtable, address: number): FoundEntry {
  const bytes = memtable.bytesOf(address);
  const keyEnd = memtable.keyEnd(address);
  return {
    key: bytes.subarray(memtable.keyStart(address), keyEnd),
    value: bytes.subarray(keyEnd, memtable.valueEnd(address)),
    seq: memtable.seqOf(address),
  };
}
