import type { CorruptionDetail } from '../corruption.ts';
import { alignmentBytes } from './format.ts';
import { RecordScan } from './record-scan.ts';
import type { RecoveryOptions } from './recovery.ts';

/**
 * Hands records on in order and decides about those that are missing: at or below what was declared synced that is
 * damage, and reading goes on behind it; above it is the tail, which ends there.
 */
export class Replay {
  readonly #options: RecoveryOptions;
  readonly declared: number;
  readonly damage: CorruptionDetail[] = [];
  records = 0;
  isTorn = false;
  /** The next record that is wanted. Invariant: all before it were handed on, are in tables or are in `damage`. */
  #expected: number;

  constructor(options: RecoveryOptions, declared: number) {
    this.#options = options;
    this.declared = declared;
    this.#expected = options.after + 1;
  }

  /** Hands on what one file holds below `voidFrom`. Returns the highest number seen there; 0 for none. */
  async file(
    name: string,
    bytes: Uint8Array,
    fileNumber: number,
    voidFrom: number,
  ): Promise<number> {
    const scan = new RecordScan(bytes, fileNumber);
    let last = 0;
    while (!this.isTorn && scan.next() && scan.number < voidFrom) {
      last = scan.number;
      if (scan.number < this.#expected) continue;
      this.#miss(name, scan.afterPrevious, scan.number - 1, `record ${scan.number}`);
      if (this.isTorn) break;
      const payload = scan.payload();
      if (payload === undefined) {
        this.#miss(name, scan.offset, scan.number, 'a bad payload');
        continue;
      }
      const handled = this.#options.onRecord(payload, scan.number);
      if (handled !== undefined) await handled;
      this.records++;
      this.#expected++;
    }
    return last;
  }

  /** Returns the last record there is or was. */
  finish(name: string): number {
    if (!this.isTorn) this.#miss(name, alignmentBytes, this.declared, 'the end of the log');
    return this.#expected - 1;
  }

  /** Records up to `last` are not there. */
  #miss(name: string, offset: number, last: number, got: string): void {
    if (last < this.#expected) return;
    const lastPromised = Math.min(last, this.declared);
    if (this.#expected <= lastPromised) {
      const records =
        this.#expected === lastPromised
          ? `record ${lastPromised}`
          : `records ${this.#expected} to ${lastPromised}`;
      this.damage.push({ file: name, offset, expected: records, got });
      this.#expected = lastPromised + 1;
    }
    this.isTorn = last >= this.#expected;
  }
}
