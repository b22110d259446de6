import type { CompareAndSetOutcome, WriteFailure } from '../../broker/data-plane.ts';
import type { ConditionalResult } from '../shard/condition.ts';
import type { ConditionalSink } from './gathered-batch.ts';

/**
 * Somebody who waits for a compare-and-set. A batch whose answer was lost with its leader is in, but what its
 * conditions came to is not known any more: then only the same request again tells.
 */
export class PendingCompareAndSet implements ConditionalSink {
  readonly #resolve: (outcome: CompareAndSetOutcome) => void;

  constructor(resolve: (outcome: CompareAndSetOutcome) => void) {
    this.#resolve = resolve;
  }

  decided({ won, version, expiresAt }: ConditionalResult): void {
    if (won) {
      this.#resolve({ kind: 'won', version, expiresAt: expiresAt === 0 ? undefined : expiresAt });
    } else {
      this.#resolve({ kind: 'lost', version: version === 0 ? null : version });
    }
  }

  /** Without effect if it was decided. */
  writeCommitted(): void {
    this.#resolve({ kind: 'failed', failure: 'no-quorum' });
  }

  writeFailed(_token: number, failure: WriteFailure): void {
    this.#resolve({ kind: 'failed', failure });
  }

  writesDrained(): void {}
}
