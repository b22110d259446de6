import { EntryKind } from '../raft/types.ts';

/**
 * The data of a write entry (DESIGN §5 ▣): one or more sections, each a fixed header and a batch verbatim.
 * A write's version is the section's base version plus its ordinal, so the leader fills in the header and
 * never touches the batch. Little endian:
 *
 *      0  u8   kind            EntryKind.write
 *      1  u8   format          1
 *      2  u16  needs           what must be looked up before it is applied: `Needs`
 *      4  u32  count           writes in the batch
 *      8  u64  base version
 *     16  u64  highest version base + count - 1
 *     24  8 B  origin node id
 *     32  u32  origin start counter
 *     36  u64  stream number
 *     44  u32  batch length
 *     48  u32  CRC32C of the batch, by its origin
 *     52       batch
 */
export const SECTION_HEADER_BYTES = 52;
export const ENTRY_FORMAT = 1;

/** Bits of a section's `needs`: the leader saw writes of this kind in the batch when it checked it. */
export const Needs = { conditions: 1, times: 2 } as const;

const TWO_32 = 0x1_0000_0000;

/** Who built a batch, and which of that node's numbered batches to this shard it is. */
export interface BatchOrigin {
  readonly node: string;
  readonly startCounter: number;
  readonly number: number;
}

export interface ForwardedBatch extends BatchOrigin {
  readonly count: number;
  readonly crc: number;
  readonly bytes: Uint8Array;
}

/** One section as read back: positions are offsets into the entry's data. */
export interface Section extends BatchOrigin {
  readonly count: number;
  readonly needs: number;
  readonly baseVersion: number;
  readonly highestVersion: number;
  readonly crc: number;
  readonly batchStart: number;
  readonly batchEnd: number;
}

/** A batch as its leader numbers it. */
export interface VersionedBatch {
  readonly batch: ForwardedBatch;
  readonly baseVersion: number;
  readonly needs: number;
}

export function encodeWriteEntry(sections: readonly VersionedBatch[]): Uint8Array {
  let length = 0;
  for (const { batch } of sections) length += SECTION_HEADER_BYTES + batch.bytes.length;
  const data = new Uint8Array(length);
  const view = new DataView(data.buffer);
  let at = 0;
  for (const section of sections) {
    writeHeader(data, view, at, section);
    data.set(section.batch.bytes, at + SECTION_HEADER_BYTES);
    at += SECTION_HEADER_BYTES + section.batch.bytes.length;
  }
  return data;
}

function writeHeader(
  data: Uint8Array,
  view: DataView,
  at: number,
  { batch, baseVersion, needs }: VersionedBatch,
): void {
  data[at] = EntryKind.write;
  data[at + 1] = ENTRY_FORMAT;
  view.setUint16(at + 2, needs, true);
  view.setUint32(at + 4, batch.count, true);
  setUint53(view, at + 8, baseVersion);
  setUint53(view, at + 16, baseVersion + batch.count - 1);
  for (let i = 0; i < 8; i++) {
    data[at + 24 + i] = Number.parseInt(batch.node.slice(i * 2, i * 2 + 2), 16);
  }
  view.setUint32(at + 32, batch.startCounter, true);
  setUint53(view, at + 36, batch.number);
  view.setUint32(at + 44, batch.bytes.length, true);
  view.setUint32(at + 48, batch.crc, true);
}

/** The sections of a write entry, or `undefined` if the bytes do not parse: every replica skips it alike. */
export function parseWriteEntry(data: Uint8Array): Section[] | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const sections: Section[] = [];
  let at = 0;
  while (at < data.length) {
    if (data.length - at < SECTION_HEADER_BYTES) return undefined;
    if (data[at] !== EntryKind.write || data[at + 1] !== ENTRY_FORMAT) return undefined;
    const batchStart = at + SECTION_HEADER_BYTES;
    const batchEnd = batchStart + view.getUint32(at + 44, true);
    const count = view.getUint32(at + 4, true);
    const baseVersion = getUint53(view, at + 8);
    const highestVersion = getUint53(view, at + 16);
    const number = getUint53(view, at + 36);
    if (batchEnd > data.length || count === 0 || number === undefined) return undefined;
    if (baseVersion === undefined || highestVersion !== baseVersion + count - 1) return undefined;
    sections.push({
      node: hex(data, at + 24, at + 32),
      startCounter: view.getUint32(at + 32, true),
      number,
      count,
      needs: view.getUint16(at + 2, true),
      baseVersion,
      highestVersion,
      crc: view.getUint32(at + 48, true),
      batchStart,
      batchEnd,
    });
    at = batchEnd;
  }
  return sections.length > 0 ? sections : undefined;
}

function setUint53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}

function getUint53(view: DataView, at: number): number | undefined {
  const value = view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_32;
  return Number.isSafeInteger(value) ? value : undefined;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += HEX[bytes[i] as number];
  return text;
}
