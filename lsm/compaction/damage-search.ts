import assert from 'node:assert/strict';
import { type CorruptionDetail, corruptionEvent } from '../corruption.ts';
import type { EngineEvent } from '../engine.ts';
import type { Offload } from '../offload/offload.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { VersionSet } from '../version/version-set.ts';
import type { VerifyInput } from './job.ts';
import { Scrub } from './scrub.ts';

export interface DamageSearchOptions {
  readonly versions: VersionSet;
  readonly offload: Offload;
  readonly directory: string;
  readonly pause: ((milliseconds: number) => Promise<void>) | undefined;
  readonly onEvent: (event: EngineEvent) => void;
}

/**
 * Looks for damage in tables before somebody needs them: in all there are now, or slowly and over and over. What it
 * finds is also an event.
 */
export class DamageSearch {
  readonly #options: DamageSearchOptions;
  #scrub: Scrub | undefined;

  constructor(options: DamageSearchOptions) {
    this.#options = options;
  }

  /** In every table but those that are known to be damaged. */
  async everywhere(): Promise<{ readonly tables: number; readonly damage: CorruptionDetail[] }> {
    const { versions } = this.#options;
    const damage: CorruptionDetail[] = [];
    const version = versions.acquire();
    try {
      const tables = version.tables().filter(({ damaged }) => !damaged);
      for (const table of tables) {
        for (const detail of await this.#damageIn(table)) {
          damage.push(detail);
          this.#report(detail);
        }
      }
      return { tables: tables.length, damage };
    } finally {
      versions.release(version);
    }
  }

  /** From now on, until `stop`; not at all at a rate of 0. */
  scrub(bytesPerSecond: number): void {
    const { versions, pause } = this.#options;
    if (bytesPerSecond === 0 || pause === undefined) return;
    assert(this.#scrub === undefined, 'one scrub at a time');
    this.#scrub = new Scrub({
      versions,
      bytesPerSecond,
      pause,
      damageIn: (table) => this.#damageIn(table),
      onDamage: (detail) => this.#report(detail),
    });
    void this.#scrub.run();
  }

  /** Ends the scrub; what was found by then has been reported. */
  stop(): void {
    this.#scrub?.stop();
  }

  /** Every place of a table that is not as it was written. The table must be in a version that is held. */
  #damageIn(table: TableMeta): Promise<CorruptionDetail[]> {
    const { offload, directory } = this.#options;
    const input: VerifyInput = { directory, table };
    return offload.run('verify', input) as Promise<CorruptionDetail[]>;
  }

  #report(detail: CorruptionDetail): void {
    const { versions, onEvent } = this.#options;
    onEvent(corruptionEvent(detail, versions.rangeOf(detail.file)));
  }
}
