import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'dss-protos-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function run(...args: string[]): string {
  return execFileSync(process.execPath, args, { cwd: scratch, encoding: 'utf8' });
}

it('works when compiled and laid out as the build does', () => {
  // A build of protos/ alone, so that this test does not hang on the state of everything else.
  const compilerOptions = { rootDir: root, outDir: 'dist' };
  const config = { extends: join(root, 'tsconfig.json'), include: [join(root, 'protos')] };
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify({ ...config, compilerOptions }));
  writeFileSync(join(scratch, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
  run(join(root, 'node_modules/.bin/tsc'), '-p', 'tsconfig.json');
  run(join(root, 'protos/copy-generated.js'), 'dist');

  const script = `const { decode, encode, raft } = await import('./dist/protos/index.js');
    process.stdout.write(typeof decode(raft.Entry, encode(raft.Entry, { term: 2 ** 40 })).term);`;
  expect(run('--input-type=module', '-e', script)).toBe('number');
});
