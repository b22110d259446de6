import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DssLevel } from '../../../lsm/level/level.ts';
import type { DssLevelOptions } from '../../../lsm/level/options.ts';

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
});
