import assert from 'node:assert';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ClassicLevel } from 'classic-level';
import { describe, expect, it } from 'vitest';
import type { DssLevel } from '../../../lsm/level/level.ts';

// On real files and with the real worker thread, which runs compiled code only: `npm run build` first.
const root = join(import.meta.dirname, '../../..');
const dist = process.env.DSS_DIST ?? join(root, 'dist');
const isBuilt = existsSync(join(dist, 'lsm/level/level.js'));
if (!isBuilt)
  console.warn(`DssLevel is NOT tested as it is shipped: ${dist} is missing, run npm run build`);

describe.skipIf(!isBuilt)('DssLevel as it is shipped', () => {
  it('does what the README shows', async () => {
    const readme = readFileSync(join(root, 'lsm/README.md'), 'utf8');
    const section = /\n## Alone\n[\s\S]*?(?=\n## )/.exec(readme)?.[0] ?? '';
    const examples = [...section.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => code);
    const directory = mkdtempSync(join(tmpdir(), 'dss-readme-'));
    try {
      symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
      const old = new ClassicLevel(join(directory, 'old'));
      await old.batch(['a', 'b'].map((key) => ({ type: 'put', key, value: key })));
      await old.close();
      const printed: string[] = [];
      for (const example of examples) printed.push(await outputOf(example, directory));
      expect(printed).toEqual([
        'kitchen/2026-03-01T12:05 21.6\n',
        'alice has 70\nbob has 30\n',
        '',
      ]);
      const { DssLevel: Level } = await import(pathToFileURL(join(dist, 'lsm/index.js')).href);
      const copy: DssLevel = new Level(join(directory, 'new'));
      expect(await copy.keys().all()).toEqual(['a', 'b']);
      await copy.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('keeps no program from ending that forgets to close it, loses nothing then, and can be moved', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dss-forgotten-'));
    try {
      const program = `import { DssLevel } from 'dss/lsm';
        const db = new DssLevel('here', { memtableBytes: 1024 * 1024 });
        for (let i = 0; i < 300; i++) await db.put(\`\${i}\`, 'x'.repeat(10_000));`;
      expect(await outputOf(program, directory)).toBe('');
      renameSync(join(directory, 'here'), join(directory, 'there'));
      const { DssLevel: Level } = await import(pathToFileURL(join(dist, 'lsm/index.js')).href);
      const moved: DssLevel = new Level(join(directory, 'there'));
      expect(await moved.keys().all()).toHaveLength(300);
      await moved.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('does what the README of the whole shows', async () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const example = /\n## The engine alone\n[\s\S]*?```js\n([\s\S]*?)```/.exec(readme)?.[1];
    assert(example, 'README has no such section');
    const directory = mkdtempSync(join(tmpdir(), 'dss-readme-'));
    try {
      const printed = await outputOf(example, directory);
      expect(printed).toBe('kitchen/2026-03-01T12:00 { celsius: 21.4 }\n');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

/** What an example prints, also to stderr, when it is run in a directory. */
async function outputOf(example: string, directory: string): Promise<string> {
  const program = example.replace("'dss/lsm'", `'${pathToFileURL(join(dist, 'lsm/index.js'))}'`);
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], {
    cwd: directory,
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  await new Promise((resolve) => child.on('close', resolve));
  return output;
}
