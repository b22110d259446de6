import { readU32 } from '../bytes.ts';
import { corruption } from '../corruption.ts';

/** A block as it was before it was stored, its frame checked. Never changes, so views of its values stay good. */
export class Block {
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly offset: number;
  /** Where the entries end: eight bytes or more before the end of the block. */
  readonly restartsAt: number;
  readonly restartCount: number;

  constructor(bytes: Uint8Array, file: string, offset: number) {
    this.bytes = bytes;
    this.file = file;
    this.offset = offset;
    this.restartCount = bytes.length < 4 ? 0 : readU32(bytes, bytes.length - 4);
    this.restartsAt = bytes.length - 4 - 4 * this.restartCount;
    if (this.restartCount === 0 || this.restartsAt <= 0) {
      throw corruption(file, offset, 'a block with restarts', `${bytes.length} bytes`);
    }
  }

  /** The same over a copy of its bytes. */
  movedTo(bytes: Uint8Array): Block {
    return new Block(bytes, this.file, this.offset);
  }

  /** Offset of an entry whose key stands whole. */
  restart(index: number): number {
    const at = readU32(this.bytes, this.restartsAt + 4 * index);
    if (at >= this.restartsAt) throw this.malformed('a restart before the end', at);
    return at;
  }

  malformed(expected: string, got: string | number): Error {
    return corruption(this.file, this.offset, expected, got);
  }
}
