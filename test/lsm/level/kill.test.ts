import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DssLevel } from '../../../lsm/level/level.ts';

// On real files and with the real worker thread, which runs compiled code only: `npm run build` first.
const root = join(import.meta.dirname, '../../..');
const dist = process.env.DSS_DIST ?? join(root, 'dist');
const isBuilt = existsSync(join(dist, 'lsm/level/level.js'));
if (!isBuilt)
  console.warn(`DssLevel is NOT tested as it is shipped: ${dist} is missing, run npm run build`);

/** Writes on from `first` and is killed after so many acknowledgements. Returns the last one. */
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

describe.skipIf(!isBuilt)('as it is shipped', () => {
  it('has what was acknowledged and no half batch, after kill -9 again and again', async () => {
    const { DssLevel: Level } = await import(pathToFileURL(join(dist, 'lsm/level/level.js')).href);
    const directory = mkdtempSync(join(tmpdir(), 'dss-kill-'));
    try {
      let next = 1;
      for (const count of [1, 700, 1500]) {
        const last = await writeAndKill(directory, next, count);
        const db: DssLevel = new Level(directory);
        const [a, b] = await Promise.all([
          db.keys({ gt: 'a/', lt: 'a0' }).all(),
          db.keys({ gt: 'b/', lt: 'b0' }).all(),
        ]);
        const numbers = a.map((key) => Number(key.slice(2))).sort((x, y) => x - y);
        expect(b.map((key) => Number(key.slice(2))).sort((x, y) => x - y)).toEqual(numbers);
        const newest = numbers.at(-1) as number;
        expect(newest).toBeGreaterThanOrEqual(last);
        const oldest = Math.max(1, newest - 499);
        expect(numbers).toEqual(Array.from({ length: newest - oldest + 1 }, (_, i) => oldest + i));
        await db.close();
        next = newest + 1;
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  }, 60_000);

  it('does what the README shows', async () => {
    const readme = readFileSync(join(root, 'lsm/README.md'), 'utf8');
    const example = /## Alone[\s\S]*?```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const program = example.replace("'dss/lsm'", `'${pathToFileURL(join(dist, 'lsm/index.js'))}'`);
    const directory = mkdtempSync(join(tmpdir(), 'dss-readme-'));
    try {
      const arguments_ = ['--input-type=module', '-e', program];
      const child = spawn(process.execPath, arguments_, { cwd: directory });
      let output = '';
      child.stdout.on('data', (chunk) => (output += chunk));
      child.stderr.on('data', (chunk) => (output += chunk));
      await new Promise((resolve) => child.on('close', resolve));
      expect(output).toBe('kitchen/2026-03-01T12:05 21.6\n');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
