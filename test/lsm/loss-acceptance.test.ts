import { expect, it } from 'vitest';
import { LsmError } from '../../lsm/errors.ts';
import type { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { keyAt, type OpenedDb, openSmall, put, seriesKey, text, utf8 } from './engine-support.ts';

const OPTIONS = { level0TablesTrigger: 100, borders: [], codec: 'none' } as const;
const WIDE = '-'.repeat(3_000);
const slot = (from: number, to: number) => ({
  lower: Uint8Array.of(from),
  upper: Uint8Array.of(to),
});

it.each([{ level: 0 }, { level: 1 }])(
  'lets what is older show through a damaged block, in the range only (level $level)',
  async ({ level }) => {
    const opened = await openSmall(undefined, OPTIONS);
    const { db, vfs } = opened;
    put(db, keyAt(seriesKey(3, 'a'), 1), utf8('old 3'));
    await db.flush();
    if (level > 0) await db.compactFully();
    const before = await tables(vfs);
    for (let first = 0; first < 8; first++) {
      put(db, keyAt(seriesKey(first, 'a'), 1), utf8(`new ${first}${WIDE}`));
    }
    await db.flush();
    const name = (await tables(vfs)).find((each) => !before.includes(each));
    const content = Buffer.from(await vfs.readFile(`/db/${name}`));
    for (const lost of [3, 6]) {
      vfs.damage(`/db/${name}`, content.indexOf(`new ${lost}${WIDE}`.slice(0, 90)), 0xff);
    }
    expect((await db.verify()).damage).toHaveLength(2);

    await db.acceptLosses(slot(2, 5));
    expect(await seen(opened)).toEqual(['n', 'n', 'n', 'o', 'n', 'n', 'lost', 'n']);
    expect((await db.verify()).damage).toEqual([]);
    await db.close();
    const again = await openSmall(vfs, OPTIONS);
    expect(await seen(again)).toEqual(['n', 'n', 'n', 'o', 'n', 'n', 'lost', 'n']);
    await expect(exported(again, 2, 5)).resolves.toBeGreaterThan(0);
    await expect(exported(again, 5, 8)).rejects.toThrow(LsmError);

    await again.db.acceptLosses(slot(5, 8));
    expect(await seen(again)).toEqual(['n', 'n', 'n', 'o', 'n', 'n', undefined, 'n']);
    await expect(exported(again, 0, 8)).resolves.toBeGreaterThan(0);
  },
);

it('gives up a table that is gone, as far as it lies in the range', async () => {
  const { db, vfs } = await openSmall(undefined, OPTIONS);
  for (const first of [1, 5]) put(db, keyAt(seriesKey(first, 'a'), 1), utf8(`new ${first}`));
  await db.flush();
  await db.close();
  for (const name of await tables(vfs)) await vfs.remove(`/db/${name}`);
  const again = await openSmall(vfs, OPTIONS);
  await again.db.acceptLosses(slot(0, 4));
  const [, one, , , , five] = await seen(again);
  expect([one, five]).toEqual([undefined, 'lost']);
});

it('leaves a sound engine as it is', async () => {
  const { db, vfs } = await openSmall(undefined, OPTIONS);
  put(db, keyAt(seriesKey(1, 'a'), 1), utf8('x'));
  await db.flush();
  const before = await tables(vfs);
  await db.acceptLosses(slot(0, 8));
  expect(await tables(vfs)).toEqual(before);
});

async function tables(vfs: CrashableMemVfs): Promise<string[]> {
  return (await vfs.list('/db')).filter((name) => name.endsWith('.sst'));
}

/** The first character of what there is in eight slots. */
async function seen({ db }: OpenedDb): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  const snapshot = db.snapshot();
  for (let first = 0; first < 8; first++) {
    try {
      const value = await snapshot.get(keyAt(seriesKey(first, 'a'), 1));
      found.push(value && text(value).slice(0, 1));
    } catch (error) {
      expect(error).toMatchObject({ code: 'CORRUPTION' });
      found.push('lost');
    }
  }
  snapshot.close();
  return found;
}

async function exported({ db }: OpenedDb, from: number, to: number): Promise<number> {
  const snapshot = db.snapshot();
  let blocks = 0;
  for await (const _ of snapshot.exportRange(slot(from, to))) blocks += 1;
  snapshot.close();
  return blocks;
}
