import { beforeAll, describe, expect, it } from 'vitest';
import type { Db } from '../../../lsm/db.ts';
import type { KeyRange } from '../../../lsm/engine.ts';
import { LsmError } from '../../../lsm/errors.ts';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { SeededRandom } from '../../support/random.ts';
import { contentOf, del, keyAt, openSmall, put, seriesKey, text, utf8 } from '../engine-support.ts';
import { hex } from '../entries.ts';
import { answered, type FaultCode, Faults } from './faults.ts';

// An engine on a disk that fails at each operation in turn, whatever it is doing.

type Content = Map<string, string>;

const seriesOf = (at: number) => seriesKey(at, `s${at}`);
/** What is replaced: two series of five. */
const range: KeyRange = { lower: seriesOf(1), upper: seriesOf(3) };
const isInRange = (key: string) => key >= hex(range.lower) && key < hex(range.upper as Uint8Array);

let blocks: Uint8Array[];
let replacement: Content;

beforeAll(async () => {
  const { db } = await openSmall();
  for (let time = 0; time < 60; time++) {
    put(db, keyAt(seriesOf(1 + (time % 2)), time), utf8(`imported ${time}`));
  }
  const snapshot = db.snapshot();
  replacement = await contentOf(snapshot);
  blocks = [];
  for await (const { bytes } of snapshot.exportRange(range)) blocks.push(bytes);
  snapshot.close();
  await db.close();
});

class Life {
  readonly vfs = new CrashableMemVfs();
  readonly errors: LsmError[] = [];
  readonly #name: string;
  readonly #contents = new Map<number, Content>([[0, new Map()]]);
  #content: Content = new Map();
  #position = 0;
  /** The last position of which it was said that it is in tables. */
  #announced = 0;

  constructor(name: string) {
    this.#name = name;
  }

  async run(random: SeededRandom): Promise<void> {
    const opened = await this.#try('open', () =>
      openSmall(this.vfs, {
        notePositions: () => utf8(String(this.#position)),
        level0TablesTrigger: 2,
        openFilesMax: 2,
        memtableBytes: 3000,
      }),
    );
    if (opened === undefined) return;
    const { db } = opened;
    await this.#write(db, random);
    await this.#write(db, random);
    await this.#flush(db);
    await this.#write(db, random);
    await this.#try('compactFully', () => db.compactFully());
    await this.#replace(db);
    await this.#write(db, random);
    await this.#try('checkpoint', () => db.checkpoint('/copy'));
    await this.#try('compactWhere', () => db.compactWhere(() => true));
    await this.#try('read', async () => this.#read(db));
    await this.#try('verify', () => db.verify());
    await this.#flush(db);
    await this.#try('close', () => db.close());
  }

  /** Everything up to the flushed positions is there and nothing else, and it can be worked with. */
  async expectOn(vfs: CrashableMemVfs): Promise<void> {
    const { db, events } = await openSmall(vfs);
    expect(events.filter(({ kind }) => kind === 'corruption')).toEqual([]);
    const positions = db.flushedPositions();
    const position = positions === undefined ? 0 : Number(text(positions));
    expect(position, this.#name).toBeGreaterThanOrEqual(this.#announced);
    const snapshot = db.snapshot();
    expect(await contentOf(snapshot), this.#name).toEqual(this.#contents.get(position));
    snapshot.close();
    put(db, keyAt(seriesOf(4), 99), utf8('new'));
    await db.flush();
    await db.compactFully();
    expect((await db.verify()).damage).toEqual([]);
    await db.close();
  }

  async #write(db: Db, random: SeededRandom): Promise<void> {
    await this.#try('write', async () => {
      for (let i = 0; i < 40; i++) {
        const key = keyAt(seriesOf(random.below(5)), random.below(30));
        if (random.chance(0.3)) {
          del(db, key);
          this.#content.delete(hex(key));
        } else {
          const value = `${this.#position}.${i}${'-'.repeat(random.below(60))}`;
          put(db, key, utf8(value));
          this.#content.set(hex(key), value);
        }
      }
    });
    this.#advance();
    await this.#try('waitForRoom', async () => db.waitForRoom());
  }

  #advance(): void {
    this.#contents.set(++this.#position, new Map(this.#content));
  }

  async #flush(db: Db): Promise<void> {
    const position = this.#position;
    const isDone = await this.#try('flush', async () => {
      await db.flush();
      return true;
    });
    if (isDone) this.#announced = position;
  }

  async #replace(db: Db): Promise<void> {
    for (const isAbandoned of [true, false]) {
      const pending = await this.#try('replaceRange', async () => db.replaceRange(range));
      if (pending === undefined) continue;
      const count = this.errors.length;
      for (const block of blocks) await this.#try('add', () => pending.add(block));
      if (!isAbandoned && count === this.errors.length) {
        const isDone = await this.#try('commit', async () => {
          await pending.commit(() => this.#replaced());
          return true;
        });
        this.#position++;
        if (isDone) {
          this.#content = new Map(this.#contents.get(this.#position));
          this.#announced = this.#position;
          continue;
        }
        this.#advance();
      }
      await this.#try('abandon', () => pending.abandon());
    }
  }

  /** Counts only when the commit does; then `#content` becomes it. */
  #replaced(): Uint8Array {
    const content = new Map([...this.#content].filter(([key]) => !isInRange(key)));
    for (const [key, value] of replacement) content.set(key, value);
    this.#contents.set(this.#position + 1, content);
    return utf8(String(this.#position + 1));
  }

  async #read(db: Db): Promise<void> {
    const snapshot = db.snapshot();
    try {
      await contentOf(snapshot);
      await snapshot.first(seriesOf(1));
      db.getSync(keyAt(seriesOf(1), 1));
    } finally {
      snapshot.close();
    }
  }

  async #try<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await answered(call(), `${this.#name}, ${what}`);
    } catch (error) {
      expect(error, `${this.#name}, ${what}: ${error}`).toBeInstanceOf(LsmError);
      this.errors.push(error as LsmError);
      return undefined;
    }
  }
}

describe('an engine on a disk that fails', () => {
  const modes: [string, FaultCode, boolean][] = [
    ['once', 'EIO', false],
    ['from then on', 'EIO', true],
    ['for want of room', 'ENOSPC', true],
  ];
  it.each(modes)('has typed errors, ends, and loses nothing (%s)', async (mode, code, goesOn) => {
    for (let n = 1; ; n++) {
      const life = new Life(`${code} ${mode} at ${n}`);
      const takesRoom = ({ kind }: { kind: string }) => /write|link|remove/.test(kind);
      const faults = new Faults(life.vfs, code, code === 'EIO' ? undefined : takesRoom);
      faults.failAt(n, goesOn);
      const random = new SeededRandom(7);
      await life.run(random);
      faults.repair();
      await life.expectOn(life.vfs.processCrashClone());
      await life.expectOn(
        life.vfs.crashClone({ unsyncedKeepRatio: 0.5, random: () => random.fraction() }),
      );
      if (faults.failed === 0) break;
    }
  });
});
