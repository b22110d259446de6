import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freeBlocks } from './e2e/support/free-blocks.ts';
import { type RunningProcess, startProcess } from './e2e/support/processes.ts';

const root = join(import.meta.dirname, '..');

/** What somebody who installs DSS gets. */
describe('the package', () => {
  let files: readonly string[];
  beforeAll(() => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const output = execFileSync('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
    const [{ files: packed }] = JSON.parse(`${output}`);
    files = packed.map(({ path }: { path: string }) => path);
  });

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

  it('is few packages', () => {
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    const installed = Object.entries(packages as Record<string, LockedPackage>).filter(
      ([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional,
    );
    expect(installed.length).toBeGreaterThan(50);
    expect(installed.length).toBeLessThan(200);
  });

  it('is installed elsewhere by npm, and dss up works there', async ({ skip }) => {
    const folder = mkdtempSync(join(tmpdir(), 'dss-global-'));
    const npm = (...args: readonly string[]) =>
      execFileSync('npm', args, { cwd: folder, env: cleanEnvironment(folder), stdio: 'pipe' });
    let up: RunningProcess | undefined;
    try {
      npm('pack', root, '--ignore-scripts', '--silent');
      const prefix = ['install', '--global', '--prefix', folder];
      const quietly = ['--prefer-offline', '--no-audit', '--no-fund'];
      try {
        npm(
          ...prefix,
          ...quietly,
          `./${readdirSync(folder).find((name) => name.endsWith('.tgz'))}`,
        );
      } catch (error) {
        const { stderr } = error as { stderr: Buffer };
        if (!/ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ENOTCACHED/.test(`${stderr}`)) throw error;
        if (process.env.CI === 'true') throw error;
        console.warn('SKIPPED: npm reaches no registry here');
        skip();
      }
      const [mqtt, http] = await freeBlocks();
      const ports = ['--mqtt-port', String(mqtt), '--http-port', String(http)];
      up = startProcess(join(folder, 'bin/dss'), ['up', ...ports], { directory: folder });
      await up.line(/^DSS is ready/);
      const page = await fetch(`http://127.0.0.1:${http}/`);
      expect(await page.text()).toMatch(/<title>.*DSS/);
      const address = ['--node', `127.0.0.1:${mqtt + 1}`];
      const put = execFileSync(join(folder, 'bin/dss'), ['put', 'a', '1', ...address]);
      expect(`${put}`).toBe('stored a\n');
      up.child.kill('SIGINT');
      expect(await up.exited).toEqual({ code: 0, signal: null });
    } finally {
      up?.child.kill('SIGKILL');
      await up?.exited;
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    }
  });

  it('has neither source maps without sources nor benches and tests', () => {
    expect(files.filter((file) => /\.map$|^dist\/(bench|test)\/|^test\//.test(file))).toEqual([]);
  });
});

interface LockedPackage {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

/** Without what the npm that runs this test tells its children, and with a configuration of nobody. */
function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?!config_(cache|registry))/i.test(name),
  );
  const { npm_config_cache: cache = join(homedir(), '.npm') } = process.env;
  return { ...Object.fromEntries(kept), HOME: home, npm_config_cache: cache };
}

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
