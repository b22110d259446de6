import assert from 'node:assert/strict';
import type { Db } from '../../lsm/db.ts';
import { InlineOffload } from '../../lsm/offload/inline.ts';
import type { JobName, Offload } from '../../lsm/offload/offload.ts';
import type { DbOptions } from '../../lsm/options.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import {
  contentOf,
  keyAt,
  type OpenedDb,
  openSmall,
  put,
  seriesKey,
  utf8,
} from './engine-support.ts';
import { ruleFilterModule, timeOf } from './rule-filter.ts';

/** Runs jobs here and notes them. Sees that beside flushes there is only one at a time. */
export class WatchedOffload implements Offload {
  readonly jobs: { readonly job: JobName; readonly input: unknown }[] = [];
  readonly #gates = new Map<JobName, Promise<void>>();
  readonly #inline: InlineOffload;
  #isCompacting = false;

  constructor(vfs: CrashableMemVfs) {
    this.#inline = new InlineOffload(vfs);
  }

  /** Holds jobs of a kind back until the function that it returns is called. */
  hold(job: JobName): () => void {
    let open = () => {};
    this.#gates.set(job, new Promise<void>((resolve) => (open = resolve)));
    return () => {
      this.#gates.delete(job);
      open();
    };
  }

  async run(job: JobName, input: unknown): Promise<unknown> {
    this.jobs.push({ job, input });
    if (job === 'flush') return this.#run(job, input);
    assert(!this.#isCompacting, 'one compaction at a time');
    this.#isCompacting = true;
    try {
      return await this.#run(job, input);
    } finally {
      this.#isCompacting = false;
    }
  }

  async close(): Promise<void> {}

  async #run(job: JobName, input: unknown): Promise<unknown> {
    await this.#gates.get(job);
    return this.#inline.run(job, input);
  }
}

export interface FilteredDb extends OpenedDb {
  readonly offload: WatchedOffload;
  /** What filters go by; `undefined`: nothing is dropped. */
  readonly host: { cutoff: number | undefined };
}

/** An engine with the filter of `rule-filter.ts`. */
export async function openFiltered(
  vfs = new CrashableMemVfs(),
  more: Partial<DbOptions> & { cutoff?: number } = {},
): Promise<FilteredDb> {
  const { cutoff, ...options } = more;
  const host: FilteredDb['host'] = { cutoff };
  const offload = new WatchedOffload(vfs);
  const state = () => (host.cutoff === undefined ? undefined : utf8(`${host.cutoff}`));
  const compactionFilter = { module: ruleFilterModule, state };
  const sizes = { level0TablesTrigger: 4 };
  const opened = await openSmall(vfs, { offload, compactionFilter, ...sizes, ...options });
  return Object.assign(opened, { offload, host });
}

/** Puts `value` at `time` into a series of that name. */
export function write(db: Db, name: string, time: number, value = `${name}@${time}`): void {
  put(db, keyAt(seriesKey(1, name), time), utf8(value));
}

/** Everything there is, as `name@time=value`, in key order. */
export async function listing({ db }: { readonly db: Db }): Promise<string[]> {
  const snapshot = db.snapshot();
  const content = await contentOf(snapshot);
  snapshot.close();
  return [...content].map(([key, value]) => {
    const bytes = Uint8Array.from(Buffer.from(key, 'hex'));
    const name = Buffer.from(bytes.subarray(2, bytes.length - 9)).toString();
    return value === `${name}@${timeOf(bytes)}` ? value : `${name}@${timeOf(bytes)}=${value}`;
  });
}
