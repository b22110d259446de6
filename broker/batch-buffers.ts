/** Of one buffer; what needs more gets a larger one, for that once. */
const BUFFER_BYTES = 4096;
/** So many are kept; a thousand connections that get the same message in one turn take a thousand. */
const KEPT_MAX = 1_000;

/**
 * Buffers in which connections gather what they send in a turn. One that the kernel has copied serves the next
 * connection: to allocate one for each connection and turn costs as much as to fill it.
 */
export class BatchBuffers {
  readonly #free: Uint8Array[] = [];

  /** Its content is anything. */
  take(bytesMin: number): Uint8Array {
    if (bytesMin > BUFFER_BYTES) return new Uint8Array(bytesMin);
    return this.#free.pop() ?? new Uint8Array(BUFFER_BYTES);
  }

  /** Nobody reads it any more. */
  give(buffer: Uint8Array): void {
    if (buffer.length === BUFFER_BYTES && this.#free.length < KEPT_MAX) this.#free.push(buffer);
  }
}
