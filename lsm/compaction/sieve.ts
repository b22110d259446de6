import { equalRanges } from '../bytes.ts';
import type { MaybePromise } from '../engine.ts';
import { type Cursor, NO_BYTES } from '../iterator/cursor.ts';
import { EntryKind } from '../sstable/format.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { Elsewhere } from './elsewhere.ts';
import {
  type CompactionFilter,
  type CompactionFilterSpec,
  createCompactionFilter,
} from './filter.ts';
import type { Dropper } from './outputs.ts';

/** What a job needs to know what it may drop: plain data. */
export interface SieveInput {
  /** Without one every put stays. */
  readonly spec: CompactionFilterSpec | undefined;
  /** Tables beside the job's inputs that may share a series with them, in runs without overlap. */
  readonly elsewhere: readonly (readonly TableMeta[])[];
}

/**
 * Decides for each entry of one pass, in key order, whether it is dropped: a put when the filter lets it go, a
 * deletion when nothing is left that it hides. What is not in a table yet is newer than both.
 */
export class Sieve implements Dropper {
  readonly #filter: CompactionFilter | undefined;
  readonly #suffixBytes: number;
  readonly #elsewhere: Elsewhere;
  /** The series looked up last, and what came of it. */
  #series: Uint8Array | undefined;
  #isAlone = false;
  #droppedEntries = 0;
  #heldEntries = 0;

  private constructor(
    filter: CompactionFilter | undefined,
    suffixBytes: number,
    elsewhere: Elsewhere,
  ) {
    this.#filter = filter;
    this.#suffixBytes = suffixBytes;
    this.#elsewhere = elsewhere;
  }

  static async create(
    vfs: Vfs,
    job: { readonly directory: string; readonly suffixBytes: number },
    { spec, elsewhere }: SieveInput,
  ): Promise<Sieve> {
    const filter = spec && (await createCompactionFilter(spec));
    return new Sieve(filter, job.suffixBytes, new Elsewhere(vfs, job.directory, elsewhere));
  }

  /** By the filter. */
  get droppedEntries(): number {
    return this.#droppedEntries;
  }

  /** Those that the filter lets go as soon as they are alone. */
  get heldEntries(): number {
    return this.#heldEntries;
  }

  /** Whether the entry that a cursor stands on goes. */
  drops(entry: Cursor): MaybePromise<boolean> {
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = entry;
    if (entry.kind === EntryKind.deletion) return this.#hidesNothing(entry);
    if (this.#filter === undefined) return false;
    const verdict = this.#filter.judge(
      keyBytes,
      keyStart,
      keyEnd,
      valueBytes,
      valueStart,
      valueEnd,
    );
    if (verdict === 'keep') return false;
    if (verdict === 'drop-if-alone') return this.#dropIfAlone(entry);
    this.#droppedEntries++;
    return true;
  }

  async #hidesNothing({ keyBytes, keyStart, keyEnd, seq }: Cursor): Promise<boolean> {
    const key = keyBytes.slice(keyStart, keyEnd);
    return !(await this.#elsewhere.mayHoldOlder(key, this.#suffixBytes, seq));
  }

  async #dropIfAlone({ keyBytes, keyStart, keyEnd }: Cursor): Promise<boolean> {
    const end = keyEnd - this.#suffixBytes;
    const known = this.#series;
    if (known === undefined || !equalRanges(known, 0, known.length, keyBytes, keyStart, end)) {
      this.#series = keyBytes.slice(keyStart, end);
      this.#isAlone = !(await this.#elsewhere.mayHoldSeries(this.#series));
    }
    if (this.#isAlone) this.#droppedEntries++;
    else this.#heldEntries++;
    return this.#isAlone;
  }
}

/** Whether the filter lets anything at all go. */
export async function dropsAny(cursor: Cursor, sieve: Sieve): Promise<boolean> {
  await cursor.seek(NO_BYTES);
  while (cursor.valid) {
    const drops = cursor.kind === EntryKind.put && sieve.drops(cursor);
    if (drops instanceof Promise ? await drops : drops) return true;
    const wait = cursor.next();
    if (wait !== undefined) await wait;
  }
  return false;
}
