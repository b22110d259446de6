import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

  it('has neither source maps without sources nor benches and tests', () => {
    expect(files.filter((file) => /\.map$|^dist\/(bench|test)\/|^test\//.test(file))).toEqual([]);
  });
});

/** The files of the repository that a document links to. */
function linksOf(document: string): string[] {
  const text = readFileSync(join(root, document), 'utf8');
  const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s#]+)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => posix.join(posix.dirname(document), link).replace(/\/$/, ''));
}
