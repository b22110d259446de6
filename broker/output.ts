import type { Duplex } from 'node:stream';
import type { BatchBuffers } from './batch-buffers.ts';

/** What is gathered into one write at most; larger pieces are written as they are. */
const BATCH_BYTES_MAX = 64 * 1024;

export interface OutputCounters {
  packetsSent: number;
  bytesSent: number;
}

/**
 * Everything one connection sends, in order. What is sent in one turn leaves as one write: a system call
 * costs more than the thousand PUBACKs it can carry.
 */
export class Output {
  readonly #stream: Duplex;
  /** Called when something waits that nobody has planned to flush yet. */
  readonly #onPending: () => void;
  /** Called when `full` has ended. */
  readonly #onRoom: () => void;
  readonly #counters: OutputCounters;
  readonly #buffers: BatchBuffers;
  #batch: Uint8Array | undefined;
  #batchBytes = 0;
  #full = false;
  #closed = false;

  constructor(
    stream: Duplex,
    counters: OutputCounters,
    buffers: BatchBuffers,
    hooks: { onPending: () => void; onRoom: () => void },
  ) {
    this.#stream = stream;
    this.#counters = counters;
    this.#buffers = buffers;
    this.#onPending = hooks.onPending;
    this.#onRoom = hooks.onRoom;
    stream.on('drain', () => this.#drained());
  }

  /** The client does not read as fast as we write: what can wait should. */
  get full(): boolean {
    return this.#full;
  }

  /** Written but not yet taken by the other side's kernel or ours. */
  get backlogBytes(): number {
    return this.#stream.writableLength + this.#batchBytes;
  }

  /** Sends a copy of `bytes`, or `bytes` themselves when they are many: they must not change any more. */
  write(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#counters.packetsSent += 1;
    if (bytes.length >= BATCH_BYTES_MAX) {
      this.flush();
      this.#send(bytes);
      return;
    }
    const start = this.#reserve(bytes.length);
    (this.#batch as Uint8Array).set(bytes, start);
  }

  /** Sends a packet with another packet id at `offset` (0: it has none). */
  writeWithPacketId(bytes: Uint8Array, offset: number, packetId: number): void {
    if (offset === 0) {
      this.write(bytes);
      return;
    }
    if (this.#closed) return;
    if (bytes.length >= BATCH_BYTES_MAX) {
      const copy = bytes.slice();
      copy[offset] = packetId >> 8;
      copy[offset + 1] = packetId & 0xff;
      this.write(copy);
      return;
    }
    this.#counters.packetsSent += 1;
    const start = this.#reserve(bytes.length);
    const batch = this.#batch as Uint8Array;
    batch.set(bytes, start);
    batch[start + offset] = packetId >> 8;
    batch[start + offset + 1] = packetId & 0xff;
  }

  /** Sends a packet that is nothing but a packet id, without an object for it. */
  writeAck(header: number, packetId: number): void {
    if (this.#closed) return;
    this.#counters.packetsSent += 1;
    const start = this.#reserve(4);
    const batch = this.#batch as Uint8Array;
    batch[start] = header;
    batch[start + 1] = 2;
    batch[start + 2] = packetId >> 8;
    batch[start + 3] = packetId & 0xff;
  }

  flush(): void {
    const batch = this.#batch;
    if (this.#closed || batch === undefined || this.#batchBytes === 0) return;
    const bytes = batch.subarray(0, this.#batchBytes);
    this.#batch = undefined;
    this.#batchBytes = 0;
    // What the kernel has taken is copied. A stream that holds something back holds this, too: then a copy of its own
    // that is no larger than it must be.
    const isHeld = this.#stream.writableLength > 0;
    this.#send(isHeld ? bytes.slice() : bytes);
    if (isHeld || this.#stream.writableLength === 0) this.#buffers.give(batch);
  }

  /** Nothing more is sent. */
  close(): void {
    this.#closed = true;
    this.#batch = undefined;
    this.#batchBytes = 0;
  }

  #send(bytes: Uint8Array): void {
    if (!this.#stream.writable) return;
    this.#counters.bytesSent += bytes.length;
    const isEnough = !this.#stream.write(bytes);
    // A socket says so of every long write, even of one that the kernel has taken whole by now.
    if (isEnough && this.#stream.writableLength > 0) this.#full = true;
  }

  #drained(): void {
    if (!this.#full || this.#closed) return;
    this.#full = false;
    this.#onRoom();
  }

  /** Makes room for `count` bytes in the batch and returns where. */
  #reserve(count: number): number {
    if (this.#batchBytes + count > BATCH_BYTES_MAX) this.flush();
    const start = this.#batchBytes;
    const needed = start + count;
    if (this.#batch === undefined) {
      this.#batch = this.#buffers.take(count);
    } else if (needed > this.#batch.length) {
      const grown = new Uint8Array(
        Math.min(BATCH_BYTES_MAX, Math.max(needed, 2 * this.#batch.length)),
      );
      grown.set(this.#batch.subarray(0, start));
      this.#buffers.give(this.#batch);
      this.#batch = grown;
    }
    this.#batchBytes = needed;
    if (start === 0) this.#onPending();
    return start;
  }
}
