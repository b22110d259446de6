import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../lsm/bytes.ts';
import type { EngineSnapshot } from '../../lsm/engine.ts';
import { InlineOffload } from '../../lsm/offload/inline.ts';
import type { JobName } from '../../lsm/offload/offload.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { seeded } from '../support/random.ts';
import {
  contentOf,
  hex,
  keyAt,
  type OpenedDb,
  openSmall,
  put,
  seriesKey,
  text,
  utf8,
  WHOLE,
} from './engine-support.ts';

const bySeriesAndTime = fc.tuple(fc.nat(30), fc.nat(60));
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put'),
      keys: fc.array(bySeriesAndTime, { minLength: 10, maxLength: 50 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('idle') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('snapshot') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('read'),
      keys: fc.array(bySeriesAndTime, { maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen') }) },
);

const seriesOf = (number: number) => seriesKey(number % 5, `device/${number}`);
type Model = Map<string, string>;

/** The engine beside a map; what was put after the last flush is lost in both when they are reopened. */
class Pair {
  readonly held: { snapshot: EngineSnapshot; model: Model }[] = [];
  model: Model = new Map();
  /** The model at each position that was noted. */
  readonly #at = new Map<string, Model>([['none', new Map()]]);
  #counter = 0;
  opened: OpenedDb;

  constructor(opened: OpenedDb) {
    this.opened = opened;
  }

  async put(keys: readonly (readonly [number, number])[]): Promise<void> {
    const { opened } = this;
    for (const [series, time] of keys) {
      const key = keyAt(seriesOf(series), time);
      const value = `${++this.#counter}${'.'.repeat(this.#counter % 50)}`;
      put(opened.db, key, utf8(value));
      this.model.set(hex(key), value);
    }
    opened.position++;
    this.#at.set(String(opened.position), new Map(this.model));
    await opened.db.waitForRoom();
  }

  async reopen(): Promise<void> {
    for (const { snapshot } of this.held.splice(0)) snapshot.close();
    const { vfs, position, db } = this.opened;
    await db.close();
    this.opened = await openSmall(vfs);
    const positions = this.opened.db.flushedPositions();
    this.model = new Map(this.#at.get(positions === undefined ? 'none' : text(positions)));
    this.opened.position = position;
    this.#at.set(String(position), new Map(this.model));
  }

  async checkReads(keys: readonly (readonly [number, number])[]): Promise<void> {
    const snapshot = this.opened.db.snapshot();
    const cursor = snapshot.cursor(WHOLE);
    for (const [series, time] of keys) {
      const prefix = seriesOf(series);
      await expectFirst(snapshot, this.model, prefix);
      await expectFirst(snapshot, this.model, prefix.slice(0, prefix.length - 2));
      const key = keyAt(prefix, time);
      await cursor.seek(key);
      const next = sortedKeys(this.model).find((other) => compareBytes(other, key) >= 0);
      expect(cursor.valid ? hex(cursor.key) : undefined).toBe(next && hex(next));
    }
    snapshot.close();
  }
}

const sortedKeys = (model: Model) =>
  [...model.keys()].map((key) => Uint8Array.from(Buffer.from(key, 'hex'))).sort(compareBytes);

async function expectFirst(snapshot: EngineSnapshot, model: Model, prefix: Uint8Array) {
  const start = hex(prefix);
  const expected = [...model.keys()].filter((key) => key.startsWith(start)).sort()[0];
  const found = await snapshot.first(prefix);
  expect(found && hex(found.key)).toBe(expected);
  if (found !== undefined) expect(text(found.value)).toBe(model.get(expected as string));
}

describe('the statistics of an engine', () => {
  it('say how often filters were asked for a key, and spared a look into a table', async () => {
    const { db } = await openSmall();
    for (const device of ['a', 'c']) put(db, keyAt(seriesKey(1, device), 1), utf8('1'));
    await db.flush();
    const snapshot = db.snapshot();
    expect(await snapshot.first(seriesKey(1, 'a'))).toBeDefined();
    expect(await snapshot.first(seriesKey(1, 'b'))).toBeUndefined();
    snapshot.close();
    expect(db.statistics()).toMatchObject({ filterChecks: 2, filterSkips: 1 });
    await db.close();
  });
});

describe('Db', () => {
  it('behaves like a sorted map, its snapshots like copies of one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 15, maxLength: 60, size: 'max' }),
        async (commands) => {
          const pair = new Pair(await openSmall());
          for (const { kind, keys = [] } of commands as {
            kind: string;
            keys?: [number, number][];
          }[]) {
            if (kind === 'put') await pair.put(keys);
            else if (kind === 'flush') await pair.opened.db.flush();
            else if (kind === 'idle') await pair.opened.db.compactionsIdle();
            else if (kind === 'snapshot') {
              const snapshot = pair.opened.db.snapshot();
              pair.held.push({ snapshot, model: new Map(pair.model) });
            } else if (kind === 'release') pair.held.shift()?.snapshot.close();
            else if (kind === 'read') await pair.checkReads(keys);
            else await pair.reopen();
          }
          for (const { snapshot, model } of pair.held) {
            expect(await contentOf(snapshot)).toEqual(model);
            snapshot.close();
          }
          const last = pair.opened.db.snapshot();
          expect(await contentOf(last)).toEqual(pair.model);
          last.close();
          await pair.opened.db.close();
        },
      ),
      { numRuns: 40, interruptAfterTimeLimit: 20_000 },
    );
  });

  it('reaches its lower levels and removes the files it no longer needs', async () => {
    const pair = new Pair(await openSmall(new CrashableMemVfs(), { borders: [Uint8Array.of(2)] }));
    const random = seeded(3);
    for (let i = 0; i < 80; i++) {
      await pair.put(Array.from({ length: 20 }, () => [Math.floor(random() * 30), i * 3]));
    }
    await pair.opened.db.flush();
    await pair.opened.db.compactionsIdle();
    const { filesPerLevel, tableCount, compactedBytes, flushedBytes } = pair.opened.db.statistics();
    expect(filesPerLevel[0]).toBeLessThan(4);
    expect(filesPerLevel.slice(1).some((files) => files > 0)).toBe(true);
    expect(compactedBytes).toBeGreaterThan(flushedBytes);
    await pair.checkReads(Array.from({ length: 31 }, (_, i) => [i, i]));
    await pair.opened.db.close();
    const files = await pair.opened.vfs.list('/db');
    expect(files.filter((name) => name.endsWith('.sst')).length).toBe(tableCount);
    expect(files.filter((name) => name.startsWith('MANIFEST')).length).toBe(1);
  });

  it('reads synchronously what is in memory, the newest value without touching older tables', async () => {
    const opened = await openSmall();
    const series = seriesOf(1);
    put(opened.db, keyAt(series, 5), utf8('old'));
    await opened.db.flush();
    put(opened.db, keyAt(series, 6), utf8('new'));
    const reads: string[] = [];
    opened.vfs.onOperation = ({ kind }) => void reads.push(kind);
    const snapshot = opened.db.snapshot();
    const found = snapshot.first(series);
    expect(found).not.toBeInstanceOf(Promise);
    expect(reads).toEqual([]);
    snapshot.close();
  });

  it('finds a late value with an old time, and not instead of the current one', async () => {
    const opened = await openSmall();
    const series = seriesOf(1);
    put(opened.db, keyAt(series, 9), utf8('current'));
    await opened.db.flush();
    put(opened.db, keyAt(series, 3), utf8('late'));
    const snapshot = opened.db.snapshot();
    expect(text((await snapshot.first(series))?.value as Uint8Array)).toBe('current');
    expect((await contentOf(snapshot)).size).toBe(2);
  });

  it('takes no beginning of keys for a series, even where a filter wrongly affirms it', async () => {
    const opened = await openSmall(new CrashableMemVfs(), { level0TablesTrigger: 100 });
    const common = 'x'.repeat(200);
    for (let i = 0; i < 20; i++) {
      put(
        opened.db,
        keyAt(seriesKey(1, `${common}${String.fromCharCode(97 + i)}`), 1),
        utf8(`${i}`),
      );
      for (let other = 0; other < 30; other++) {
        put(opened.db, keyAt(seriesKey(3, `${i}-${other}`), 1), utf8(''));
      }
      await opened.db.flush();
    }
    const snapshot = opened.db.snapshot();
    for (let length = 1; length < 200; length++) {
      const found = await snapshot.first(seriesKey(1, common).slice(0, 2 + length));
      expect(text(found?.value as Uint8Array)).toBe('0');
    }
  });

  it('does not scan for a series it knows to be whole and has not', async () => {
    const vfs = new CrashableMemVfs();
    const isWholeSeriesKey = (prefix: Uint8Array) => prefix.at(-1) === 0 && prefix.length > 3;
    const opened = await openSmall(vfs, { isWholeSeriesKey });
    put(opened.db, keyAt(seriesOf(1), 5), utf8('a'));
    put(opened.db, keyAt(seriesKey(1, 'device/3'), 5), utf8('b'));
    await opened.db.flush();
    const snapshot = opened.db.snapshot();
    await snapshot.first(seriesKey(1, 'device/2'));
    let reads = 0;
    vfs.onOperation = () => void reads++;
    expect(await snapshot.first(seriesKey(1, 'device/2'))).toBeUndefined();
    expect(reads).toBe(0);
  });

  it('freezes at the calls that say so, and announces positions when they are durable', async () => {
    const opened = await openSmall();
    const { db, vfs, events } = opened;
    for (let i = 0; i < 100; i++) put(db, keyAt(seriesOf(i), i), utf8('x'.repeat(100)));
    expect(db.statistics().frozenMemtables).toBe(0);
    opened.position = 7;
    expect(db.waitForRoom()).toBeUndefined();
    opened.position = 8;
    expect(db.statistics().frozenMemtables).toBe(1);
    let announced: CrashableMemVfs | undefined;
    const originalPush = events.push.bind(events);
    events.push = (...pushed) => {
      if (pushed[0]?.kind === 'positions-flushed') {
        announced ??= vfs.crashClone({ unsyncedKeepRatio: 0, random: seeded(1) });
      }
      return originalPush(...pushed);
    };
    await db.flush();
    const after = await openSmall(announced);
    expect(text(after.db.flushedPositions() as Uint8Array)).toBe('7');
    expect((await contentOf(after.db.snapshot())).size).toBe(100);
    expect(text(db.flushedPositions() as Uint8Array)).toBe('8');
  });

  it('makes writers wait while too many memtables are frozen', async () => {
    const vfs = new CrashableMemVfs();
    let letGo: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const inline = new InlineOffload(vfs);
    const run = async (job: JobName, input: unknown) => {
      await gate;
      return inline.run(job, input);
    };
    const { db, events } = await openSmall(vfs, { offload: { run, close: async () => {} } });
    const fill = () => {
      for (let i = 0; i < 70; i++) put(db, keyAt(seriesOf(i), i), utf8('x'.repeat(60)));
      return db.waitForRoom();
    };
    expect(fill()).toBeUndefined();
    expect(fill()).toBeUndefined();
    const wait = fill();
    expect(wait).toBeInstanceOf(Promise);
    expect(events.at(-1)).toEqual({ kind: 'stall', frozenMemtables: 2 });
    letGo();
    await wait;
    expect(db.waitForRoom()).toBeUndefined();
    await db.flush();
    expect(db.statistics().frozenMemtables).toBe(0);
    expect(db.statistics().memtableBytes).toBeLessThan(1000);
  });

  it('flushes positions alone when nothing was written', async () => {
    const opened = await openSmall();
    opened.position = 4;
    await opened.db.flush();
    const after = opened.vfs.crashClone({ unsyncedKeepRatio: 0, random: seeded(1) });
    const { db } = await openSmall(after);
    expect(text(db.flushedPositions() as Uint8Array)).toBe('4');
    expect(db.statistics().tableCount).toBe(0);
  });

  it('refuses everything once it is closed', async () => {
    const { db } = await openSmall();
    put(db, keyAt(seriesOf(1), 1), utf8('a'));
    const snapshot = db.snapshot();
    await db.close();
    await db.close();
    const closed = expect.objectContaining({ code: 'ENGINE_CLOSED' });
    expect(() => put(db, keyAt(seriesOf(1), 1), utf8('a'))).toThrow(closed);
    expect(() => db.waitForRoom()).toThrow(closed);
    expect(() => db.snapshot()).toThrow(closed);
    expect(() => snapshot.first(seriesOf(1))).toThrow(closed);
    await expect(db.flush()).rejects.toThrow(closed);
    snapshot.close();
  });

  it('has its own copy of a key that its owner uses again while the answer is awaited', async () => {
    const { db } = await openSmall(undefined, { seriesSuffixBytes: 0, blockCacheBytes: 0 });
    for (let i = 0; i < 50; i++) put(db, utf8(`key-${String(i).padStart(3, '0')}`), utf8(`${i}`));
    await db.flush();
    const key = utf8('key-007');
    const answer = db.get(key);
    expect(answer).toBeInstanceOf(Promise);
    key.set(utf8('key-023'));
    expect(text((await answer) as Uint8Array)).toBe('7');
    await db.close();
  });

  it('does not hold the version for a lookup that failed at once', async () => {
    const { db, vfs } = await openSmall(undefined, { seriesSuffixBytes: 0 });
    for (let i = 0; i < 50; i++) put(db, utf8(`key-${i}`), utf8(`value ${i}`));
    await db.flush();
    const tables = async () => (await vfs.list('/db')).filter((file) => file.endsWith('.sst'));
    vfs.readsNow = true;
    await db.get(utf8('key-9'));
    vfs.damage(`/db/${(await tables())[0]}`, 30, 0xff);
    expect(() => db.first(utf8('key-0'))).toThrow('damaged');
    // What nobody holds is removed when it is replaced.
    await db.replaceRange({ lower: new Uint8Array(0) }).commit(() => utf8('1'));
    expect(await tables()).toEqual([]);
    await db.close();
  });
});
