import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InlineOffload } from '../../../lsm/offload/inline.ts';
import { Store } from '../../../lsm/store/store.ts';
import { OsVfs } from '../../../lsm/vfs/os.ts';
import { SeededRandom } from '../../support/random.ts';
import { contentOf } from '../store/store-support.ts';

// On real files, in a process of its own and with the real worker, which runs compiled code: `npm run build` first.
const dist = process.env.DSS_DIST ?? join(import.meta.dirname, '../../../dist');
const isBuilt = existsSync(join(dist, 'lsm/level/level.js'));
if (!isBuilt) console.warn(`kill -9 is NOT tested: ${dist} is missing, run npm run build`);

const killCount = Number(process.env.DSS_PROOF_KILLS ?? 20);

type Numbers = Map<string, number>;

/** What call n of `kill-writer.js` makes of what there is. */
function call(n: number, content: Numbers): void {
  const key = `${n % 3}/${n % 31}`;
  if (n % 50 === 0) {
    for (const each of content.keys()) if (each.startsWith(`${n % 3}/`)) content.delete(each);
  } else if (n % 5 === 0) content.delete(key);
  else if (n % 2 === 0) for (const group of [0, 1, 2]) content.set(`${group}/${n % 31}`, n);
  else content.set(key, n);
}

const lookOf = (content: Numbers) =>
  [...content]
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(' ');

/** Writes on from `first` and is killed some time after so many acknowledgements. Returns the last one seen. */
async function writeAndKill(directory: string, first: number, count: number): Promise<number> {
  const writer = join(import.meta.dirname, 'kill-writer.js');
  const child = spawn(process.execPath, [writer, dist, directory, `${first}`]);
  let [acknowledged, complaints] = ['', ''];
  child.stderr.on('data', (chunk) => (complaints += chunk));
  child.stdout.on('data', (chunk) => {
    acknowledged += chunk;
    if (acknowledged.split('\n').length > count) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.on('close', resolve));
  expect(complaints).toBe('');
  return Number(acknowledged.slice(0, acknowledged.lastIndexOf('\n')).split('\n').at(-1));
}

async function readStore(directory: string): Promise<Numbers> {
  const vfs = new OsVfs();
  const damage: string[] = [];
  const store = await Store.open({
    vfs,
    directory,
    offload: new InlineOffload(vfs),
    onEvent: (event) => {
      if (event.kind === 'corruption') damage.push(event.reason);
    },
  });
  const content = new Map<string, number>();
  for (const [key, value] of await contentOf(store)) content.set(key, Number.parseInt(value, 10));
  expect((await store.verify()).damage).toEqual([]);
  await store.close();
  expect(damage).toEqual([]);
  return content;
}

describe.skipIf(!isBuilt)('a process that is killed again and again', () => {
  it('leaves all calls up to one that is not before the last acknowledged', {
    timeout: 30_000 + killCount * 3000,
  }, async () => {
    const random = new SeededRandom(9);
    const directory = mkdtempSync(join(tmpdir(), 'dss-proof-kill-'));
    const content: Numbers = new Map();
    let next = 1;
    try {
      for (let kill = 0; kill < killCount; kill++) {
        const last = await writeAndKill(directory, next, 5 + random.below(700));
        for (; next <= last; next++) call(next, content);
        // Another process finds what the page cache has; every second time it is the writer itself.
        if (kill % 2 === 1 && kill < killCount - 1) continue;
        const found = lookOf(await readStore(directory));
        // What was done but not seen to be acknowledged.
        for (let more = 0; lookOf(content) !== found && more < UNSEEN_MAX; more++) {
          call(next++, content);
        }
        expect(lookOf(content), `kill ${kill}, after ${last}`).toBe(found);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

/** The pipe holds acknowledgements that a killed process cannot take back: all are seen, but for the last calls. */
const UNSEEN_MAX = 200;
