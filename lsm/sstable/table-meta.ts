import { compareBytes, rangeStartsWith, successor } from '../bytes.ts';
import type { ByteReader, ByteWriter } from '../encoding.ts';
import type { KeyRange } from '../engine.ts';

/** What a table says about itself in its properties block. */
export interface TableProperties {
  readonly entryCount: number;
  /** How many of them are deletions. */
  readonly deletionCount: number;
  /** Keys and values as put, before prefix compression. */
  readonly rawBytes: number;
  readonly seqMin: number;
  readonly seqMax: number;
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  /** The least suffix of all keys, which is the newest time: a lookup with a newer value skips the table. */
  readonly suffixMin: Uint8Array;
  /** The greatest suffix of all keys, which is the oldest time: tells whether there may be something to drop. */
  readonly suffixMax: Uint8Array;
}

/** A table as the manifest names it. */
export interface TableMeta extends TableProperties {
  readonly fileNumber: number;
  readonly bytes: number;
  /** Found missing or unreadable. It stays in its level so that reads fail instead of answering without it. */
  readonly damaged: boolean;
}

/** The series of a key, as a view. */
export function seriesOf(key: Uint8Array, suffixBytes: number): Uint8Array {
  return key.subarray(0, key.length - suffixBytes);
}

export function keysOf({ smallest, largest }: TableMeta): KeyRange {
  return { lower: smallest, upper: successor(largest) };
}

/** By its range of keys. */
export function mayHoldPrefix(table: TableMeta, prefix: Uint8Array): boolean {
  const { smallest, largest } = table;
  if (compareBytes(largest, prefix) < 0) return false;
  return (
    compareBytes(smallest, prefix) <= 0 || rangeStartsWith(smallest, 0, smallest.length, prefix)
  );
}

export function encodeProperties(writer: ByteWriter, properties: TableProperties): void {
  writer.varint(properties.entryCount);
  writer.varint(properties.deletionCount);
  writer.varint(properties.rawBytes);
  writer.varint(properties.seqMin);
  writer.varint(properties.seqMax);
  writer.byteString(properties.smallest);
  writer.byteString(properties.largest);
  writer.byteString(properties.suffixMin);
  writer.byteString(properties.suffixMax);
}

export function decodeProperties(reader: ByteReader): TableProperties {
  return {
    entryCount: reader.varint(),
    deletionCount: reader.varint(),
    rawBytes: reader.varint(),
    seqMin: reader.varint(),
    seqMax: reader.varint(),
    smallest: reader.byteString(),
    largest: reader.byteString(),
    suffixMin: reader.byteString(),
    suffixMax: reader.byteString(),
  };
}
