import type { EngineTable, StorageEngine } from '../../lsm/engine.ts';
import type { Retention } from '../retention/retention.ts';
import { timeOf } from '../shard/engine-key.ts';
import type { ShardHost } from '../shard/host.ts';

/** A table is looked at again when so much of what the rules keep has passed since. */
const PART_OF_KEEP = 1 / 8;

/** Lets history leave the disk that no new writes bring a compaction to. */
export class HistoryCompaction {
  readonly #host: ShardHost;
  readonly #engine: StorageEngine;
  /** Of tables that have nothing more to drop: the cutoff by which that was so. */
  readonly #judged = new Map<number, number>();
  #running = false;
  #oldest = 0;

  constructor(options: { readonly host: ShardHost; readonly engine: StorageEngine }) {
    this.#host = options.host;
    this.#engine = options.engine;
  }

  /** The time of the oldest entry that the last run has seen in a table. */
  get oldest(): number {
    return this.#oldest;
  }

  /**
   * Lets go what can go. `isUrgent`: everything, which takes a look at all tables; else what lies in tables that
   * hold enough of it.
   */
  async run(now: number, isUrgent: boolean): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      if (isUrgent) {
        await this.#engine.flush();
        await this.#engine.compactFully();
      }
      await this.#compactTables(now);
    } finally {
      this.#running = false;
    }
  }

  async #compactTables(now: number): Promise<void> {
    const cutoffs = new Map<number, number>();
    let oldest = Number.POSITIVE_INFINITY;
    const { judgedFileNumbers } = await this.#engine.compactWhere((table) => {
      const cutoff = this.#cutoffOf(table);
      cutoffs.set(table.fileNumber, cutoff);
      oldest = Math.min(oldest, timeOf(table.largestSuffix));
      return this.#mayHold(table, cutoff, now);
    });
    this.#oldest = Number.isFinite(oldest) ? oldest : 0;
    const lowest = Math.min(...cutoffs.values());
    for (const number of judgedFileNumbers) {
      this.#judged.set(number, cutoffs.get(number) ?? lowest);
    }
    this.#forgetAllBut(new Set([...cutoffs.keys(), ...judgedFileNumbers]));
  }

  #mayHold(table: EngineTable, cutoff: number, now: number): boolean {
    const judgedAt = this.#judged.get(table.fileNumber);
    if (judgedAt === undefined && this.#retentionsOf(table).some(({ hasLimits }) => hasLimits)) {
      return true;
    }
    if (timeOf(table.largestSuffix) >= cutoff) return false;
    return judgedAt === undefined || cutoff - judgedAt > (now - cutoff) * PART_OF_KEEP;
  }

  #cutoffOf(table: EngineTable): number {
    return Math.max(0, ...this.#retentionsOf(table).map(({ highestCutoff }) => highestCutoff));
  }

  /** Of the shards that the table may hold something of. */
  #retentionsOf({ smallestKey, largestKey }: EngineTable): Retention[] {
    const [first = 0] = smallestKey;
    const [last = 255] = largestKey;
    return [...this.#host.replicas()]
      .filter(({ identity: { firstSlot, slotCount } }) => {
        return slotCount > 0 && firstSlot <= last && first < firstSlot + slotCount;
      })
      .map(({ state }) => state.retention);
  }

  #forgetAllBut(present: ReadonlySet<number>): void {
    for (const number of this.#judged.keys()) {
      if (!present.has(number)) this.#judged.delete(number);
    }
  }
}
