import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultCodec } from '../../../lsm/codec/codecs.ts';
import {
  decodeExportedBlock,
  ExportedBlockBuilder,
} from '../../../lsm/compaction/exported-block.ts';
import { corruption } from '../../../lsm/corruption.ts';
import { ByteReader, ByteWriter } from '../../../lsm/encoding.ts';
import { LsmError } from '../../../lsm/errors.ts';
import { crc32c } from '../../../lsm/hash/crc32c.ts';
import { Block } from '../../../lsm/sstable/block.ts';
import { BlockCursor } from '../../../lsm/sstable/block-cursor.ts';
import { mayContain } from '../../../lsm/sstable/filter.ts';
import { decodeFooter, encodeFooter, FOOTER_BYTES } from '../../../lsm/sstable/footer.ts';
import { ReverseBlockPosition } from '../../../lsm/sstable/reverse-block-position.ts';
import { openSealed, sealBlock } from '../../../lsm/sstable/sealed-block.ts';
import { decodeProperties, encodeProperties } from '../../../lsm/sstable/table-meta.ts';
import { applyOperations, type OperationTarget } from '../../../lsm/store/operations.ts';
import { WriteBatch } from '../../../lsm/store/write-batch.ts';
import { readManifest } from '../../../lsm/version/manifest-reader.ts';
import { decodeEdit, encodeEdit } from '../../../lsm/version/version-edit.ts';
import { decodeFileHeader, encodeFileHeader, fileSeed } from '../../../lsm/wal/format.ts';
import { RecordBuffer } from '../../../lsm/wal/record-buffer.ts';
import { RecordScan } from '../../../lsm/wal/record-scan.ts';
import { keyAt, ListCursor, seriesKey, utf8 } from '../entries.ts';

// Whatever the bytes: an answer or an LsmError, in a time and with memory in proportion to them. Checksums are made
// right where there are any, so that what is behind them is met, too.

const numRuns = Number(process.env.DSS_PROOF_RUNS ?? 1000);

interface Decoder {
  readonly name: string;
  /** Something sound, to be changed. */
  readonly sound: Uint8Array;
  /** Reads all there is. */
  readonly read: (bytes: Uint8Array) => void;
}

const malformed = (offset: number, reason: string) => corruption('bytes', offset, reason, 'others');

const properties = {
  entryCount: 300,
  deletionCount: 2,
  rawBytes: 2 ** 40,
  seqMin: 1,
  seqMax: 2 ** 50,
  smallest: utf8('a'),
  largest: utf8('z'.repeat(200)),
  suffixMin: new Uint8Array(8),
  suffixMax: new Uint8Array(8).fill(255),
};
const table = { fileNumber: 7, bytes: 1234, damaged: false, ...properties };

function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  write(writer);
  return writer.written.slice();
}

const edit = {
  nextFileNumber: 9,
  lastSeq: 2 ** 50,
  positions: utf8('positions'),
  added: [{ level: 3, table }],
  removed: [1, 2],
};

function exported(): Uint8Array {
  const block = new ExportedBlockBuilder('none');
  const entries = Array.from({ length: 40 }, (_, i) => ({
    key: keyAt(seriesKey(i % 3, 'fuzz'), 1000 - i),
    value: utf8('value'.repeat(i % 4)),
    seq: 0,
  })).sort((a, b) => Buffer.compare(a.key, b.key));
  const cursor = new ListCursor(entries);
  for (cursor.seek(new Uint8Array(0)); cursor.valid; cursor.next()) block.add(cursor);
  return block.finish().bytes;
}

const rawBlock = openSealed(exported(), 'bytes', 0).slice();

/** Everything a block can be asked, both ways; ends, as each step goes on in the block. */
function readBlock(bytes: Uint8Array): void {
  const block = new Block(bytes, 'bytes', 0);
  const forward = new BlockCursor();
  forward.reset(block);
  let steps = 0;
  const check = () => {
    // An entry has five bytes at least.
    expect(++steps).toBeLessThan(bytes.length + 10);
    return true;
  };
  for (forward.seekFirst(); forward.valid && check(); ) forward.next();
  forward.seek(keyAt(seriesKey(1, 'fuzz'), 990));
  steps = 0;
  const backward = new ReverseBlockPosition();
  backward.reset(block);
  for (backward.toLast(); backward.valid && check(); ) backward.step();
  backward.toBefore(keyAt(seriesKey(1, 'fuzz'), 990));
}

function manifest(): Uint8Array {
  const payload = written((writer) => {
    writer.varint(0);
    encodeEdit(writer, edit);
  });
  const bytes = written((writer) => {
    for (const byte of utf8('DSSMANIF')) writer.u8(byte);
    writer.u32(1);
    writer.u32(0);
    for (const byte of utf8('EDIT')) writer.u8(byte);
    writer.u32(0);
    writer.u32(payload.length);
    writer.range(payload, 0, payload.length);
  });
  return withManifestChecksums(bytes);
}

const put32 = (bytes: Uint8Array, at: number, value: number) =>
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true);

function withManifestChecksums(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 29) return bytes;
  put32(bytes, 12, crc32c(bytes, 0, 12));
  put32(bytes, 24, bytes.length - 28);
  put32(bytes, 20, crc32c(bytes, 24, bytes.length));
  return bytes;
}

function withBlockChecksum(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 5) return bytes;
  put32(bytes, bytes.length - 4, crc32c(bytes, 0, bytes.length - 4));
  return bytes;
}

function footer(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== FOOTER_BYTES) return bytes;
  put32(bytes, 52, crc32c(bytes, 0, 52));
  bytes.set(utf8('DSSTABLE'), 56);
  return bytes;
}

function operations(): Uint8Array {
  const batch = new WriteBatch();
  for (let i = 0; i < 5; i++) batch.put(utf8(`key ${i}`), utf8('v'.repeat(60 * i)));
  batch.delete(utf8('key 3'));
  return batch.encoded.slice();
}

/** What carries out operations as an engine would, and looks whether the ranges are inside of their array. */
const target: OperationTarget = {
  put(key, keyStart, keyEnd, value, valueStart, valueEnd) {
    expect(isInside(key, keyStart, keyEnd)).toBe(true);
    expect(isInside(value, valueStart, valueEnd)).toBe(true);
  },
  delete(key, keyStart, keyEnd) {
    expect(isInside(key, keyStart, keyEnd)).toBe(true);
  },
};

const isInside = (bytes: Uint8Array, start: number, end: number) =>
  start <= end && end <= bytes.length;

const compressible = new Uint8Array(5000).fill(7);

const walHeader = { fileNumber: 3, firstRecord: 8, syncedRecord: 7 };

/** A header and three records. */
function walFile(): Uint8Array {
  const bytes = new Uint8Array(4096 + 1000);
  bytes.set(encodeFileHeader(walHeader));
  const record = new RecordBuffer();
  let at = 4096;
  for (const number of [8, 9, 10]) {
    record.encode([utf8('payload'.repeat(number))], { number, syncedRecord: 7 }, fileSeed(3));
    bytes.set(record.bytes, at);
    at += record.bytes.length;
  }
  return bytes.slice(0, at);
}

/** The checksum of the first record's header made right. */
function withWalChecksum(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 4096 + 32) return bytes;
  put32(bytes, 4100, crc32c(bytes, 4104, 4128, fileSeed(3)));
  return bytes;
}

function readRecords(bytes: Uint8Array): void {
  const scan = new RecordScan(bytes, 3);
  for (let last = 0; scan.next(); last = scan.number) {
    expect(scan.number).toBeGreaterThan(last);
    expect(scan.payload()?.length ?? 0).toBeLessThanOrEqual(bytes.length);
  }
}

const decoders: readonly Decoder[] = [
  {
    name: 'varints and byte strings',
    sound: written((writer) => {
      writer.varint(2 ** 52);
      writer.byteString(new Uint8Array(300));
      writer.u32(1);
    }),
    read: (bytes) => {
      const reader = new ByteReader(bytes, malformed);
      while (reader.remaining > 0) {
        reader.varint();
        expect(reader.byteString().length).toBeLessThanOrEqual(bytes.length);
      }
    },
  },
  {
    name: 'properties of a table',
    sound: written((writer) => encodeProperties(writer, properties)),
    read: (bytes) => void decodeProperties(new ByteReader(bytes, malformed)),
  },
  {
    name: 'an edit of a version',
    sound: written((writer) => encodeEdit(writer, edit)),
    read: (bytes) => {
      const malformedEdit = (reason: string) => malformed(0, reason);
      decodeEdit(new ByteReader(bytes, malformed), malformedEdit);
    },
  },
  { name: 'a manifest', sound: manifest(), read: (bytes) => void readManifest(bytes, 'bytes') },
  {
    name: 'a manifest with right checksums',
    sound: manifest(),
    read: (bytes) => void readManifest(withManifestChecksums(bytes), 'bytes'),
  },
  {
    name: 'a footer',
    sound: encodeFooter({
      filter: { offset: 1, length: 2 },
      keyFilter: { offset: 3, length: 4 },
      topIndex: { offset: 5, length: 6 },
      properties: { offset: 2 ** 40, length: 8 },
    }),
    read: (bytes) => void decodeFooter(footer(bytes), 'bytes', 0),
  },
  { name: 'a block', sound: rawBlock, read: readBlock },
  {
    name: 'an exported block',
    sound: exported(),
    read: (bytes) => readBlock(decodeExportedBlock(withBlockChecksum(bytes)).bytes),
  },
  ...(['deflate', defaultCodec()] as const).map((codec) => ({
    name: `a block compressed with ${codec}`,
    sound: sealBlock(compressible, codec).slice(),
    read: (bytes: Uint8Array) => void openSealed(withBlockChecksum(bytes), 'bytes', 0),
  })),
  {
    name: 'a filter',
    sound: Uint8Array.from([...new Uint8Array(16).fill(0xaa), 6]),
    read: (bytes) => void mayContain(bytes, 0xdeadbeef),
  },
  { name: 'operations', sound: operations(), read: (bytes) => applyOperations(bytes, target) },
  {
    name: 'the header of a log file',
    sound: encodeFileHeader(walHeader),
    read: (bytes) => void decodeFileHeader(bytes, 3),
  },
  { name: 'records of the log', sound: walFile(), read: readRecords },
  {
    name: 'records of the log with right checksums',
    sound: walFile(),
    read: (bytes) => readRecords(withWalChecksum(bytes)),
  },
];

/** Bytes at random, or what is sound with changes: bytes set, cut, grown, put twice. */
function changed(sound: Uint8Array): fc.Arbitrary<Uint8Array> {
  const length = sound.length;
  // A file of the log has nothing between its header and its first record.
  const place = fc
    .nat(length - 1)
    .map((at) => (length > 4096 ? Math.max(at, 4090 + (at % 200)) : at));
  const change = fc.oneof(
    fc.record({ at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }) }),
    fc.record({
      at: place,
      // Lengths and counts that are too large, as varint and as u32.
      bytes: fc.constantFrom(
        Uint8Array.of(0xff, 0xff, 0xff, 0xff),
        Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f),
        Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07),
        Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80),
        Uint8Array.of(0, 0, 0, 0),
      ),
    }),
  );
  const changes = fc.array(change, { minLength: 1, maxLength: 4 });
  const mutated = fc
    .tuple(changes, fc.option(fc.nat(sound.length)), fc.uint8Array({ maxLength: 12 }))
    .map(([list, end, more]) => {
      const bytes = sound.slice();
      for (const { at, bytes: other } of list) bytes.set(other.subarray(0, bytes.length - at), at);
      const cut = end === null ? bytes : bytes.slice(0, end);
      return Uint8Array.from([...cut, ...more.slice(0, end === null ? 0 : more.length)]);
    });
  return fc.oneof(
    { weight: 4, arbitrary: mutated },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  );
}

describe('whatever the bytes', () => {
  it.each(decoders)('$name: an answer or an LsmError', ({ sound, read }) => {
    read(sound.slice());
    const before = process.memoryUsage().arrayBuffers;
    fc.assert(
      fc.property(changed(sound), (bytes) => {
        try {
          read(bytes.slice());
        } catch (error) {
          expect(error, `${error}`).toBeInstanceOf(LsmError);
        }
      }),
      { numRuns },
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(256 * 1024 * 1024);
  });
});
