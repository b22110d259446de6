/**
 * Memory for blocking reads, used again by each: to get some for a block takes longer than to read the block. What
 * does not fit gets its own.
 */
export class ReadScratch {
  readonly #bytes = new Uint8Array(SCRATCH_BYTES);

  /** Good until the next call. */
  take(length: number): Uint8Array {
    return length > SCRATCH_BYTES ? new Uint8Array(length) : this.#bytes.subarray(0, length);
  }
}

const SCRATCH_BYTES = 64 * 1024;
