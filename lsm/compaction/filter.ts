/**
 * What a compaction does with an entry:
 * - `drop`: it goes. An older write of the same key in a table outside the compaction then shows again, so
 *   that this fits entries only whose key and time say that no read may show them.
 * - `drop-if-alone`: it goes unless a table outside the compaction may hold an entry of the same series (the
 *   key without its suffix). For entries that hide others, as tombstones do.
 */
export type Verdict = 'keep' | 'drop' | 'drop-if-alone';

/**
 * Sees every entry that a compaction would keep, in key order, of equal keys only the newest. It is made anew
 * for each pass over a job's inputs and must judge the same way in each; it may remember the entries before.
 */
export interface CompactionFilter {
  judge(
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueBytes: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): Verdict;
}

/** What the module of a filter exports. */
export interface CompactionFilterModule {
  createCompactionFilter(state: Uint8Array, oldestState: Uint8Array): CompactionFilter;
}

/** A filter as plain data, so that it can go to the worker thread. */
export interface CompactionFilterSpec {
  /** URL of a `CompactionFilterModule`. */
  readonly module: string;
  /** What the host says now. */
  readonly state: Uint8Array;
  /**
   * What the host said before the first write that is not in a table yet; with no such write, `state`. Empty
   * when it said nothing then.
   *
   * Whoever drops an entry that hides others has to know that none is left for it to hide. `drop-if-alone`
   * sees to the tables; the memtables it cannot see, nor the tables that are flushed while it runs. But what
   * was written after a state was in force obeys that state, and all that is not in a table was written
   * after this one was.
   */
  readonly oldestState: Uint8Array;
}

const loadedModules = new Map<string, CompactionFilterModule>();

/**
 * Loads the module of a filter in this thread. From then on making such filters here needs nothing from
 * outside, which the simulator relies on: an import ends at no simulated time.
 */
export async function loadCompactionFilter(module: string): Promise<CompactionFilterModule> {
  const known = loadedModules.get(module);
  if (known !== undefined) return known;
  const loaded = (await import(module)) as CompactionFilterModule;
  loadedModules.set(module, loaded);
  return loaded;
}

export async function createCompactionFilter({
  module,
  state,
  oldestState,
}: CompactionFilterSpec): Promise<CompactionFilter> {
  return (await loadCompactionFilter(module)).createCompactionFilter(state, oldestState);
}
