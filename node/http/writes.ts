import type { BatchWrite } from '../../broker/batch.ts';
import type { RequestContext } from '../../broker/context.ts';
import type { WriteFailure, WriteSink } from '../../broker/data-plane.ts';
import { type BatchOutcome, OpenBatches } from '../../broker/open-batches.ts';

/** Called once. */
export type WriteDone = (outcome: WriteOutcome) => void;

export type WriteOutcome =
  | { readonly kind: 'stored'; readonly version: number }
  | { readonly kind: 'failed'; readonly failure: WriteFailure };

/**
 * The writes of all HTTP requests on their way to the store. To the data plane they are one writer: while it asks to
 * hand in no more, further ones are to be refused, for which `isFull` is there. The write of a client that goes away
 * is carried out.
 */
export class HttpWrites implements WriteSink {
  readonly #context: Pick<RequestContext, 'dataPlane' | 'counters'>;
  readonly #waiting = new Map<number, WriteDone>();
  readonly #batches: OpenBatches;
  #nextToken = 1;
  #isFull = false;

  constructor(context: Pick<RequestContext, 'dataPlane' | 'counters'>) {
    this.#context = context;
    this.#batches = new OpenBatches(context, () => this.writesDrained());
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  write({ key, value, time, ttlMs }: BatchWrite, done: WriteDone): void {
    const { dataPlane, counters } = this.#context;
    const token = this.#nextToken++;
    this.#waiting.set(token, done);
    counters.puts += 1;
    const bytes = Buffer.concat([key, value]);
    const { length } = key;
    const hasRoom = dataPlane.write(
      this,
      token,
      bytes,
      0,
      length,
      length,
      bytes.length,
      time,
      ttlMs,
    );
    if (!hasRoom) this.#isFull = true;
  }

  writeAll(writes: readonly BatchWrite[], outcome: BatchOutcome): void {
    if (!this.#batches.write(writes, 0, outcome)) this.#isFull = true;
  }

  writeCommitted(token: number, version: number): void {
    this.#settle(token, { kind: 'stored', version });
  }

  writeFailed(token: number, failure: WriteFailure): void {
    this.#context.counters.putsFailed += 1;
    this.#settle(token, { kind: 'failed', failure });
  }

  writesDrained(): void {
    this.#isFull = false;
  }

  #settle(token: number, outcome: WriteOutcome): void {
    const done = this.#waiting.get(token);
    this.#waiting.delete(token);
    done?.(outcome);
  }
}
