import { expect } from 'vitest';
import { Db } from '../../../lsm/db.ts';
import type { EngineEvent } from '../../../lsm/engine.ts';
import { InlineOffload } from '../../../lsm/offload/inline.ts';
import type { Snapshot } from '../../../lsm/snapshot.ts';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { text, utf8 } from '../entries.ts';
import { isWholeSeriesKey, type Tuning } from './arbitrary.ts';
import { Content } from './content.ts';

export interface SubjectOptions extends Tuning {
  readonly seriesSuffixBytes: number;
  /** Whether it is told which prefixes are whole series keys. */
  readonly knowsSeriesKeys: boolean;
  /** Whether reads of the disk can be had at once. */
  readonly readsNow: boolean;
  /** So many operations of the disk out of ten take their time. */
  readonly slowness: number;
}

/** An engine beside what it should hold, now and at each position. */
export class Subject {
  readonly options: SubjectOptions;
  readonly vfs = new CrashableMemVfs();
  readonly events: EngineEvent[] = [];
  readonly held: { readonly snapshot: Snapshot; readonly content: Content }[] = [];
  content = new Content();
  position = 0;
  checkpoints = 0;
  readonly #contents = new Map<number, Content>([[0, new Content()]]);
  #db: Db | undefined;

  private constructor(options: SubjectOptions) {
    this.options = options;
    this.vfs.readsNow = options.readsNow;
    let operations = 0;
    if (options.slowness > 0) {
      this.vfs.onOperation = () => {
        const isSlow = (operations++ * 7) % 10 < options.slowness;
        return isSlow ? new Promise((resolve) => setImmediate(resolve)) : undefined;
      };
    }
  }

  static async open(options: SubjectOptions): Promise<Subject> {
    const subject = new Subject(options);
    subject.#db = await subject.openDb('/db');
    return subject;
  }

  get db(): Db {
    return this.#db as Db;
  }

  openDb(directory: string): Promise<Db> {
    const { knowsSeriesKeys, ...options } = this.options;
    return Db.open({
      ...options,
      ...(knowsSeriesKeys ? { isWholeSeriesKey } : {}),
      vfs: this.vfs,
      directory,
      offload: new InlineOffload(this.vfs),
      notePositions: () => utf8(String(this.position)),
      onEvent: (event) => void this.events.push(event),
    });
  }

  write(key: Uint8Array, value: Uint8Array | undefined): void {
    if (value === undefined) this.db.delete(key, 0, key.length);
    else this.db.put(key, 0, key.length, value, 0, value.length);
    this.content.write(key, value);
  }

  /** All that was written since the last time stays together, whatever comes. */
  async settle(): Promise<void> {
    this.advance();
    const room = this.db.waitForRoom();
    if (room !== undefined) await room;
  }

  advance(): void {
    this.position++;
    this.#contents.set(this.position, this.content.copy());
  }

  /** What was not flushed is gone; all up to the positions that are there is there. */
  async reopen(): Promise<void> {
    this.held.length = 0;
    await this.db.close();
    this.#db = await this.openDb('/db');
    const positions = this.db.flushedPositions();
    this.position = positions === undefined ? 0 : Number(text(positions));
    this.content = (this.#contents.get(this.position) as Content).copy();
  }

  async close(): Promise<void> {
    await this.db.compactionsIdle();
    const { damage } = await this.db.verify();
    expect(damage).toEqual([]);
    for (const { snapshot } of this.held) snapshot.close();
    await this.db.close();
    const bad = this.events.filter(({ kind }) => /corruption|error|full/.test(kind));
    expect(bad).toEqual([]);
  }
}
