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
    const { node } = batch;
    data[at + 24 + i] = (digit(node, 2 * i) << 4) | digit(node, 2 * i + 1);
  }
  view.setUint32(at + 32, batch.startCounter, true);
  setUint53(view, at + 36, batch.number);
  view.setUint32(at + 44, batch.bytes.length, true);
  view.setUint32(at + 48, batch.crc, true);
}

/** What its sections need in all, without looking further; 0 as well if the bytes do not parse. */
export function needsOfEntry(data: Uint8Array): number {
  let needs = 0;
  for (let at = 0; at + SECTION_HEADER_BYTES <= data.length; ) {
    needs |= (data[at + 2] as number) | ((data[at + 3] as number) << 8);
    at += SECTION_HEADER_BYTES + uint32(data, at + 44);
  }
  return needs;
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
      node: nodeAt(data, at + 24),
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

/** A hexadecimal digit of a node id. */
function digit(node: string, at: number): number {
  const code = node.charCodeAt(at);
  return code <= 0x39 ? code - 0x30 : code - 0x57;
}

function uint32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  return (low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;
}

/** The texts of the node ids that were read last: there are few nodes, and an entry names some. */
const knownNodes: { readonly low: number; readonly high: number; readonly text: string }[] = [];
const KNOWN_NODES_MAX = 16;

function nodeAt(bytes: Uint8Array, at: number): string {
  const low = uint32(bytes, at);
  const high = uint32(bytes, at + 4);
  for (const known of knownNodes) if (known.low === low && known.high === high) return known.text;
  const text = Buffer.from(bytes.subarray(at, at + 8)).toString('hex');
  if (knownNodes.length === KNOWN_NODES_MAX) knownNodes.shift();
  knownNodes.push({ low, high, text });
  return text;
}
