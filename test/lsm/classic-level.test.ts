import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, open, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ClassicLevelEngine } from '../../lsm/classic-level/classic-level-engine.ts';
import { openClassicLevel, TestEngine } from './both-engines.ts';
import { contentOf, keyAt, seriesKey, text, utf8 } from './engine-support.ts';
import { ruleFilterModule } from './rule-filter.ts';

// What is classic-level's own. What it has in common with Db is in engine-conformance.test.ts.

const opened: TestEngine[] = [];
const scratch = await mkdtemp(join(tmpdir(), 'dss-classic-'));
afterEach(async () => {
  for (const each of opened.splice(0)) await each.remove();
});
afterAll(() => rm(scratch, { recursive: true }));

const start = async (options: Parameters<typeof TestEngine.open>[1] = {}) => {
  const subject = await TestEngine.open(openClassicLevel, options);
  opened.push(subject);
  return subject;
};
const classicOf = ({ engine }: TestEngine) => engine as ClassicLevelEngine;
const valuesOf = async ({ engine }: TestEngine) => {
  const snapshot = engine.snapshot();
  const content = await contentOf(snapshot);
  snapshot.close();
  return [...content.values()];
};
const raw = async <T>(
  directory: string,
  use: (level: ClassicLevel<Uint8Array, Uint8Array>) => T,
) => {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  await level.open();
  const result = await use(level);
  await level.close();
  return result;
};
const seriesOf = (number: number) => seriesKey(1, `s${String(number).padStart(5, '0')}`);

describe('classic-level as an engine', () => {
  it('keeps what it says of itself out of sight, whatever keys there are', async () => {
    const subject = await start({ seriesSuffixBytes: 0 });
    const keys = [[], [0], [0, 102, 111, 114, 109, 97, 116], [1], [255, 255], [0, 114]];
    for (const key of keys) subject.put(Uint8Array.from(key), `value of ${key}`);
    subject.position = 1;
    await subject.engine.flush();
    await subject.reopen();
    const snapshot = subject.engine.snapshot();
    for (const reverse of [false, true]) {
      const cursor = snapshot.cursor({ lower: new Uint8Array(0) }, { reverse });
      await cursor.seekFirst();
      expect(await cursor.take(100, 100_000)).toHaveLength(keys.length);
      cursor.close();
    }
    expect(text((await snapshot.get(new Uint8Array(0))) ?? utf8('-'))).toBe('value of ');
    snapshot.close();
  });

  it('has entries and positions of a flush in one batch: a copy of the folder has both or neither', async () => {
    const subject = await start({ memtableBytes: 3000 });
    const copies: string[] = [];
    for (subject.position = 1; subject.position <= 40; subject.position++) {
      await subject.engine.waitForRoom();
      for (let n = 0; n < 5; n++) subject.put(keyAt(seriesOf(n), subject.position), '.'.repeat(50));
      if (subject.position % 10 !== 0) continue;
      // As a process finds it that follows one that was killed: what LevelDB has given to the system, no more.
      const copy = join(scratch, `copy-${subject.position}`);
      await cp(subject.directory, copy, { recursive: true });
      copies.push(copy);
    }
    for (const directory of copies) {
      const options = { directory, seriesSuffixBytes: 8, notePositions: () => utf8('') };
      const engine = await ClassicLevelEngine.open(options);
      const positions = engine.flushedPositions();
      const rounds = positions === undefined ? 0 : Number(text(positions)) - 1;
      const snapshot = engine.snapshot();
      expect((await contentOf(snapshot)).size).toBe(rounds * 5);
      snapshot.close();
      await engine.close();
    }
  });

  it('is opened once, and says who has it', async () => {
    const subject = await start();
    const again = openClassicLevel(subject.directory, {
      directory: subject.directory,
      notePositions: () => utf8(''),
    });
    await expect(again).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' });
  });

  it('refuses what a newer version wrote, and a LevelDB without its manifest', async () => {
    const subject = await start();
    const { directory } = subject;
    await subject.engine.close();
    const openAgain = () => ClassicLevelEngine.open({ directory, notePositions: () => utf8('') });
    const format = Uint8Array.from([0, ...utf8('format')]);
    await raw(directory, (level) => level.put(format, Uint8Array.of(9)));
    await expect(openAgain()).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
    for (const name of await readdir(directory)) {
      if (name.startsWith('MANIFEST')) await truncate(join(directory, name), 3);
    }
    await expect(openAgain()).rejects.toMatchObject({ code: 'CORRUPTION' });
  });

  it('fails for good when LevelDB cannot write', async () => {
    const subject = await start({ memtableBytes: 64 * 1024, frozenMemtablesMax: 1 });
    subject.put(keyAt(seriesOf(1), 1), 'before');
    await subject.engine.flush();
    await rm(subject.directory, { recursive: true });
    const write = async () => {
      for (let time = 0; time < 1000; time++) {
        subject.put(keyAt(seriesOf(1), time), '.'.repeat(1000));
        await subject.engine.waitForRoom();
      }
    };
    await expect(write()).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    expect(subject.events.filter(({ kind }) => kind === 'background-error')).toHaveLength(1);
    await expect(subject.engine.flush()).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    await subject.engine.close();
    await mkdir(subject.directory);
  });

  it('drops an entry that hides others after those, however many chunks they fill', async () => {
    let cutoff = 0;
    const filter = { module: ruleFilterModule, state: () => utf8(String(cutoff)) };
    const subject = await start({ compactionFilter: filter, memtableBytes: 1_000_000 });
    // One series longer than a chunk, with a tombstone before it.
    const count = 2500;
    for (let time = 1; time <= count; time++) subject.put(keyAt(seriesOf(1), time), `kept ${time}`);
    subject.put(keyAt(seriesOf(1), count + 1), 'tombstone');
    subject.put(keyAt(seriesOf(2), 1), 'kept neighbour');
    await subject.engine.flush();
    cutoff = count + 10;
    const clearing = subject.engine.compactFully();
    const sizes = new Set<number>();
    for (let isDone = false; !isDone; ) {
      isDone = await Promise.race([clearing.then(() => true), Promise.resolve().then(() => false)]);
      const snapshot = subject.engine.snapshot();
      const values = [...(await contentOf(snapshot)).values()];
      snapshot.close();
      sizes.add(values.length);
      expect(values.length === 1 || values.includes('tombstone')).toBe(true);
    }
    expect((await clearing).droppedEntries).toBe(count + 1);
    expect(sizes.size).toBeGreaterThan(1);
    expect(await valuesOf(subject)).toEqual(['kept neighbour']);
  });

  it('does not drop what was written again while it looked', async () => {
    let cutoff = 0;
    const filter = { module: ruleFilterModule, state: () => utf8(String(cutoff)) };
    const subject = await start({ compactionFilter: filter, memtableBytes: 1_000_000 });
    for (let n = 0; n < 3000; n++) subject.put(keyAt(seriesOf(n), 1), 'old');
    await subject.engine.flush();
    cutoff = 10;
    const clearing = subject.engine.compactFully();
    for (let n = 0; n < 3000; n += 100) subject.put(keyAt(seriesOf(n), 1), `kept, again ${n}`);
    await subject.engine.flush();
    await clearing;
    expect(await valuesOf(subject)).toHaveLength(30);
    await subject.reopen();
    expect(await valuesOf(subject)).toHaveLength(30);
  });

  it('has a range looked at again when it has grown, and not before', async () => {
    const filter = { module: ruleFilterModule, state: () => utf8('1') };
    const borders = [Uint8Array.of(1), Uint8Array.of(2)];
    const subject = await start({ compactionFilter: filter, borders, memtableBytes: 1_000_000 });
    const judged = new Set<number>();
    const look = async () => {
      const looked: number[] = [];
      const { judgedFileNumbers } = await subject.engine.compactWhere((table) => {
        expect(table.smallestKey[0]).toBe(table.largestKey[0]);
        if (!judged.has(table.fileNumber)) looked.push(table.smallestKey[0] as number);
        return !judged.has(table.fileNumber);
      });
      for (const number of judgedFileNumbers) judged.add(number);
      return looked;
    };
    const write = async (slot: number, count: number, from: number) => {
      for (let n = 0; n < count; n++) subject.put(keyAt(seriesKey(slot, 'a'), from + n), 'value');
      await subject.engine.flush();
    };
    await write(1, 100, 100);
    await write(2, 100, 100);
    expect(await look()).toEqual([1, 2]);
    expect(await look()).toEqual([]);
    await write(2, 5, 500);
    expect(await look()).toEqual([]);
    await write(2, 20, 600);
    expect(await look()).toEqual([2]);
  });

  it('knows the oldest entry of a range, also after it was opened again', async () => {
    const filter = { module: ruleFilterModule, state: () => utf8('50') };
    const subject = await start({ compactionFilter: filter });
    const oldest = async () => {
      const suffixes: Uint8Array[] = [];
      await subject.engine.compactWhere(({ largestSuffix }) => suffixes.push(largestSuffix) > 1);
      return suffixes;
    };
    const suffixOf = (time: number) => keyAt(new Uint8Array(0), time);
    subject.put(keyAt(seriesOf(1), 10), 'old');
    subject.put(keyAt(seriesOf(1), 60), 'new');
    await subject.engine.flush();
    expect(await oldest()).toEqual([suffixOf(10)]);
    await subject.reopen();
    expect(await oldest()).toEqual([suffixOf(10)]);
    await subject.engine.compactFully();
    expect(await oldest()).toEqual([suffixOf(60)]);
  });

  it('frees what was dropped', async () => {
    let cutoff = 0;
    const filter = { module: ruleFilterModule, state: () => utf8(String(cutoff)) };
    const subject = await start({ compactionFilter: filter, memtableBytes: 256 * 1024 });
    const noise = Array.from({ length: 500 }, (_, n) =>
      String.fromCharCode(33 + ((n * n * 7) % 90)),
    );
    for (let time = 1; time <= 4000; time++) {
      subject.put(
        keyAt(seriesOf(time % 7), time),
        noise.map((c, n) => noise[(n * time) % 500] ?? c).join(''),
      );
      await subject.engine.waitForRoom();
    }
    await subject.engine.flush();
    await subject.engine.compactFully();
    const measured = async () => {
      const before = subject.engine.diskBytes;
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        if (subject.engine.diskBytes !== before) return subject.engine.diskBytes;
      }
    };
    const full = await measured();
    cutoff = 3900;
    await subject.engine.compactWhere(() => true);
    expect(await measured()).toBeLessThan(full / 4);
    expect(subject.engine.statistics()).toMatchObject({ tableBytes: subject.engine.diskBytes });
  });

  it('tells of no table before anything was flushed, however often it is opened', async () => {
    const subject = await start({});
    for (let opening = 0; opening < 3; opening++) {
      expect(subject.engine.statistics().tableCount).toBe(0);
      await subject.reopen();
    }
    subject.put(keyAt(seriesKey(1, 'a'), 1), 'x');
    await subject.engine.flush();
    await subject.reopen();
    expect(subject.engine.statistics().tableCount).toBeGreaterThan(0);
  });

  it('passes over damage when it looks for what to drop, and goes on writing', async () => {
    const filter = { module: ruleFilterModule, state: () => utf8('50') };
    const borders = [Uint8Array.of(1), Uint8Array.of(2)];
    const subject = await start({ compactionFilter: filter, borders, memtableBytes: 1_000_000 });
    const noise = (n: number) => createHash('sha512').update(`${n}`).digest('base64');
    for (const slot of [1, 2]) {
      for (let time = 60; time < 360; time++) {
        subject.put(keyAt(seriesKey(slot, 'a'), time), noise(time * slot));
      }
      await subject.engine.flush();
      await subject.engine.compactFully();
    }
    await subject.engine.close();
    const tables = (await readdir(subject.directory))
      .filter((name) => name.endsWith('.ldb'))
      .sort();
    const damaged = await open(join(subject.directory, tables[0] as string), 'r+');
    // Its first blocks, with what the engine says of itself, stay whole.
    await damaged.write(new Uint8Array(4_000).fill(0xee), 0, 4_000, 9_000);
    await damaged.close();
    await subject.reopen();
    const snapshot = subject.engine.snapshot();
    await expect(contentOf(snapshot)).rejects.toMatchObject({ code: 'CORRUPTION' });
    snapshot.close();
    const { judgedFileNumbers } = await subject.engine.compactWhere(() => true);
    expect(judgedFileNumbers).toHaveLength(1);
    expect(subject.events.filter(({ kind }) => kind === 'corruption').length).toBeGreaterThan(1);
    subject.put(keyAt(seriesKey(3, 'a'), 70), 'goes on');
    await subject.engine.flush();
  });

  it('does not judge what is being put in the place of a range', async () => {
    let cutoff = 0;
    const filter = { module: ruleFilterModule, state: () => utf8(String(cutoff)) };
    const source = await start();
    for (let time = 1; time <= 20; time++) source.put(keyAt(seriesOf(1), time), `${time}`);
    const blocks = source.engine.snapshot();
    const subject = await start({ compactionFilter: filter });
    const range = { lower: Uint8Array.of(1), upper: Uint8Array.of(2) };
    const replacement = subject.engine.replaceRange(range);
    for await (const { bytes } of blocks.exportRange(range)) await replacement.add(bytes);
    blocks.close();
    cutoff = 15;
    expect(await subject.engine.compactFully()).toMatchObject({ droppedEntries: 0 });
    await replacement.commit(() => utf8('1'));
    expect(await subject.engine.compactFully()).toMatchObject({ droppedEntries: 14 });
  });

  it('remembers an interrupted replacement until one is committed that covers it', async () => {
    const source = await start();
    source.put(keyAt(seriesOf(1), 1), 'new');
    const blocks = source.engine.snapshot();
    const subject = await start();
    subject.put(keyAt(seriesOf(1), 1), 'old');
    subject.put(keyAt(seriesKey(2, 'other'), 1), 'elsewhere');
    await subject.engine.flush();
    const range = { lower: Uint8Array.of(1), upper: Uint8Array.of(2) };
    const begin = async () => {
      const replacement = subject.engine.replaceRange(range);
      for await (const { bytes } of blocks.exportRange(range)) await replacement.add(bytes);
      return replacement;
    };
    await begin();
    await subject.reopen();
    expect(classicOf(subject).interruptedReplacements()).toEqual([range]);
    expect(await valuesOf(subject)).toEqual(['elsewhere']);
    await subject.reopen();
    expect(classicOf(subject).interruptedReplacements()).toEqual([range]);

    const untouched = subject.engine.replaceRange({ lower: Uint8Array.of(2) });
    await untouched.abandon();
    expect(await valuesOf(subject)).toEqual(['elsewhere']);

    await (await begin()).commit(() => utf8('9'));
    expect(classicOf(subject).interruptedReplacements()).toEqual([]);
    await subject.reopen();
    expect(classicOf(subject).interruptedReplacements()).toEqual([]);
    expect(subject.flushedPosition).toBe('9');
    expect(await valuesOf(subject)).toEqual(['new', 'elsewhere']);
    blocks.close();
  });

  it('has no entry without its positions when writes go on during a replacement', async () => {
    const source = await start();
    source.put(keyAt(seriesOf(1), 1), 'new');
    const blocks = source.engine.snapshot();
    const subject = await start();
    subject.position = 1;
    const range = { lower: Uint8Array.of(1), upper: Uint8Array.of(2) };
    const replacement = subject.engine.replaceRange(range);
    for await (const { bytes } of blocks.exportRange(range)) await replacement.add(bytes);
    blocks.close();
    subject.put(keyAt(seriesKey(3, 'elsewhere'), 1), 'before the commit');
    subject.position = 2;
    await replacement.commit((flushed) => utf8(`${flushed && text(flushed)} and replaced`));
    await subject.reopen();
    expect(subject.flushedPosition).toBe('2 and replaced');
    expect(await valuesOf(subject)).toEqual(['new', 'before the commit']);
  });
});
