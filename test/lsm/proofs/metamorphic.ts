import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import type { KeyRange } from '../../../lsm/engine.ts';
import type { StoreOptions } from '../../../lsm/store/options.ts';
import type { Store } from '../../../lsm/store/store.ts';
import { WriteBatch } from '../../../lsm/store/write-batch.ts';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import type { SeededRandom } from '../../support/random.ts';
import { hex } from '../entries.ts';
import { openSmall } from '../store/store-support.ts';
import { shown } from './content.ts';

export type Write = readonly [key: Uint8Array, value: Uint8Array | undefined];

/** What a range is asked for, or rid of. */
export interface Query extends KeyRange {
  readonly reverse: boolean;
  /** Infinite for none. */
  readonly limit: number;
}

/** A database of any make. Answers are text, to be compared. */
export interface Subject {
  write(writes: readonly Write[], sync: boolean): Promise<void>;
  clear(query: Query): Promise<void>;
  get(key: Uint8Array): Promise<string>;
  range(query: Query): Promise<string>;
  /** What is there now can be asked for by `heldRange` until the next `hold`. */
  hold(): Promise<void>;
  heldRange(query: Query): Promise<string>;
  /** Has no visible effect. */
  tidyUp(): Promise<void>;
  reopen(): Promise<void>;
  remove(): Promise<void>;
}

export class StoreSubject implements Subject {
  readonly #options: Partial<StoreOptions>;
  readonly #vfs = new CrashableMemVfs();
  #store: Store | undefined;
  #held: ReturnType<Store['snapshot']> | undefined;

  private constructor(options: Partial<StoreOptions>, readsNow: boolean) {
    this.#options = options;
    this.#vfs.readsNow = readsNow;
  }

  static async open(options: Partial<StoreOptions>, readsNow: boolean): Promise<StoreSubject> {
    const subject = new StoreSubject(options, readsNow);
    subject.#store = await openSmall(subject.#vfs, options);
    return subject;
  }

  get #opened(): Store {
    return this.#store as Store;
  }

  write(writes: readonly Write[], sync: boolean): Promise<void> {
    const [only] = writes;
    if (writes.length === 1 && only !== undefined) {
      const [key, value] = only;
      const options = { sync };
      return value === undefined
        ? this.#opened.delete(key, options)
        : this.#opened.put(key, value, options);
    }
    const batch = new WriteBatch();
    for (const [key, value] of writes) {
      if (value === undefined) batch.delete(key);
      else batch.put(key, value);
    }
    return this.#opened.write(batch, { sync });
  }

  clear({ lower, upper, reverse, limit }: Query): Promise<void> {
    const options = limit === Number.POSITIVE_INFINITY ? {} : { reverse, limit };
    return this.#opened.clear({ lower, upper }, options);
  }

  async get(key: Uint8Array): Promise<string> {
    const [waiting, blocking] = [await this.#opened.get(key), this.#opened.getSync(key)];
    const [one, other] = [waiting && hex(waiting), blocking && hex(blocking)];
    return one === other ? `${one}` : `${one}, or blocking ${other}`;
  }

  async range(query: Query): Promise<string> {
    const snapshot = this.#opened.snapshot();
    const found = await rangeOf(snapshot, query);
    snapshot.close();
    return found;
  }

  async hold(): Promise<void> {
    this.#held?.close();
    this.#held = this.#opened.snapshot();
  }

  heldRange(query: Query): Promise<string> {
    return this.#held === undefined ? Promise.resolve('') : rangeOf(this.#held, query);
  }

  async tidyUp(): Promise<void> {
    await this.#opened.compact();
  }

  async reopen(): Promise<void> {
    await this.remove();
    this.#store = await openSmall(this.#vfs, this.#options);
  }

  async remove(): Promise<void> {
    this.#held?.close();
    this.#held = undefined;
    await this.#opened.close();
  }
}

async function rangeOf(
  snapshot: ReturnType<Store['snapshot']>,
  { lower, upper, reverse, limit }: Query,
): Promise<string> {
  const cursor = snapshot.cursor({ lower, upper }, { reverse });
  await cursor.seekFirst();
  const entries = await cursor.take(Math.min(limit, 1e9), 1e9);
  cursor.close();
  return entries.map((entry) => shown(entry).join('=')).join(' ');
}

type View = { readonly keyEncoding: 'view'; readonly valueEncoding: 'view' };
const view: View = { keyEncoding: 'view', valueEncoding: 'view' };

/** LevelDB, on real files. */
export class ClassicSubject implements Subject {
  readonly #directory: string;
  #db: ClassicLevel<Uint8Array, Uint8Array>;
  #held: ReturnType<ClassicLevel['snapshot']> | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#db = new ClassicLevel(directory, view);
  }

  static async open(): Promise<ClassicSubject> {
    const subject = new ClassicSubject(await mkdtemp(join(tmpdir(), 'dss-classic-')));
    await subject.#db.open();
    return subject;
  }

  write(writes: readonly Write[]): Promise<void> {
    return this.#db.batch(
      writes.map(([key, value]) =>
        value === undefined ? { type: 'del', key } : { type: 'put', key, value },
      ),
    );
  }

  /** Not by its own `clear`: that overlooks the empty key when it goes backward. */
  async clear(query: Query): Promise<void> {
    const keys = await this.#db.keys(boundsOf(query)).all();
    await this.#db.batch(keys.map((key) => ({ type: 'del', key })));
  }

  async get(key: Uint8Array): Promise<string> {
    const value = await this.#db.get(key);
    return `${value && hex(value)}`;
  }

  async range(query: Query): Promise<string> {
    const found = await this.#db.iterator(boundsOf(query)).all();
    return found.map(([key, value]) => `${hex(key)}=${hex(value)}`).join(' ');
  }

  async hold(): Promise<void> {
    await this.#held?.close();
    this.#held = this.#db.snapshot();
  }

  async heldRange(query: Query): Promise<string> {
    if (this.#held === undefined) return '';
    const bounds = { ...boundsOf(query), snapshot: this.#held };
    const found = await this.#db.iterator(bounds).all();
    return found.map(([key, value]) => `${hex(key)}=${hex(value)}`).join(' ');
  }

  async tidyUp(): Promise<void> {}

  async reopen(): Promise<void> {
    await this.#held?.close();
    this.#held = undefined;
    await this.#db.close();
    this.#db = new ClassicLevel(this.#directory, view);
    await this.#db.open();
  }

  async remove(): Promise<void> {
    await this.#db.close();
    await rm(this.#directory, { recursive: true });
  }
}

function boundsOf({ lower, upper, reverse, limit }: Query) {
  const bounds = { gte: lower, reverse, limit: Number.isFinite(limit) ? limit : -1 };
  return upper === undefined ? bounds : { ...bounds, lt: upper };
}

/** Keys of which many are beginnings of each other. */
export function keyFrom(random: SeededRandom): Uint8Array {
  if (random.chance(0.03)) return new Uint8Array(100 + random.below(300)).fill(random.below(3));
  const bytes = [0x00, 0x01, 0x61, 0x62, 0xff];
  return Uint8Array.from({ length: random.below(5) }, () => random.pick(bytes));
}

export function valueFrom(random: SeededRandom): Uint8Array {
  const length = random.chance(0.05) ? 2000 + random.below(4000) : random.below(40);
  const byte = random.below(256);
  return Uint8Array.from({ length }, (_, i) => (i % 3 === 0 ? byte : i));
}

export function queryFrom(random: SeededRandom): Query {
  const reverse = random.chance(0.5);
  const limit = random.chance(0.4) ? random.below(12) : Number.POSITIVE_INFINITY;
  const [a, b] = [keyFrom(random), keyFrom(random)];
  const [lower, upper] = Buffer.compare(a, b) <= 0 ? [a, b] : [b, a];
  return random.chance(0.3) ? { lower, reverse, limit } : { lower, upper, reverse, limit };
}
