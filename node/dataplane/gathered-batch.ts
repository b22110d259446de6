import type { WriteFailure, WriteSink } from '../../broker/data-plane.ts';
import type { ConditionalResult } from '../shard/condition.ts';
import type { WriteBatchBuilder, WriteCondition } from '../shard/write-batch.ts';

/** Of a write with a condition. `decided` comes before `writeCommitted`, or not at all: then nobody knows. */
export interface ConditionalSink extends WriteSink {
  decided(result: ConditionalResult): void;
}

/**
 * A batch holds so much, or one write: it becomes one log entry, and that one message to another node, which
 * takes 1 MiB or one entry (DESIGN §6).
 */
export const BATCH_BYTES_MAX = 512 * 1024;
/** The most that stands around key and value of a write: tags, lengths, times, a condition. */
const WRITE_OVERHEAD_BYTES_MAX = 64;

/** Writes of one node to one shard that have no number yet: they can still be taken out. */
export class GatheredBatch {
  readonly sinceMs: number;
  sinks: WriteSink[] = [];
  tokens: number[] = [];
  readonly #builder: WriteBatchBuilder;
  readonly #starts: number[] = [];

  /** `builder` is empty, and empty again after `takeBytes`. */
  constructor(sinceMs: number, builder: WriteBatchBuilder) {
    this.sinceMs = sinceMs;
    this.#builder = builder;
  }

  get count(): number {
    return this.#builder.count;
  }

  get byteLength(): number {
    return this.#builder.byteLength;
  }

  hasRoomFor(keyAndValueBytes: number): boolean {
    if (this.count === 0) return true;
    return this.byteLength + keyAndValueBytes + WRITE_OVERHEAD_BYTES_MAX <= BATCH_BYTES_MAX;
  }

  add(
    sink: WriteSink,
    token: number,
    buffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    time: number,
    ttlMs: number,
    condition?: WriteCondition,
  ): void {
    this.#starts.push(
      this.#builder.add(buffer, keyStart, keyEnd, valueStart, valueEnd, time, ttlMs, condition),
    );
    this.sinks.push(sink);
    this.tokens.push(token);
  }

  /** Takes out everything of one connection. */
  forget(sink: WriteSink): void {
    for (let i = this.sinks.length - 1; i >= 0; i--) {
      if (this.sinks[i] === sink) this.#cut(i);
    }
  }

  takeBytes(): Uint8Array {
    return this.#builder.take();
  }

  fail(failure: WriteFailure): void {
    for (let i = 0; i < this.sinks.length; i++) {
      (this.sinks[i] as WriteSink).writeFailed(this.tokens[i] as number, failure);
    }
  }

  #cut(index: number): void {
    const start = this.#starts[index] as number;
    const end = this.#starts[index + 1] ?? this.#builder.byteLength;
    this.#builder.cut(start, end, 1);
    this.sinks.splice(index, 1);
    this.tokens.splice(index, 1);
    this.#starts.splice(index, 1);
    for (let i = index; i < this.#starts.length; i++) {
      this.#starts[i] = (this.#starts[i] as number) - (end - start);
    }
  }
}
