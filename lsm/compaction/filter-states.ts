import type { Memtable } from '../memtable/memtable.ts';
import type { CompactionFilterSpec } from './filter.ts';

/** Where the filter of an engine comes from. */
export interface CompactionFilterSource {
  /**
   * URL of a module that exports `createCompactionFilter`. It is loaded in the thread of the engine and where
   * jobs run; such a module best exports its own `import.meta.url`, which is right for every build.
   */
  readonly module: string;
  /**
   * What filters made from now on are to go by, as bytes that do not change. `undefined`: nothing is dropped.
   * Asked when a compaction begins, which may be inside `open`, and at the first write into a memtable.
   */
  readonly state: () => Uint8Array | undefined;
}

/** Remembers what the host's state was before the first write into each memtable that is not flushed. */
export class FilterStates {
  readonly #source: CompactionFilterSource | undefined;
  /** Oldest memtable first. Only those with something in them. */
  readonly #atFirstPut = new Map<Memtable, Uint8Array>();

  constructor(source: CompactionFilterSource | undefined) {
    this.#source = source;
  }

  /** To be called before the first entry goes in. */
  beforeFirstPut(memtable: Memtable): void {
    if (this.#source === undefined) return;
    this.#atFirstPut.set(memtable, this.#source.state() ?? NO_STATE);
  }

  /** To be called once the version has the table of a memtable. */
  flushed(memtable: Memtable): void {
    this.#atFirstPut.delete(memtable);
  }

  /** The filter for a job made in this breath, from the version that is current. */
  spec(): CompactionFilterSpec | undefined {
    const state = this.#source?.state();
    if (this.#source === undefined || state === undefined) return undefined;
    const [oldest] = this.#atFirstPut.values();
    return { module: this.#source.module, state, oldestState: oldest ?? state };
  }
}

const NO_STATE = new Uint8Array(0);
