import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Offload } from '../../lsm/offload/offload.ts';
import { OsVfs } from '../../lsm/vfs/os.ts';
import { contentOf, hex, keyAt, openSmall, put, seriesKey, utf8 } from './engine-support.ts';

// A worker thread runs compiled code only, so this needs `npm run build`, which `npm test` does first.
const compiled = join(import.meta.dirname, '../../dist/lsm/offload/worker-host.js');
const isBuilt = existsSync(compiled);
if (!isBuilt)
  console.warn(`WorkerOffload is NOT tested: ${compiled} is missing, run npm run build`);

/** Plain JavaScript, as the thread takes nothing else. The state is how long a value must be. */
const dropsShortValues = `
import { isMainThread } from 'node:worker_threads';
export function createCompactionFilter(state, oldestState) {
  return {
    judge: (key, keyStart, keyEnd, value, valueStart, valueEnd) =>
      !isMainThread && valueEnd - valueStart < state[0] && oldestState[0] === 3 ? 'drop' : 'keep',
  };
}
`;

async function withWorker(use: (offload: Offload, directory: string) => Promise<void>) {
  const { WorkerOffload } = await import(pathToFileURL(compiled).href);
  const directory = await mkdtemp(join(tmpdir(), 'dss-engine-'));
  const offload: Offload = new WorkerOffload();
  try {
    await use(offload, directory);
  } finally {
    await offload.close();
    await rm(directory, { recursive: true });
  }
}

/** Of the threads of this process. */
function nicenesses(): number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const fields = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').replace(/^.*\) /, '');
    return Number(fields.split(' ')[16]);
  });
}

describe.skipIf(!isBuilt)('WorkerOffload', () => {
  const hasRoomBelow = process.platform === 'linux' && getPriority() < 5;
  it.runIf(hasRoomBelow)('steps back behind the other threads', async () => {
    await withWorker(async (offload) => {
      expect(nicenesses()).not.toContain(5);
      await offload.run('flush', {}).catch(() => {});
      expect(nicenesses()).toContain(5);
      expect(getPriority()).toBeLessThan(5);
    });
  });

  it('flushes and compacts in its thread, on the real file system', async () => {
    await withWorker(async (offload, directory) => {
      const vfs = new OsVfs();
      // biome-ignore lint/suspicious/noExplicitAny: the helper is typed for the file system in memory
      const { db } = await openSmall(vfs as any, { offload, directory });
      const expected = new Map<string, string>();
      for (let i = 0; i < 1500; i++) {
        const key = keyAt(seriesKey(i % 7, `d${i % 31}`), i);
        put(db, key, utf8(`${i}`));
        expected.set(hex(key), `${i}`);
        await db.waitForRoom();
      }
      await db.flush();
      await db.compactionsIdle();
      expect(db.statistics().compactedBytes).toBeGreaterThan(0);
      const snapshot = db.snapshot();
      expect(await contentOf(snapshot)).toEqual(expected);
      snapshot.close();
      await db.close();
    });
  });

  it('loads the module of a compaction filter in its thread', async () => {
    await withWorker(async (offload, directory) => {
      const module = `${pathToFileURL(directory)}/filter.mjs`;
      await writeFile(join(directory, 'filter.mjs'), dropsShortValues);
      const compactionFilter = { module, state: () => Uint8Array.of(3) };
      // biome-ignore lint/suspicious/noExplicitAny: the helper is typed for the file system in memory
      const { db } = await openSmall(new OsVfs() as any, { offload, directory, compactionFilter });
      put(db, keyAt(seriesKey(1, 'a'), 1), utf8('v'));
      put(db, keyAt(seriesKey(1, 'a'), 2), utf8('long value'));
      put(db, keyAt(seriesKey(1, 'b'), 1), utf8('w'));
      await db.flush();
      const result = await db.compactWhere(() => true);
      expect(result).toMatchObject({ tablesRewritten: 1, droppedEntries: 2 });
      const snapshot = db.snapshot();
      expect([...(await contentOf(snapshot)).values()]).toEqual(['long value']);
      snapshot.close();
      await db.close();
    });
  });

  it('brings errors back with their codes', async () => {
    await withWorker(async (offload, directory) => {
      const suffix = new Uint8Array(8);
      const keys = {
        smallest: utf8('a'),
        largest: utf8('b'),
        suffixMin: suffix,
        suffixMax: suffix,
      };
      const table = { fileNumber: 3, bytes: 1000, entryCount: 1, ...keys };
      const input = { directory, suffixBytes: 8, blockSizeBytes: 100, runs: [[table]] };
      await expect(offload.run('compact', input)).rejects.toMatchObject({ code: 'ENOENT' });
    });
  });

  it('takes no job once it is closed', async () => {
    await withWorker(async (offload) => {
      await offload.close();
      await expect(offload.run('flush', {})).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
    });
  });
});
