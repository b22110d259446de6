import { compareBytes } from '../bytes.ts';
import type { MaybePromise } from '../engine.ts';
import type { Memtable } from '../memtable/memtable.ts';
import { hashKey } from '../sstable/filter.ts';
import { EntryKind } from '../sstable/format.ts';
import type { Access } from '../sstable/table-files.ts';
import type { FoundEntry } from '../sstable/table-lookup.ts';
import { mayHoldPrefix, type TableMeta } from '../sstable/table-meta.ts';
import type { TableReader } from '../sstable/table-reader.ts';
import { firstReaching, type Version } from '../version/version.ts';

/** Where a lookup looks: all there is at one moment. */
export interface LookupSources {
  /** Newest first. */
  readonly memtables: readonly Memtable[];
  readonly version: Version;
  /** Of the active memtable nothing newer is seen; all else is older anyway. */
  readonly seqMax: number;
  readonly suffixBytes: number;
  readonly readerOf: (table: TableMeta) => TableReader;
}

/**
 * The newest entry of a key, which may be a deletion. What is in memory is newer than all tables; among tables
 * sequence numbers decide, and one that has none above what was found is not asked.
 */
export function newestOfKey(
  key: Uint8Array,
  sources: LookupSources,
  access: Access,
): MaybePromise<FoundEntry | undefined> {
  for (const memtable of sources.memtables) {
    const address = memtable.find(key, sources.seqMax);
    if (address >= 0) return entryAt(memtable, address, key);
  }
  const { suffixBytes } = sources;
  const seriesHash = hashKey(key, 0, Math.max(0, key.length - suffixBytes));
  const keyHash = suffixBytes === 0 ? undefined : hashKey(key, 0, key.length);
  return newestInTables({ key, seriesHash, keyHash, sources, access }, undefined, 0, 0);
}

interface KeyLookup {
  readonly key: Uint8Array;
  readonly seriesHash: number;
  readonly keyHash: number | undefined;
  readonly sources: LookupSources;
  readonly access: Access;
}

/** From the table at `place` of a level on; below level 0 one table at most can hold the key. */
function newestInTables(
  lookup: KeyLookup,
  found: FoundEntry | undefined,
  fromLevel: number,
  fromPlace: number,
): MaybePromise<FoundEntry | undefined> {
  const { key, seriesHash, keyHash, access, sources } = lookup;
  const { levels } = sources.version;
  let newest = found;
  let place = fromPlace;
  for (let level = fromLevel; level < levels.length; level++) {
    const tables = levels[level] as readonly TableMeta[];
    if (level > 0) place = firstReaching(tables, key);
    const end = level === 0 ? tables.length : Math.min(place + 1, tables.length);
    for (; place < end; place++) {
      const table = tables[place] as TableMeta;
      if (newest !== undefined && table.seqMax < newest.seq) continue;
      if (compareBytes(table.smallest, key) > 0 || compareBytes(table.largest, key) < 0) continue;
      const entry = sources.readerOf(table).get(key, seriesHash, keyHash, access);
      if (entry instanceof Promise) {
        const next = level === 0 ? { level, place: place + 1 } : { level: level + 1, place: 0 };
        const before = newest;
        // Whoever asks may meanwhile use the memory of the key for another.
        const own = { ...lookup, key: new Uint8Array(key) };
        return entry.then((read) =>
          newestInTables(own, newer(before, read), next.level, next.place),
        );
      }
      newest = newer(newest, entry);
    }
    place = 0;
  }
  return newest;
}

function newer(a: FoundEntry | undefined, b: FoundEntry | undefined): FoundEntry | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.seq > a.seq ? b : a;
}

/** What a user sees of an entry: a deletion is nothing, a value is a copy to keep. */
export function shownValue(found: FoundEntry | undefined): Uint8Array | undefined {
  if (found === undefined || found.kind === EntryKind.deletion) return undefined;
  // A Buffer out of Node's pool: what most users want, and quicker to get than memory of its own.
  const value = Buffer.allocUnsafe(found.value.length);
  value.set(found.value);
  return value;
}

/**
 * The first entry of a series, which may be a deletion: over all sources the least suffix and, of equal ones, the
 * highest sequence number. A late value of an old time may be in a newer source, so the first hit need not be the
 * answer; but a table whose newest time is older than what was found cannot change it, which leaves few to be read.
 */
export function firstOfSeries(
  series: Uint8Array,
  sources: LookupSources,
  access: Access,
): MaybePromise<FoundEntry | undefined> {
  let best: FoundEntry | undefined;
  for (const memtable of sources.memtables) {
    const address = memtable.firstOfSeries(series, sources.seqMax);
    if (address >= 0) best = better(best, entryAt(memtable, address, keyAt(memtable, address)));
  }
  const tables = tablesOfSeries(sources.version, series);
  const hash = hashKey(series, 0, series.length);
  let own = series;
  const lookFrom = (start: number): MaybePromise<FoundEntry | undefined> => {
    for (let i = start; i < tables.length; i++) {
      const table = tables[i] as TableMeta;
      if (best !== undefined && !mayImprove(table, best, sources.suffixBytes)) continue;
      const found = sources.readerOf(table).first(own, hash, access);
      if (found instanceof Promise) {
        if (own === series) own = new Uint8Array(series);
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

/**
 * Newest first: the sooner a new entry is found, the more are skipped. Of a sorted level only the table that holds
 * the first key at or after the series can have its first.
 */
function tablesOfSeries(version: Version, series: Uint8Array): TableMeta[] {
  const tables: TableMeta[] = [];
  for (const table of version.levels[0] ?? []) {
    if (mayHoldPrefix(table, series)) tables.push(table);
  }
  for (let level = 1; level < version.levels.length; level++) {
    const table = version.tableReaching(level, series);
    if (table !== undefined && mayHoldPrefix(table, series)) tables.push(table);
  }
  return tables;
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

function entryAt(memtable: Memtable, address: number, key: Uint8Array): FoundEntry {
  return {
    key,
    value: memtable.bytesOf(address).subarray(memtable.keyEnd(address), memtable.valueEnd(address)),
    seq: memtable.seqOf(address),
    kind: memtable.kindOf(address),
  };
}

function keyAt(memtable: Memtable, address: number): Uint8Array {
  return memtable.bytesOf(address).slice(memtable.keyStart(address), memtable.keyEnd(address));
}
