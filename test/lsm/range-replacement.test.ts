import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineEvent, EngineSnapshot, KeyRange } from '../../lsm/engine.ts';
import { LsmError } from '../../lsm/errors.ts';
import type { DbOptions } from '../../lsm/options.ts';
import type { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
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
} from './engine-support.ts';

type Content = ReadonlyMap<string, string>;

const slot = (from: number, to?: number): KeyRange => ({
  lower: Uint8Array.of(from),
  upper: to === undefined ? undefined : Uint8Array.of(to),
});
const isIn = ({ lower, upper }: KeyRange, key: string) =>
  key >= hex(lower) && (upper === undefined || key < hex(upper));
const inside = (content: Content, range: KeyRange) =>
  new Map([...content].filter(([key]) => isIn(range, key)));
const outside = (content: Content, range: KeyRange) =>
  new Map([...content].filter(([key]) => !isIn(range, key)));
/** What `content` is when a range of it is that of `other`. */
const replaced = (content: Content, range: KeyRange, other: Content) =>
  new Map([...outside(content, range), ...inside(other, range)].sort());

async function contentNow({ db }: OpenedDb): Promise<Map<string, string>> {
  const snapshot = db.snapshot();
  const content = new Map([...(await contentOf(snapshot))].sort());
  snapshot.close();
  return content;
}

/** Some hundred entries in eight slots, in several levels, some in memory. */
async function fill(
  opened: OpenedDb,
  seed: number,
  { count = 500, width = 40 } = {},
): Promise<Map<string, string>> {
  const random = seeded(seed);
  for (let i = 0; i < count; i++) {
    const name = `d${Math.floor(random() * 9)}`;
    const key = keyAt(seriesKey(Math.floor(random() * 8), name), Math.floor(random() * 40));
    put(opened.db, key, utf8(`${seed}:${i}${'-'.repeat(Math.floor(random() * width))}`));
    await opened.db.waitForRoom();
  }
  return contentNow(opened);
}

async function exported(snapshot: EngineSnapshot, range: KeyRange): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = [];
  for await (const { bytes } of snapshot.exportRange(range)) blocks.push(bytes);
  return blocks;
}

async function exportOf(opened: OpenedDb, range: KeyRange): Promise<Uint8Array[]> {
  const snapshot = opened.db.snapshot();
  const blocks = await exported(snapshot, range);
  snapshot.close();
  return blocks;
}

/** Puts content into the place of what is in a range; abandons that when it fails. */
async function replace(opened: OpenedDb, range: KeyRange, blocks: readonly Uint8Array[]) {
  const replacement = opened.db.replaceRange(range);
  try {
    for (const block of blocks) await replacement.add(block);
    await replacement.commit((flushed) => utf8(`${flushed && text(flushed)} and more`));
  } catch (error) {
    await replacement.abandon();
    throw error;
  }
}

const tableFiles = async (vfs: CrashableMemVfs) =>
  (await vfs.list('/db')).filter((name) => name.endsWith('.sst'));
const damageIn = (events: readonly EngineEvent[]) =>
  events.filter(({ kind }) => kind === 'corruption');

interface Ended {
  readonly add: () => Promise<void>;
  readonly commit: () => Promise<void>;
  readonly abandon: () => Promise<void>;
}

async function twoEngines(more: Partial<DbOptions> = {}) {
  const [source, target] = [await openSmall(), await openSmall(undefined, more)];
  const theirs = await fill(source, 1);
  const ours = await fill(target, 2);
  return { source, target, theirs, ours };
}

describe('a replaced range', () => {
  it.each([
    ['in the middle', slot(2, 5)],
    ['from the beginning', { lower: new Uint8Array(0), upper: Uint8Array.of(3) }],
    ['to the end', slot(4)],
    ['of everything', { lower: new Uint8Array(0) }],
    ['of nothing', slot(100, 101)],
  ])('has the other content, %s, and nothing else has changed', async (_, range) => {
    for (const borders of [[], [2, 5].map((it) => Uint8Array.of(it))]) {
      const { source, target, theirs, ours } = await twoEngines({ borders });
      target.position = 7;
      await target.db.flush();
      const before = target.db.snapshot();
      await replace(target, range, await exportOf(source, range));
      const expected = replaced(ours, range, theirs);
      expect(await contentNow(target)).toEqual(expected);
      expect(new Map([...(await contentOf(before))].sort())).toEqual(ours);
      before.close();
      expect(text(target.db.flushedPositions() as Uint8Array)).toBe('7 and more');
      await target.db.compactFully();
      expect(await contentNow(target)).toEqual(expected);
      await target.db.close();
      const again = await openSmall(target.vfs, { borders });
      expect(await contentNow(again)).toEqual(expected);
      expect(text(again.db.flushedPositions() as Uint8Array)).toBe('7 and more');
      expect(damageIn(again.events)).toEqual([]);
    }
  });

  it('is empty without blocks, and its tables go unread', async () => {
    const { db, vfs } = await openSmall(undefined, { borders: [Uint8Array.of(4)] });
    for (const first of [0, 4]) {
      for (let i = 0; i < 300; i++) put(db, keyAt(seriesKey(first, `d${i}`), 1), utf8('value'));
      await db.flush();
    }
    await db.compactFully();
    const reads: string[] = [];
    vfs.onOperation = ({ kind, path }) => {
      if (kind === 'read' || kind === 'open') reads.push(path);
    };
    const files = await tableFiles(vfs);
    const replacement = db.replaceRange(slot(4));
    await replacement.commit(() => utf8('p'));
    expect(reads.filter((path) => path.endsWith('.sst'))).toEqual([]);
    expect((await tableFiles(vfs)).length).toBeLessThan(files.length);
    const left = [...(await contentOf(db.snapshot())).keys()];
    expect(left.length).toBe(300);
    expect(left.every((key) => key < '04')).toBe(true);
  });

  it('leaves in memory what is elsewhere, and positions with it', async () => {
    const opened = await openSmall(undefined, { memtableBytes: 1e6 });
    const { db, events } = opened;
    const source = await openSmall();
    const theirs = await fill(source, 1);
    opened.position = 1;
    put(db, keyAt(seriesKey(1, 'a'), 1), utf8('flushed'));
    await db.flush();
    opened.position = 2;
    put(db, keyAt(seriesKey(5, 'a'), 1), utf8('in memory'));
    const flushes = () => events.filter(({ kind }) => kind === 'flush-end').length;
    expect(flushes()).toBe(1);
    await replace(opened, slot(2, 4), await exportOf(source, slot(2, 4)));
    expect(flushes()).toBe(1);
    expect(text(db.flushedPositions() as Uint8Array)).toBe('1 and more');
    expect(inside(await contentNow(opened), slot(2, 4))).toEqual(inside(theirs, slot(2, 4)));
    await replace(opened, slot(5, 6), []);
    expect(flushes()).toBe(2);
    expect(text(db.flushedPositions() as Uint8Array)).toBe('2 and more');
    expect([...inside(await contentNow(opened), slot(4))]).toEqual([]);
  });

  it('is one of several at a time, which end in any order', async () => {
    const { source, target, theirs, ours } = await twoEngines({
      borders: [2, 4, 6].map((it) => Uint8Array.of(it)),
    });
    const ranges = [slot(0, 2), slot(2, 4), slot(4, 6), slot(6)];
    expect(target.db.replacementsMax).toBe(ranges.length);
    const blocks = await Promise.all(ranges.map((range) => exportOf(source, range)));
    const replacements = ranges.map((range) => target.db.replaceRange(range));
    const [first, second, third, fourth] = replacements.map((replacement, i) => ({
      add: async () => {
        for (const block of blocks[i] ?? []) await replacement.add(block);
      },
      commit: () => replacement.commit(() => utf8(`${i}`)),
      abandon: () => replacement.abandon(),
    })) as [Ended, Ended, Ended, Ended];
    await Promise.all([first.add(), second.add(), third.add(), fourth.add()]);
    await second.abandon();
    await Promise.all([fourth.commit(), third.commit(), first.commit()]);
    const expected = [slot(0, 2), slot(4, 6), slot(6)].reduce(
      (content, range) => replaced(content, range, theirs),
      ours as Content,
    );
    expect(await contentNow(target)).toEqual(expected);
    await target.db.close();
    expect(await contentNow(await openSmall(target.vfs))).toEqual(expected);
  });

  it('takes what is written into it afterwards', async () => {
    const { source, target, theirs, ours } = await twoEngines();
    const range = slot(3, 6);
    await replace(target, range, await exportOf(source, range));
    const key = keyAt(seriesKey(4, 'd1'), 11);
    put(target.db, key, utf8('afterwards'));
    const expected = replaced(ours, range, theirs).set(hex(key), 'afterwards');
    expect(await contentNow(target)).toEqual(new Map([...expected].sort()));
    await target.db.flush();
    await target.db.compactFully();
    expect(await contentNow(target)).toEqual(new Map([...expected].sort()));
  });

  it('takes nothing of writes elsewhere meanwhile', async () => {
    const { source, target, theirs, ours } = await twoEngines();
    const range = slot(3, 6);
    const replacement = target.db.replaceRange(range);
    const expected = new Map(replaced(ours, range, theirs));
    let time = 100;
    const writeElsewhere = async () => {
      for (let i = 0; i < 30; i++) {
        const key = keyAt(seriesKey(i % 2 === 0 ? 1 : 7, 'new'), time++);
        put(target.db, key, utf8(`${time}`));
        expected.set(hex(key), `${time}`);
      }
      await target.db.waitForRoom();
    };
    for (const block of await exportOf(source, range)) {
      await writeElsewhere();
      await replacement.add(block);
    }
    const committed = replacement.commit(() => utf8('p'));
    for (let i = 0; i < 5; i++) await writeElsewhere();
    await committed;
    await writeElsewhere();
    await target.db.compactionsIdle();
    expect(await contentNow(target)).toEqual(new Map([...expected].sort()));
  });

  it('goes on after an interrupted export, from the last key', async () => {
    const source = await openSmall(undefined, { memtableBytes: 1e6 });
    const theirs = await fill(source, 1, { count: 2000, width: 300 });
    const snapshot = source.db.snapshot();
    const blocks: Uint8Array[] = [];
    let after: Uint8Array | undefined;
    for (let isOver = false; !isOver; ) {
      isOver = true;
      for await (const block of snapshot.exportRange({ lower: new Uint8Array(0) }, after)) {
        blocks.push(block.bytes);
        after = block.lastKey;
        isOver = false;
        break;
      }
    }
    expect(blocks.length).toBeGreaterThan(1);
    const target = await openSmall();
    await replace(target, { lower: new Uint8Array(0) }, blocks);
    expect(await contentNow(target)).toEqual(theirs);
  });

  it('is as it was when the replacement is abandoned, and no file is left', async () => {
    const { source, target, ours } = await twoEngines();
    await target.db.flush();
    await target.db.compactionsIdle();
    const files = await tableFiles(target.vfs);
    const replacement = target.db.replaceRange(slot(0));
    for (const block of await exportOf(source, slot(0))) await replacement.add(block);
    expect((await tableFiles(target.vfs)).length).toBeGreaterThan(files.length);
    await replacement.abandon();
    expect(await tableFiles(target.vfs)).toEqual(files);
    expect(await contentNow(target)).toEqual(ours);
    await target.db.replaceRange(slot(0)).abandon();
  });

  it('with a quarantined table within it is whole again; of one that reaches out of it the rest stays lost', async () => {
    const { db, vfs } = await openSmall(undefined, { level0TablesTrigger: 100 });
    for (const slots of [[3, 4], [2, 3], [5]]) {
      for (const first of slots) put(db, keyAt(seriesKey(first, 'a'), 1), utf8(`${slots}`));
      await db.flush();
    }
    await db.close();
    const [within, across] = await tableFiles(vfs);
    for (const name of [within, across]) await vfs.remove(`/db/${name}`);
    const again = await openSmall(vfs, { level0TablesTrigger: 100 });
    await again.db.replaceRange(slot(3, 5)).commit(() => utf8('p'));
    await seen(again, { 2: 'lost', 3: undefined, 4: undefined, 5: '5' });
    await again.db.close();
    const reopened = await openSmall(vfs, { level0TablesTrigger: 100 });
    await seen(reopened, { 2: 'lost', 3: undefined, 4: undefined, 5: '5' });
    await reopened.db.replaceRange(slot(2, 3)).commit(() => utf8('p'));
    await seen(reopened, { 2: undefined, 3: undefined, 4: undefined, 5: '5' });
    expect(await reopened.db.verify()).toMatchObject({ tables: 1, damage: [] });
  });

  it.each([{ level: 0 }, { level: 1 }])(
    'with a damaged block outside of it leaves that lost and all else as it was (level $level)',
    async ({ level }) => {
      const options = { level0TablesTrigger: 100, borders: [], codec: 'none' } as const;
      const opened = await openSmall(undefined, options);
      const { db, vfs } = opened;
      const wide = '-'.repeat(3_000);
      for (let first = 0; first < 8; first++) {
        put(db, keyAt(seriesKey(first, 'a'), 1), utf8(`${first}${wide}`));
      }
      await db.flush();
      if (level > 0) await db.compactFully();
      const [name] = await tableFiles(vfs);
      const content = await vfs.readFile(`/db/${name}`);
      vfs.damage(`/db/${name}`, Buffer.from(content).indexOf(`6${wide}`.slice(0, 100)), 0xff);
      const damage = await opened.db.verify();
      expect(damage.damage).toHaveLength(1);
      const rest = { 1: '1', 4: '4', 5: '5', 6: 'lost', 7: '7' };
      await db.replaceRange(slot(2, 4)).commit(() => utf8('p'));
      await seen(opened, { ...rest, 2: undefined, 3: undefined });
      expect(await db.verify()).toMatchObject({ damage: [] });
      await db.replaceRange(slot(6, 8)).commit(() => utf8('q'));
      await seen(opened, { 1: '1', 5: '5', 6: undefined, 7: undefined });
      await db.compactFully();
      await seen(opened, { 1: '1', 5: '5', 6: undefined, 7: undefined });
    },
  );
});

/** The first character of what is there in some slots. */
async function seen(
  { db }: OpenedDb,
  expected: Readonly<Record<number, string | undefined>>,
): Promise<void> {
  const snapshot = db.snapshot();
  const found: Record<number, string | undefined> = {};
  for (const first of Object.keys(expected).map(Number)) {
    try {
      const value = await snapshot.get(keyAt(seriesKey(first, 'a'), 1));
      found[first] = value && text(value).slice(0, 1);
    } catch (error) {
      expect(error).toMatchObject({ code: 'CORRUPTION' });
      found[first] = 'lost';
    }
  }
  snapshot.close();
  expect(found).toEqual(expected);
}

describe('blocks that are not what was exported', () => {
  const corrupt = { code: 'CORRUPTION' };

  it('are refused: damaged, out of order, outside of the range', async () => {
    const source = await openSmall(undefined, { memtableBytes: 1e6 });
    await fill(source, 1, { count: 2000, width: 300 });
    const target = await openSmall();
    const [first, second] = await exportOf(source, slot(0));
    const [block, later] = [first as Uint8Array, second as Uint8Array];
    const attempt = async (range: KeyRange, ...blocks: Uint8Array[]) => {
      const replacement = target.db.replaceRange(range);
      try {
        for (const it of blocks) await replacement.add(it);
      } finally {
        await replacement.abandon();
      }
    };
    await attempt(slot(0), block, later);
    const flipped = block.slice();
    flipped[100] = (flipped[100] as number) ^ 1;
    await expect(attempt(slot(0), flipped)).rejects.toMatchObject(corrupt);
    await expect(attempt(slot(0), block.slice(0, -1))).rejects.toMatchObject(corrupt);
    await expect(attempt(slot(0), new Uint8Array(0))).rejects.toMatchObject(corrupt);
    await expect(attempt(slot(0), later, block)).rejects.toMatchObject(corrupt);
    await expect(attempt(slot(0), block, block)).rejects.toMatchObject(corrupt);
    await expect(attempt(slot(1), block)).rejects.toMatchObject(corrupt);
    await expect(attempt(slot(0, 1), block)).rejects.toMatchObject(corrupt);
    expect(await contentNow(target)).toEqual(new Map());
  });

  it('never get in, whatever their bytes are', async () => {
    const source = await openSmall();
    await fill(source, 1, { count: 60 });
    const [block] = (await exportOf(source, slot(0))) as [Uint8Array];
    const target = await openSmall();
    const change = fc.tuple(fc.nat(block.length - 1), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
        const mutated = block.slice();
        for (const [at, flip] of changes) mutated[at] = (mutated[at] as number) ^ flip;
        if (mutated.every((byte, i) => byte === block[i])) return;
        const replacement = target.db.replaceRange(slot(0));
        const codes = ['CORRUPTION', 'FORMAT_TOO_NEW', 'CODEC_MISSING'];
        const error = await replacement.add(mutated).catch((it: LsmError) => it);
        expect(codes).toContain((error as LsmError | undefined)?.code);
        await replacement.abandon();
      }),
      { numRuns: 200 },
    );
  });
});

describe('a replacement that is cut short', () => {
  /** An engine with something in every level, and a range with other content for it. */
  async function prepare() {
    const { source, target, theirs, ours } = await twoEngines({ level0TablesTrigger: 4 });
    const range = slot(2, 6);
    target.position = 1;
    await target.db.flush();
    await target.db.compactionsIdle();
    const blocks = await exportOf(source, range);
    return { target, range, blocks, ours, expected: replaced(ours, range, theirs) };
  }
  const positionsOf = ({ db }: OpenedDb) => text(db.flushedPositions() as Uint8Array);

  it('by a power cut leaves the old content or the new one, never a mix', async () => {
    const { target, range, blocks, ours, expected } = await prepare();
    const random = seeded(3);
    const images: CrashableMemVfs[] = [];
    target.vfs.onOperation = ({ kind }) => {
      if (kind === 'read' || kind === 'size') return;
      images.push(target.vfs.crashClone({ unsyncedKeepRatio: random(), random }));
    };
    await replace(target, range, blocks);
    target.vfs.onOperation = undefined;
    images.push(target.vfs.crashClone({ unsyncedKeepRatio: 0, random }));
    const seen = new Set<string>();
    for (const [i, image] of images.entries()) {
      const again = await openSmall(image);
      const positions = positionsOf(again);
      seen.add(positions);
      expect(damageIn(again.events), `image ${i}`).toEqual([]);
      const content = positions === '1' ? ours : expected;
      expect(await contentNow(again), `image ${i}`).toEqual(content);
      await again.db.close();
    }
    expect([...seen].sort()).toEqual(['1', '1 and more']);
    expect(images.length).toBeGreaterThan(20);
  });

  it.each(['EIO', 'ENOSPC'])('by a failure (%s) as well, and it is a typed error', async (code) => {
    const { target, range, blocks, ours, expected } = await prepare();
    let failed = true;
    for (let n = 1; failed; n++) {
      failed = false;
      const vfs = target.vfs.processCrashClone();
      const opened = await openSmall(vfs, { level0TablesTrigger: 4 });
      opened.position = 1;
      let operations = 0;
      vfs.onOperation = ({ kind }) => {
        if (code === 'ENOSPC' && kind !== 'write' && kind !== 'sync') return;
        if (++operations !== n) return;
        failed = true;
        throw Object.assign(new Error('the disk says no'), { code });
      };
      const error = await replace(opened, range, blocks).catch((it: unknown) => it);
      vfs.onOperation = undefined;
      if (error !== undefined) expect(error, `operation ${n}`).toBeInstanceOf(LsmError);
      await opened.db.close();
      const again = await openSmall(vfs);
      expect(damageIn(again.events), `operation ${n}`).toEqual([]);
      const isNew = positionsOf(again) === '1 and more';
      if (error === undefined) expect(isNew).toBe(true);
      expect(await contentNow(again), `operation ${n}`).toEqual(isNew ? expected : ours);
      await again.db.close();
      if (!failed) expect(n).toBeGreaterThan(10);
    }
  });

  it('by a full disk can be done when there is room', async () => {
    const { target, range, blocks, ours, expected } = await prepare();
    const replacement = target.db.replaceRange(range);
    for (const block of blocks) await replacement.add(block);
    target.vfs.onOperation = ({ kind }) => {
      if (kind === 'write') throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    await expect(replacement.commit(() => utf8('p'))).rejects.toMatchObject({ code: 'DISK_FULL' });
    target.vfs.onOperation = undefined;
    expect(await contentNow(target)).toEqual(ours);
    await replacement.commit(() => utf8('p'));
    expect(await contentNow(target)).toEqual(expected);
  });
});
