import { describe, expect, it } from 'vitest';
import { Db } from '../../lsm/db.ts';
import { InlineOffload } from '../../lsm/offload/inline.ts';
import { checkOptions } from '../../lsm/option-rules.ts';
import type { DbOptions } from '../../lsm/options.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { settled } from '../support/settled.ts';
import { keyAt, openSmall, put, seriesKey, text, utf8 } from './engine-support.ts';

const refused = async (options: object, required: readonly never[] = []) => {
  try {
    checkOptions(options, required);
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
};

describe('options', () => {
  it.each([
    [{ codec: 'zip' }, 'codec is "zip", but must be one of lz4, deflate, none'],
    [{ memtableBytes: -1 }, 'memtableBytes is -1, but must be a whole number from 1 to 4294967296'],
    [{ memtableBytes: '1' }, 'memtableBytes is "1", but must be a whole number from'],
    [{ memtableBytes: null }, 'memtableBytes is null, but must be'],
    [{ blockSizeBytes: 15 }, 'blockSizeBytes is 15, but must be a whole number from 16 to'],
    [{ blockSizeBytes: Number.NaN }, 'blockSizeBytes is NaN, but must be'],
    [{ openFilesMax: 0 }, 'openFilesMax is 0, but must be a whole number from 1 to'],
    [{ level0TablesTrigger: 0.5 }, 'level0TablesTrigger is 0.5, but must be'],
    [{ frozenMemtablesMax: 0 }, 'frozenMemtablesMax is 0, but must be'],
    [{ seriesSuffixBytes: 65 }, 'seriesSuffixBytes is 65, but must be a whole number from 0 to 64'],
    [{ scrubBytesPerSecond: -1 }, 'scrubBytesPerSecond is -1, but must be'],
    [{ keyFilter: 1 }, 'keyFilter is 1, but must be true or false'],
    [{ onEvent: {} }, 'onEvent is an object, but must be a function'],
    [{ pause: 1000 }, 'pause is 1000, but must be a function'],
    [{ notePositions: utf8('') }, 'notePositions is an object, but must be a function'],
    [{ isWholeSeriesKey: true }, 'isWholeSeriesKey is true, but must be a function'],
    [{ borders: ['a'] }, 'borders is an array, but must be an array of Uint8Array, ascending'],
    [{ borders: [utf8('b'), utf8('a')] }, 'borders is an array, but must be'],
    [{ borders: [utf8('a'), utf8('a')] }, 'borders is an array, but must be'],
    [{ borders: utf8('a') }, 'borders is an object, but must be'],
  ])('that cannot be are refused: %o', async (options, message) => {
    expect(await refused(options)).toContain(message);
  });

  it('at their limits, undefined, and unknown ones are taken', async () => {
    const borders = [utf8(''), utf8('a'), utf8('ab')];
    const smallest = { memtableBytes: 1, blockSizeBytes: 16, openFilesMax: 1, borders };
    expect(await refused({ ...smallest, codec: undefined, seriesSuffixBytes: 64 })).toBeUndefined();
    expect(await refused({ passive: 'of somebody else' })).toBeUndefined();
  });

  it('are looked at before the directory is touched', async () => {
    const vfs = new CrashableMemVfs();
    const offload = new InlineOffload(vfs);
    const sound = { vfs, directory: '/db', offload, notePositions: () => utf8('') };
    for (const wrong of [
      { memtableBytes: 0 },
      { offload: undefined },
      { notePositions: undefined },
    ]) {
      const opened = Db.open({ ...sound, ...wrong } as unknown as DbOptions);
      await expect(opened).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    }
    await expect(Db.open(undefined as unknown as DbOptions)).rejects.toThrow(
      'options is undefined, but must be an object',
    );
    expect(await vfs.exists('/db')).toBe(false);
  });

  it('cost little to look at', () => {
    const borders = Array.from({ length: 16 }, (_, i) => Uint8Array.of(i));
    const options = { memtableBytes: 1, codec: 'none', keyFilter: true, borders };
    let fewestMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 50; round++) {
      const began = performance.now();
      for (let i = 0; i < 20; i++) checkOptions(options, []);
      fewestMs = Math.min(fewestMs, (performance.now() - began) / 20);
    }
    expect(fewestMs).toBeLessThan(0.05);
  });
});

describe('an observer that fails', () => {
  it.each([
    [
      'at once',
      () => {
        throw new Error('observer');
      },
    ],
    ['later', () => Promise.reject(new Error('observer'))],
  ])('%s stops nothing', async (_, onEvent) => {
    const { db } = await openSmall(undefined, { onEvent });
    for (let i = 0; i < 100; i++) put(db, keyAt(seriesKey(1, 's'), i), utf8(`${i}`));
    await db.flush();
    await db.compactFully();
    await settled();
    expect(text((await db.get(keyAt(seriesKey(1, 's'), 7))) as Uint8Array)).toBe('7');
    await db.close();
  });
});

describe('what is not bytes', () => {
  it('is refused by name, and nothing is written', async () => {
    const { db } = await openSmall();
    const value = utf8('value');
    const text = 'a string of some length' as unknown as Uint8Array;
    const number = 7 as unknown as Uint8Array;
    const refusal = (name: string, got: string) =>
      new TypeError(`${name} must be a Uint8Array, got ${got}`);
    expect(() => db.put(text, 0, 10, value, 0, 5)).toThrow(refusal('key', 'a string'));
    expect(() => db.put(utf8('a long key'), 0, 10, number, 0, 5)).toThrow(
      refusal('value', 'a number'),
    );
    expect(() => db.delete(number, 0, 10)).toThrow(refusal('key', 'a number'));
    expect(() => db.get(text)).toThrow(refusal('key', 'a string'));
    expect(() => db.getSync(text)).toThrow(refusal('key', 'a string'));
    expect(() => db.first(text)).toThrow(refusal('prefix', 'a string'));
    const snapshot = db.snapshot();
    expect(() => snapshot.get(text)).toThrow(refusal('key', 'a string'));
    expect(() => snapshot.getSync(text)).toThrow(refusal('key', 'a string'));
    expect(() => snapshot.cursor({ lower: text })).toThrow(refusal('lower', 'a string'));
    expect(() => snapshot.cursor({ lower: value, upper: text })).toThrow(
      refusal('upper', 'a string'),
    );
    const cursor = snapshot.cursor();
    await cursor.seekFirst();
    expect(cursor.valid).toBe(false);
    snapshot.close();
    await db.close();
  });
});
