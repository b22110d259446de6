import type { ByteWriter } from '../encoding.ts';
import type { Block } from './block.ts';
import type { BlockHandle } from './format.ts';

/** The value of an index entry: offset varint · length varint of the block it leads to. */
export function encodeHandle(writer: ByteWriter, handle: BlockHandle): void {
  writer.varint(handle.offset);
  writer.varint(handle.length);
}

/** A position in an index block. */
export interface IndexPlace {
  readonly block: Block | undefined;
  readonly valueStart: number;
  readonly valueEnd: number;
}

export function decodeHandle(place: IndexPlace): BlockHandle {
  const { valueStart, valueEnd } = place;
  const block = place.block as Block;
  const { bytes } = block;
  let at = valueStart;
  let offset = 0;
  for (let scale = 1; ; scale *= 0x80) {
    if (at >= valueEnd || scale > 2 ** 49) throw block.malformed('an offset', 'other bytes');
    const byte = bytes[at++] as number;
    offset += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  let length = 0;
  for (let scale = 1; ; scale *= 0x80) {
    if (at >= valueEnd || scale > 2 ** 28) throw block.malformed('a length', 'other bytes');
    const byte = bytes[at++] as number;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  return { offset, length };
}
