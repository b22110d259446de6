import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** What somebody who installs DSS gets. */
describe('the package', () => {
  let files: readonly string[];
  beforeAll(() => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const output = execFileSync('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
    const [{ files: packed }] = JSON.parse(`${output}`);
    files = packed.map(({ path }: { path: string }) => path);
  }, 30_000);

  it('has the documents, and what they link to', () => {
    expect(files).toEqual(expect.arrayContaining(['README.md', 'lsm/README.md', 'lsm/FORMAT.md']));
    const has = (path: string) => files.some((file) => `${file}/`.startsWith(`${path}/`));
    const dead = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) => linksOf(file).filter((link) => !has(link)));
    expect(dead).toEqual([]);
  });

  it('can be imported elsewhere, with types, where nothing is known of Node.js', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dss-package-'));
    try {
      const run = (command: string, args: readonly string[]) =>
        execFileSync(command, args, { cwd: folder, encoding: 'utf8' });
      run('npm', ['pack', root, '--ignore-scripts', '--silent']);
      mkdirSync(join(folder, 'node_modules'));
      run('sh', ['-c', 'tar -xzf dss-*.tgz && mv package node_modules/dss']);
      // What npm would install beside it.
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules/dss/node_modules'));
      writeFileSync(join(folder, 'program.ts'), PROGRAM);
      const flags = ['--module', 'nodenext', '--target', 'es2022', '--types', '', '--strict'];
      const lib = ['--lib', 'es2022,dom,dom.asynciterable,esnext.disposable'];
      run(join(root, 'node_modules/.bin/tsc'), [...flags, ...lib, 'program.ts']);
      expect(run(process.execPath, ['program.js'])).toBe('UNAVAILABLE\n');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('has neither source maps without sources nor benches and tests', () => {
    expect(files.filter((file) => /\.map$|^dist\/(bench|test)\/|^test\//.test(file))).toEqual([]);
  });
});

const PROGRAM = `
import { type Change, type Client, connect, DssError, type Item } from 'dss/client';

export async function use(dss: Client): Promise<string | undefined> {
  const item: Item | undefined = await dss.get('a');
  const { version }: { version: number } = await dss.put('a', { level: 1 });
  const result = await dss.cas('a', 1, { ifVersion: version });
  const current: number | null = result.version;
  for await (const change of dss.watch('#')) show(change);
  return item?.json<{ level: string }>().level ?? String(current);
}

function show(change: Change): number | undefined {
  return change.type === 'value' ? change.item.version : undefined;
}

connect('mqtt://127.0.0.1:1', { connectTimeoutMs: 100 }).catch((error: unknown) => {
  if (error instanceof DssError) console.log(error.code);
});
`;

/** The files of the repository that a document links to. */
function linksOf(document: string): string[] {
  const text = readFileSync(join(root, document), 'utf8');
  const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s#]+)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => posix.join(posix.dirname(document), link).replace(/\/$/, ''));
}
