import type { CorruptionDetail } from '../corruption.ts';
import { tableFileName } from '../sstable/format.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { VersionSet } from '../version/version-set.ts';

export interface ScrubOptions {
  readonly versions: VersionSet;
  readonly bytesPerSecond: number;
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly damageIn: (table: TableMeta) => Promise<CorruptionDetail[]>;
  /** Called once for each damaged place. */
  readonly onDamage: (detail: CorruptionDetail) => void;
}

/**
 * Reads one table after the other, slowly and for ever, so that damage is found while there still is a copy
 * elsewhere. Goes by file numbers, oldest first, and begins again when it has come to the end.
 */
export class Scrub {
  readonly #options: ScrubOptions;
  readonly #reported = new Set<string>();
  #lastFileNumber = 0;
  #stopped = false;

  constructor(options: ScrubOptions) {
    this.#options = options;
  }

  /** Resolves when it was stopped. */
  async run(): Promise<void> {
    const { pause, bytesPerSecond } = this.#options;
    while (!this.#stopped) {
      const bytes = await this.#checkNext();
      if (this.#stopped) return;
      await pause(bytes === 0 ? IDLE_MS : Math.ceil((bytes * 1000) / bytesPerSecond));
    }
  }

  /** After the table at hand, or the pause after it. */
  stop(): void {
    this.#stopped = true;
  }

  /** Returns what was read. */
  async #checkNext(): Promise<number> {
    const { versions, damageIn } = this.#options;
    const version = versions.acquire();
    try {
      const table = this.#next(version.tables());
      this.#lastFileNumber = table?.fileNumber ?? 0;
      if (table === undefined) return 0;
      const damage = await damageIn(table).catch((error: Error) => [unreadable(table, error)]);
      if (!this.#stopped) this.#report(damage);
      return table.bytes;
    } finally {
      versions.release(version);
    }
  }

  #next(tables: readonly TableMeta[]): TableMeta | undefined {
    let next: TableMeta | undefined;
    for (const table of tables) {
      if (table.damaged || table.fileNumber <= this.#lastFileNumber) continue;
      if (next === undefined || table.fileNumber < next.fileNumber) next = table;
    }
    return next;
  }

  #report(damage: readonly CorruptionDetail[]): void {
    for (const detail of damage) {
      const place = `${detail.file} ${detail.offset}`;
      if (this.#reported.has(place)) continue;
      this.#reported.add(place);
      this.#options.onDamage(detail);
    }
  }
}

function unreadable({ fileNumber }: TableMeta, error: Error): CorruptionDetail {
  const file = tableFileName(fileNumber);
  return { file, offset: 0, expected: 'a file that can be read', got: error.message };
}

/** Between two rounds. */
const IDLE_MS = 60_000;
