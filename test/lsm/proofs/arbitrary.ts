import fc from 'fast-check';
import { defaultCodec } from '../../../lsm/codec/codecs.ts';
import type { DbOptions } from '../../../lsm/options.ts';
import { keyAt, seriesKey } from '../entries.ts';

/** Keys of an engine to which each key is a series: empty, beginnings of each other, long, all bytes. */
export const anyKey: fc.Arbitrary<Uint8Array> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .array(fc.constantFrom(0x00, 0x01, 0x61, 0xfe, 0xff), { maxLength: 5 })
      .map((bytes) => Uint8Array.from(bytes)),
  },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(0x00, 0x61, 0xff), fc.constantFrom(127, 128, 129, 700), fc.nat(2))
      .map(([byte, length, last]) => Uint8Array.from([...Array(length).fill(byte), last])),
  },
);

const names = ['', 'a', 'ab', 'b', '\u00ff'];

const seriesOf = (at: number) => seriesKey(at % 3, names[at % names.length] as string);

/** Keys as a node makes them: a series, and the inverted time. */
export const seriesAndTime: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.nat(11), fc.oneof(fc.nat(30), fc.constantFrom(2 ** 41, 2 ** 53 - 1)))
  .map(([series, time]) => keyAt(seriesOf(series), time));

/** What `first` may be asked for: a series key, a beginning of it, or what reaches into the ending. */
export const prefixOf = (key: fc.Arbitrary<Uint8Array>, suffixBytes: number) =>
  fc.oneof(
    fc.tuple(key, fc.nat(14)).map(([bytes, length]) => bytes.slice(0, length)),
    key.map((bytes) => bytes.slice(0, bytes.length - suffixBytes)),
  );

/** Whether it is slot, space, name and the zero that ends it. */
export const isWholeSeriesKey = (prefix: Uint8Array) =>
  prefix.length > 2 && prefix.indexOf(0, 2) === prefix.length - 1;

export const aValue: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(255), fc.nat(200)).map(([byte, length]) => fill(length, byte)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(255), fc.integer({ min: 3000, max: 6000 })).map(([seed, length]) =>
      // Such that no codec makes it small.
      Uint8Array.from({ length }, (_, i) => Math.imul(i + seed, 2654435761) >>> 23),
    ),
  },
);

const fill = (length: number, byte: number) => new Uint8Array(length).fill(byte);

/** Sizes so small that some hundred entries reach every part of the engine, and all ways to do the same. */
export type Tuning = Pick<
  DbOptions,
  | 'keyFilter'
  | 'codec'
  | 'blockSizeBytes'
  | 'tableBytes'
  | 'memtableBytes'
  | 'frozenMemtablesMax'
  | 'level0TablesTrigger'
  | 'level0TablesMax'
  | 'blockCacheBytes'
  | 'openFilesMax'
  | 'checkTablesAtOpen'
  | 'borders'
  | 'compactionMemoryBytes'
>;

export const tuning = (key: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Required<Tuning>> =>
  fc.record({
    keyFilter: fc.boolean(),
    codec: fc.constantFrom('none', 'deflate', defaultCodec()),
    blockSizeBytes: fc.constantFrom(64, 256, 1024, 4096),
    tableBytes: fc.constantFrom(300, 1000, 4000, 100_000),
    memtableBytes: fc.constantFrom(1, 500, 3000, 20_000),
    frozenMemtablesMax: fc.constantFrom(1, 2, 4),
    level0TablesTrigger: fc.constantFrom(1, 2, 4, 6),
    level0TablesMax: fc.constantFrom(6, 24),
    blockCacheBytes: fc.constantFrom(0, 1, 500, 4000, 1_000_000),
    openFilesMax: fc.constantFrom(1, 2, 3, 256),
    checkTablesAtOpen: fc.boolean(),
    borders: fc.array(key, { maxLength: 3 }).map((borders) => {
      const byHex = new Map(borders.map((border) => [Buffer.from(border).toString('hex'), border]));
      return [...byHex].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, border]) => border);
    }),
    compactionMemoryBytes: fc.constantFrom(10_000, 1_000_000),
  });
