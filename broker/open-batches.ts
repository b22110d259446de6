import type { BatchWrite } from './batch.ts';
import type { Counters } from './counters.ts';
import type { DataPlane, WriteFailure, WriteSink } from './data-plane.ts';
import { LazySet } from './lazy-set.ts';

export interface BatchOutcome {
  /** Called once, unless `failed` is. `version` is the highest; 0: there was nothing to write. */
  committed(version: number): void;
  failed(failure: WriteFailure): void;
}

/** The batches of one owner on their way to the data plane: those of which not all writes have an outcome. */
export class OpenBatches {
  readonly #dataPlane: DataPlane;
  readonly #counters: Counters;
  readonly #drained: () => void;
  readonly #open = new LazySet<BatchSink>();

  constructor(
    { dataPlane, counters }: { readonly dataPlane: DataPlane; readonly counters: Counters },
    drained: () => void = () => {},
  ) {
    this.#dataPlane = dataPlane;
    this.#counters = counters;
    this.#drained = drained;
  }

  /** Hands all writes in. Returns false when the data plane asks to read no more, until `drained` is called. */
  write(writes: readonly BatchWrite[], token: number, outcome: BatchOutcome): boolean {
    this.#counters.puts += writes.length;
    if (writes.length === 0) {
      outcome.committed(0);
      return true;
    }
    const batch = new BatchSink(writes.length, {
      committed: (version) => {
        this.#open.delete(batch);
        outcome.committed(version);
      },
      failed: (failure) => {
        this.#open.delete(batch);
        outcome.failed(failure);
      },
      drained: this.#drained,
    });
    this.#open.add(batch);
    return writeEach(this.#dataPlane, batch, token, writes);
  }

  /** Nobody wants to know any more; what was not forwarded yet is dropped. */
  forget(): void {
    for (const batch of this.#open) this.#dataPlane.forget(batch);
    this.#open.clear();
  }
}

/**
 * The writes of one batch. They share one token of the connection: it is committed when all are, and fails when one
 * does. The others may be stored all the same: a batch is not atomic.
 */
class BatchSink implements WriteSink {
  readonly #outcome: BatchOutcome & { drained(): void };
  #left: number;
  #failed = false;
  #version = 0;

  constructor(count: number, outcome: BatchOutcome & { drained(): void }) {
    this.#left = count;
    this.#outcome = outcome;
  }

  writeCommitted(_token: number, version: number): void {
    this.#left -= 1;
    this.#version = Math.max(this.#version, version);
    if (this.#left === 0 && !this.#failed) this.#outcome.committed(this.#version);
  }

  writeFailed(_token: number, failure: WriteFailure): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#outcome.failed(failure);
  }

  writesDrained(): void {
    this.#outcome.drained();
  }
}

function writeEach(
  dataPlane: DataPlane,
  sink: WriteSink,
  token: number,
  writes: readonly BatchWrite[],
): boolean {
  let hasRoom = true;
  for (const { key, value, time, ttlMs } of writes) {
    const bytes = Buffer.concat([key, value]);
    const keyEnd = key.length;
    const end = bytes.length;
    const taken = dataPlane.write(sink, token, bytes, 0, keyEnd, keyEnd, end, time, ttlMs);
    hasRoom = hasRoom && taken;
  }
  return hasRoom;
}
