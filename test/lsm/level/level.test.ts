import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DssLevel } from '../../../lsm/level/level.ts';
import { type DssLevelOptions, engineOptionsOf } from '../../../lsm/level/options.ts';

// What the suite of abstract-level does not look at. Databases here are so small that no worker thread is
// needed, which runs compiled code only.

const root = mkdtempSync(join(tmpdir(), 'dss-level-'));
let opened: { close(): Promise<void> }[] = [];
let names = 0;

afterEach(async () => {
  for (const level of opened) await level.close();
  opened = [];
  rmSync(root, { recursive: true, force: true });
});

function at<V = string>(
  location: string,
  options?: DssLevelOptions<string, V>,
): DssLevel<string, V> {
  const level = new DssLevel<string, V>(location, options);
  opened.push(level);
  return level;
}

const fresh = () => join(root, `${names++}`);

const codesOf = async (done: Promise<unknown>) => {
  const error = await done.then(
    () => undefined,
    (error) => error,
  );
  const codes: (string | undefined)[] = [];
  for (let cause = error; cause !== undefined; cause = cause.cause) codes.push(cause.code);
  return codes;
};

describe('DssLevel', () => {
  it('keeps what was written with sync and without, in all three forms', async () => {
    const location = fresh();
    const level = at(location);
    await level.put('käse', 'brot', { sync: true });
    await level.put<Uint8Array, Uint8Array>(Uint8Array.of(0, 255), Uint8Array.of(1), {
      keyEncoding: 'view',
      valueEncoding: 'view',
    });
    await level.batch().put('a', '1').put('b', '2').del('a').write({ sync: true });
    await level.close();
    await level.open();
    expect(level.getSync('käse')).toBe('brot');
    const view = { keyEncoding: 'view', valueEncoding: 'buffer' };
    expect(await level.get<Uint8Array, Buffer>(Uint8Array.of(0, 255), view)).toEqual(Buffer.of(1));
    expect(await level.getMany(['a', 'b', 'c'])).toEqual([undefined, '2', undefined]);
  });

  it("gives back bytes that are the reader's own", async () => {
    const level = at(fresh());
    await level.put('key', '\ufeffvalue');
    const options = { valueEncoding: 'buffer', keyEncoding: 'utf8' };
    const spoil = async () => {
      level.getSync<string, Buffer>('key', options)?.fill(0);
      (await level.get<string, Buffer>('key', options))?.fill(0);
      for (const value of await level.getMany<string, Buffer>(['key'], options)) value?.fill(0);
      for (const [, value] of await level.iterator<string, Buffer>(options).all()) value.fill(0);
      expect(level.getSync('key')).toBe('\ufeffvalue');
    };
    await spoil();
    await level.compactRange();
    expect(level.statistics().tableCount).toBe(1);
    await spoil();
  });

  it('reads on, with several ways mixed, after a seek, and within a limit', async () => {
    const level = at(fresh());
    const keys = Array.from({ length: 1000 }, (_, i) => `${i}`.padStart(4, '0'));
    await level.batch(keys.map((key) => ({ type: 'put' as const, key, value: key })));
    const iterator = level.keys({ limit: 900 });
    const read = [await iterator.next(), await iterator.next(), ...(await iterator.nextv(300))];
    read.push(await iterator.next());
    expect(read).toEqual(keys.slice(0, read.length));
    iterator.seek('0100');
    const rest = await iterator.all();
    expect(rest[0]).toBe('0100');
    expect(read.length + rest.length).toBe(900);
    expect(await level.values({ reverse: true, gt: '0997' }).all()).toEqual(['0999', '0998']);
  });

  it('lets timers and sockets have their turn between answers that are at hand', async () => {
    const level = at(fresh());
    await level.put('key', 'value');
    for (const ask of [() => level.get('key'), () => level.put('key', 'value')]) {
      let fired = false;
      setImmediate(() => {
        fired = true;
      });
      for (let i = 0; i < 2_000_000 && !fired; i++) await ask();
      expect(fired).toBe(true);
    }
  });

  it('finds the newest of a series', async () => {
    const level = at<number>(fresh(), { seriesSuffixBytes: 4, valueEncoding: 'json' });
    const first = level.first('kitchen/');
    await level.batch([
      { type: 'put', key: 'kitchen/0998', value: 21 },
      { type: 'put', key: 'kitchen/0997', value: 22 },
      { type: 'put', key: 'living room/0001', value: 23 },
    ]);
    expect(await first).toBeUndefined();
    expect(await level.first('kitchen/')).toEqual(['kitchen/0997', 22]);
    const key = Buffer.from('living room/0001');
    expect(await level.first('liv', { keyEncoding: 'buffer' })).toEqual([key, 23]);
  });

  it('says with the codes of classic-level what went wrong, and why with ours', async () => {
    const location = fresh();
    const level = at(location);
    await level.open();
    expect(await codesOf(at(location).open())).toEqual([
      'LEVEL_DATABASE_NOT_OPEN',
      'LEVEL_LOCKED',
      'DIRECTORY_IN_USE',
    ]);
    expect(await codesOf(at(fresh(), { createIfMissing: false }).open())).toEqual([
      'LEVEL_DATABASE_NOT_OPEN',
      'LEVEL_INVALID_ARGUMENT',
      'STORE_NOT_FOUND',
    ]);
    expect(await codesOf(DssLevel.destroy(location))).toEqual(['LEVEL_LOCKED', 'DIRECTORY_IN_USE']);
    expect(() => new DssLevel('')).toThrow(TypeError);
  });

  it('is gone when it is destroyed', async () => {
    const location = fresh();
    const level = at(location);
    await level.put('a', 'b');
    await level.close();
    await DssLevel.destroy(location);
    expect(readdirSync(root)).not.toContain(location.slice(root.length + 1));
    await DssLevel.destroy(location);
  });

  it('tells sizes, and compacts', async () => {
    const level = at(fresh());
    const size = level.approximateSize('a', 'z');
    expect(await size).toBe(0);
    await level.put('b', 'x'.repeat(1000));
    await level.clear();
    await level.put('c', 'x');
    await level.compactRange('a', 'z');
    expect(await level.approximateSize('a', 'z')).toBeGreaterThan(0);
    expect(level.statistics()).toMatchObject({ tableCount: 1, logSyncs: expect.any(Number) });
  });

  it('refuses options that cannot be, and says which', async () => {
    const cases = [
      [{ codec: 'zip' }, 'codec is "zip", but must be one of lz4, deflate, none'],
      [{ compression: false, codec: 'zip' }, 'codec is "zip"'],
      [{ compression: 'snappy' }, 'compression is "snappy", but must be true or false'],
      [{ memtableBytes: -1 }, 'memtableBytes is -1, but must be a whole number'],
      [{ cacheSize: -1 }, 'cacheSize is -1, but must be a whole number'],
    ] as const;
    for (const [options, message] of cases) {
      const location = fresh();
      const opened = at(location, options as unknown as DssLevelOptions<string, string>).open();
      const { cause } = await opened.catch((error) => error);
      expect(cause).toMatchObject({ code: 'LEVEL_INVALID_ARGUMENT' });
      expect(cause.cause).toMatchObject({ code: 'INVALID_OPTION' });
      expect(cause.message).toContain(message);
      expect(existsSync(location)).toBe(false);
    }
  });

  it('takes the options of classic-level by their names', () => {
    const theirs = { cacheSize: 1, writeBufferSize: 2, blockSize: 1024, maxOpenFiles: 4 };
    expect(engineOptionsOf({ ...theirs, maxFileSize: 5 })).toMatchObject({
      blockCacheBytes: 1,
      memtableBytes: 2,
      blockSizeBytes: 1024,
      openFilesMax: 4,
      tableBytes: 5,
    });
    expect(engineOptionsOf({ cacheSize: 1, blockCacheBytes: 7 })).toMatchObject({
      blockCacheBytes: 7,
    });
    expect(engineOptionsOf({ blockCacheBytes: 7 })).toMatchObject({ blockCacheBytes: 7 });
    expect(engineOptionsOf({ compression: false, codec: 'deflate' }).codec).toBe('none');
  });

  it('with an option of classic-level behaves as with ours', async () => {
    const level = at(fresh(), { writeBufferSize: 1000 });
    for (let i = 0; i < 40; i++) await level.put(`${i}`, 'x'.repeat(100));
    await level.flush();
    expect(level.statistics().tableCount + level.statistics().compactedBytes).toBeGreaterThan(1);
  });

  it('refuses keys that do not hold their suffix', async () => {
    const level = at(fresh(), { seriesSuffixBytes: 8 });
    const write = [
      () => level.put('short', 'x'),
      () => level.del('short'),
      () => level.batch([{ type: 'put', key: 'short', value: 'x' }]),
      () => level.batch().put('short', 'x').write(),
    ];
    await level.open();
    for (const refused of write) {
      await expect(refused()).rejects.toMatchObject({
        code: 'LEVEL_INVALID_KEY',
        message: 'the key has 5 bytes, but must hold its suffix of 8 (seriesSuffixBytes)',
      });
    }
    expect(await level.keys().all()).toEqual([]);
  });

  it('refuses the directory of a LevelDB database', async () => {
    const location = fresh();
    mkdirSync(location, { recursive: true });
    for (const name of ['CURRENT', 'MANIFEST-000001']) writeFileSync(join(location, name), 'x');
    expect(await codesOf(at(location).open())).toEqual([
      'LEVEL_DATABASE_NOT_OPEN',
      'LEVEL_INVALID_ARGUMENT',
      'OTHER_DATABASE',
    ]);
    expect(readdirSync(location).sort()).toEqual(['CURRENT', 'MANIFEST-000001']);
  });

  it('flushes, verifies and makes checkpoints, also while it is being opened', async () => {
    const level = at(fresh());
    const flushed = level.flush();
    await level.put('a', '1');
    await flushed;
    await level.flush();
    expect(level.statistics().tableCount).toBe(1);
    expect(await level.verify()).toEqual({ tables: 1, damage: [] });
    const copy = fresh();
    await level.put('b', '1');
    await level.checkpoint(copy);
    await level.put('a', '2');
    expect(await at(copy).get('a')).toBe('1');
    await expect(level.checkpoint(copy)).rejects.toMatchObject({
      code: 'LEVEL_INVALID_ARGUMENT',
    });
    await expect(level.checkpoint('')).rejects.toThrow(TypeError);
    await level.close();
    for (const late of [() => level.flush(), () => level.verify(), () => level.checkpoint(copy)]) {
      await expect(late()).rejects.toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN' });
    }
  });

  it('tells no size of nothing, like classic-level', async () => {
    const level = at(fresh());
    const size = level.approximateSize as (...range: string[]) => Promise<number>;
    const refusal = new TypeError("The arguments 'start' and 'end' are required");
    await expect(size.call(level)).rejects.toThrow(refusal);
    await expect(size.call(level, 'a')).rejects.toThrow(refusal);
  });
});
