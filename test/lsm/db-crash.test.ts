import { describe, expect, it } from 'vitest';
import { LsmError } from '../../lsm/errors.ts';
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
} from './engine-support.ts';

/** What the engine should hold at each position, and the last one that was announced. */
interface History {
  readonly at: Map<number, Map<string, string>>;
  announced: number;
}

/** Writes batches; each raises the position by one. Goes on from the state at `from`. */
async function writeBatches(
  opened: OpenedDb,
  history: History,
  batches: number,
  random: () => number,
): Promise<void> {
  const { db } = opened;
  for (let i = 0; i < batches; i++) {
    const content = new Map(history.at.get(opened.position));
    for (let j = 0; j < 15; j++) {
      const key = keyAt(
        seriesKey(Math.floor(random() * 4), `d${Math.floor(random() * 9)}`),
        i % 40,
      );
      const value = `${opened.position}.${j}${'-'.repeat(Math.floor(random() * 60))}`;
      put(db, key, utf8(value));
      content.set(hex(key), value);
    }
    opened.position++;
    history.at.set(opened.position, content);
    await db.waitForRoom();
    if (random() < 0.1) await db.flush();
    const announced = opened.events.findLast((event) => event.kind === 'positions-flushed');
    if (announced?.kind === 'positions-flushed') {
      history.announced = Number(text(announced.positions));
    }
  }
}

const positionOf = ({ db }: OpenedDb) => {
  const positions = db.flushedPositions();
  return positions === undefined ? 0 : Number(text(positions));
};

const newHistory = (): History => ({ at: new Map([[0, new Map()]]), announced: 0 });

describe('after a power cut', () => {
  it('all up to the flushed positions is there and nothing else', async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const random = seeded(seed);
      let opened = await openSmall();
      let history = newHistory();
      for (let life = 0; life < 3; life++) {
        const crashAt = Math.floor(random() * 400);
        let operations = 0;
        let image: { vfs: CrashableMemVfs; announced: number } | undefined;
        const { vfs } = opened;
        const crash = () => ({
          vfs: vfs.crashClone({ unsyncedKeepRatio: random(), random }),
          announced: history.announced,
        });
        vfs.onOperation = () => {
          if (++operations === crashAt) image = crash();
        };
        await writeBatches(opened, history, 40, random);
        image ??= crash();
        vfs.onOperation = undefined;
        await opened.db.close();

        opened = await openSmall(image.vfs);
        const position = positionOf(opened);
        expect(position, `seed ${seed}`).toBeGreaterThanOrEqual(image.announced);
        expect(opened.events.filter(({ kind }) => kind === 'corruption')).toEqual([]);
        const expected = history.at.get(position) as Map<string, string>;
        expect(await contentOf(opened.db.snapshot()), `seed ${seed}`).toEqual(expected);
        history = { at: new Map([[position, expected]]), announced: position };
        opened.position = position;
      }
      await opened.db.close();
    }
  });

  it('in the middle of opening, opening again finds the same', async () => {
    const opened = await openSmall();
    const history = newHistory();
    await writeBatches(opened, history, 25, seeded(8));
    await opened.db.flush();
    await opened.db.close();
    const expected = history.at.get(opened.position);
    const images: CrashableMemVfs[] = [];
    const random = seeded(4);
    const vfs = opened.vfs.processCrashClone();
    vfs.onOperation = ({ kind }) => {
      if (kind === 'read' || kind === 'size') return;
      for (let i = 0; i < 6; i++) images.push(vfs.crashClone({ unsyncedKeepRatio: 0.5, random }));
    };
    const first = await openSmall(vfs);
    await first.db.compactionsIdle();
    vfs.onOperation = undefined;
    await first.db.close();
    expect(images.length).toBeGreaterThan(20);
    for (const [i, image] of images.entries()) {
      const second = await openSmall(image);
      expect(await contentOf(second.db.snapshot()), `image ${i}`).toEqual(expected);
      expect(positionOf(second)).toBe(opened.position);
      expect(second.events.filter(({ kind }) => kind === 'corruption')).toEqual([]);
      await second.db.close();
    }
  });
});

describe('when an operation of the file system fails', () => {
  /** Runs a small life in which the n-th operation fails; says whether it came to that. */
  async function failAt(n: number): Promise<boolean> {
    const vfs = new CrashableMemVfs();
    const history = newHistory();
    let operations = 0;
    let failed = false;
    vfs.onOperation = () => {
      if (++operations !== n) return;
      failed = true;
      throw Object.assign(new Error('the disk says no'), { code: 'EIO' });
    };
    let opened: OpenedDb | undefined;
    try {
      opened = await openSmall(vfs, { level0TablesTrigger: 2 });
      await writeBatches(opened, history, 12, seeded(2));
      await opened.db.flush();
      await opened.db.compactionsIdle();
      await contentOf(opened.db.snapshot());
    } catch (error) {
      expect(error).toBeInstanceOf(LsmError);
      expect((error as LsmError).code).toBe('ENGINE_FAILED');
      expect((error as LsmError).cause).toBeDefined();
    }
    vfs.onOperation = undefined;
    await opened?.db.close();

    const again = await openSmall(vfs);
    expect(again.events.filter(({ kind }) => kind === 'corruption')).toEqual([]);
    const position = positionOf(again);
    expect(position).toBeGreaterThanOrEqual(history.announced);
    expect(await contentOf(again.db.snapshot()), `n = ${n}`).toEqual(history.at.get(position));
    await again.db.close();
    return failed;
  }

  it('the error is typed and nothing is damaged, whichever operation it is', async () => {
    let n = 1;
    while (await failAt(n)) n++;
    expect(n).toBeGreaterThan(80);
  });

  it('in the background, writing stops for good and reading goes on', async () => {
    const { db, vfs, events } = await openSmall();
    const key = keyAt(seriesKey(1, 'a'), 1);
    put(db, key, utf8('v'));
    vfs.onOperation = ({ kind }) => {
      if (kind === 'sync') throw new Error('fsync failed');
    };
    const failed = expect.objectContaining({ code: 'ENGINE_FAILED' });
    await expect(db.flush()).rejects.toThrow(failed);
    vfs.onOperation = undefined;
    expect(() => put(db, key, utf8('w'))).toThrow(failed);
    expect(() => db.waitForRoom()).toThrow(failed);
    await expect(db.flush()).rejects.toThrow(failed);
    expect(events.filter(({ kind }) => kind === 'background-error').length).toBe(1);
    expect(await contentOf(db.snapshot())).toEqual(new Map([[hex(key), 'v']]));
    await db.close();
  });
});
