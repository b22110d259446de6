import { equalRanges } from '../bytes.ts';
import type { MaybePromise } from '../engine.ts';
import { type Cursor, NO_BYTES } from '../iterator/cursor.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { Vfs } from '../vfs/vfs.ts';
import {
  type CompactionFilter,
  type CompactionFilterSpec,
  createCompactionFilter,
} from './filter.ts';
import { SeriesElsewhere } from './series-elsewhere.ts';

/** What a job needs to filter: plain data. */
export interface SieveInput {
  readonly spec: CompactionFilterSpec;
  /** Tables beside the job's inputs that may share a series with them, in runs without overlap. */
  readonly elsewhere: readonly (readonly TableMeta[])[];
}

/** Decides for each entry of one pass, in key order, whether it is dropped. */
export class Sieve {
  readonly #filter: CompactionFilter;
  readonly #suffixBytes: number;
  readonly #elsewhere: SeriesElsewhere;
  /** The series looked up last, and what came of it. */
  #series: Uint8Array | undefined;
  #isAlone = false;
  #droppedEntries = 0;
  #heldEntries = 0;

  private constructor(filter: CompactionFilter, suffixBytes: number, elsewhere: SeriesElsewhere) {
    this.#filter = filter;
    this.#suffixBytes = suffixBytes;
    this.#elsewhere = elsewhere;
  }

  static async create(
    vfs: Vfs,
    job: { readonly directory: string; readonly suffixBytes: number },
    { spec, elsewhere }: SieveInput,
  ): Promise<Sieve> {
    const filter = await createCompactionFilter(spec);
    const others = new SeriesElsewhere(vfs, job.directory, elsewhere);
    return new Sieve(filter, job.suffixBytes, others);
  }

  get droppedEntries(): number {
    return this.#droppedEntries;
  }

  /** Those that go as soon as they are alone. */
  get heldEntries(): number {
    return this.#heldEntries;
  }

  /** Whether the entry that a cursor stands on goes. */
  drops(entry: Cursor): MaybePromise<boolean> {
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = entry;
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

  async #dropIfAlone({ keyBytes, keyStart, keyEnd }: Cursor): Promise<boolean> {
    const end = keyEnd - this.#suffixBytes;
    const known = this.#series;
    if (known === undefined || !equalRanges(known, 0, known.length, keyBytes, keyStart, end)) {
      this.#series = keyBytes.slice(keyStart, end);
      this.#isAlone = !(await this.#elsewhere.mayHold(this.#series));
    }
    if (this.#isAlone) this.#droppedEntries++;
    else this.#heldEntries++;
    return this.#isAlone;
  }
}

/** Whether anything at all would go. */
export async function dropsAny(cursor: Cursor, sieve: Sieve): Promise<boolean> {
  await cursor.seek(NO_BYTES);
  while (cursor.valid) {
    const drops = sieve.drops(cursor);
    if (drops instanceof Promise ? await drops : drops) return true;
    const wait = cursor.next();
    if (wait !== undefined) await wait;
  }
  return false;
}
