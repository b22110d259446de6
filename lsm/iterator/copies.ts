import { copyRange } from '../bytes.ts';

/**
 * Makes copies that are the caller's to keep, many of them in one piece of memory: a piece for each would cost more
 * than the copying. Buffers, as most users in Node want them; to the engine they are byte arrays like any other.
 */
export class Copies {
  #piece: Buffer = NO_PIECE;
  #used = 0;
  /** The first ones are small, for those who read little. */
  #nextPieceBytes = 512;

  of(source: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start;
    if (length > PIECE_BYTES_MAX / 4) return Buffer.from(source.subarray(start, end));
    if (this.#used + length > this.#piece.length) this.#begin(length);
    const at = this.#used;
    copyRange(this.#piece, at, source, start, end);
    this.#used = at + length;
    return this.#piece.subarray(at, this.#used);
  }

  #begin(length: number): void {
    this.#piece = Buffer.allocUnsafeSlow(Math.max(length, this.#nextPieceBytes));
    this.#nextPieceBytes = Math.min(PIECE_BYTES_MAX, 4 * this.#nextPieceBytes);
    this.#used = 0;
  }
}

const NO_PIECE = Buffer.alloc(0);
/** Whoever keeps one copy keeps the piece that it is in, so that it must not be large. */
const PIECE_BYTES_MAX = 16 * 1024;
