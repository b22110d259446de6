import type { ByteReader, ByteWriter } from '../encoding.ts';

/** What a table says about itself in its properties block. */
export interface TableProperties {
  readonly entryCount: number;
  /** Keys and values as put, before prefix compression. */
  readonly rawBytes: number;
  readonly seqMin: number;
  readonly seqMax: number;
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  /** The least suffix of all keys, which is the newest time: a lookup with a newer value skips the table. */
  readonly suffixMin: Uint8Array;
}

/** A table as the manifest names it. */
export interface TableMeta extends TableProperties {
  readonly fileNumber: number;
  readonly bytes: number;
  /** Found missing or unreadable. It stays in its level so that reads fail instead of answering without it. */
  readonly damaged: boolean;
}

export function encodeProperties(writer: ByteWriter, properties: TableProperties): void {
  writer.varint(properties.entryCount);
  writer.varint(properties.rawBytes);
  writer.varint(properties.seqMin);
  writer.varint(properties.seqMax);
  writer.byteString(properties.smallest);
  writer.byteString(properties.largest);
  writer.byteString(properties.suffixMin);
}

export function decodeProperties(reader: ByteReader): TableProperties {
  return {
    entryCount: reader.varint(),
    rawBytes: reader.varint(),
    seqMin: reader.varint(),
    seqMax: reader.varint(),
    smallest: reader.byteString(),
    largest: reader.byteString(),
    suffixMin: reader.byteString(),
  };
}
