import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

// The law of the house (docs/STYLE.md), as far as a machine can check it. Every rule is a function from a
// source to what is wrong with it, and is shown at the end of this file to find a planted violation.

/** What each top-level folder may import beside itself; folders not listed may import everything. */
const mayImport: Record<string, readonly string[]> = {
  protos: [],
  lsm: ['protos'],
  broker: ['protos'],
  node: ['lsm', 'broker', 'protos'],
  clients: ['protos'],
};
const foldersWithReadme = ['protos', 'lsm', 'broker', 'node', 'clients', 'test', 'bench'];

/** Edges touch the world. Everything else in `node/`, `lsm/` and `broker/` can be simulated: it is pure. */
const edges = [
  /^lsm\/(index|vfs\/os[\w-]*|offload\/worker[\w-]*)\.ts$/,
  /^lsm\/(classic-level|level)\//,
  /^broker\/(aedes|server)[\w-]*\.ts$/,
  /^node\/(main|edge[\w-]*)\.ts$/,
  /^node\/(edge|http|config)\//,
  /^node\/transport\/mqtt[\w-]*\.ts$/,
];

/** Cores are synchronous state machines: they know no promises and import cores only. */
const cores = [
  /^node\/(raft|ring)\//,
  /^node\/balance\/(?!rebalancer|reports|view)/,
  /^node\/alerts\/(?!alerts|gather|webhook)/,
];
const coresMayImport = /^lsm\/hash\//;

/** What pure code may load from outside; types may come from anywhere. */
const pureModules = /^(node:(assert(\/strict)?|buffer|crypto|zlib))$/;
const moduleExceptions: Record<string, string> = {
  // With the native addon or without it, a checksum is the same.
  'lsm/hash/crc32c.ts': 'node:module',
  // LZ4 where its native library is installed; what is read is the same on every machine.
  'lsm/codec/lz4.ts': 'node:module',
  // A stream in memory: its steps are microtasks, which the simulator lets run out after every event.
  'broker/session-stream.ts': 'node:stream',
  // The time zone database is data; only offsets are read from it.
  'broker/ingest-rules/time-zone.ts': 'luxon',
};

const impureWords = [
  /\bDate\.now\b|\bnew Date\b(?!\([^)])|(?<!\bnew )(?<![.\w])Date\(|(?<![.\w])performance\./,
  /\bMath\.random\b|\brandom(Bytes|UUID|Int|Fill|FillSync)\(|\bgetRandomValues\b/,
  /(?<![.\w])(setTimeout|setInterval|setImmediate|queueMicrotask)\b|\bAbortSignal\.timeout\b/,
  /\bawait fetch\(|\bnew Worker\(|\bAtomics\.wait|(?<![.\w])(process|console|globalThis)\./,
  /\blocaleCompare\b|\btoLocale\w*\(|\bIntl\./,
  /(?<![.\w])(deflate|inflate|deflateRaw|inflateRaw|gzip|gunzip|unzip|brotli(De)?[Cc]ompress)\(/,
];
const asynchronousWords = /\b(async|await|Promise)\b/;

const linesMax = 500;
/** Files longer than that, with the length that they must not exceed. May only shrink. */
const longFiles: Record<string, number> = {};

interface Source {
  readonly path: string;
  readonly text: string;
}

const matches = (patterns: readonly RegExp[], path: string) => patterns.some((p) => p.test(path));
const topFolder = (path: string) => path.split('/')[0] ?? '';
const isPure = ({ path }: Source) => /^(node|lsm|broker)\//.test(path) && !matches(edges, path);
const isCore = ({ path }: Source) => matches(cores, path);

function withoutComments(text: string): string {
  const stringOrComment =
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\/.*|\/\*[\s\S]*?\*\//g;
  return text.replace(stringOrComment, (_, literal: string | undefined) => literal ?? ' ');
}

/** Static and dynamic imports, re-exports and `new URL`: the path from the root, or the module's name. */
function importsOf({ path, text }: Source) {
  const clauses =
    /\b(?:import|export)\s+(type\s)?[\w\s{},*$]*?\bfrom\s*(['"])(.+?)\2|\b(?:import|import\s*\(|new URL\()\s*(['"])(.+?)\4/g;
  return [...withoutComments(text).matchAll(clauses)].map((match) => {
    const name = match[3] ?? match[5] ?? '';
    const target = name.startsWith('.') ? posix.join(posix.dirname(path), name) : name;
    return { target, ours: name.startsWith('.'), typeOnly: match[1] !== undefined };
  });
}

function importDirection(source: Source): string[] {
  const folder = topFolder(source.path);
  const allowed = mayImport[folder];
  return importsOf(source)
    .filter(({ ours }) => ours)
    .filter(({ target }) => {
      const isRootOfNode = target === 'node/main.ts' && source.path.startsWith('clients/cli/');
      const isInside = topFolder(target) === folder || allowed?.includes(topFolder(target));
      const isGenerated = target.startsWith('protos/gen/') && source.path !== 'protos/index.ts';
      return isGenerated || (allowed !== undefined && !isInside && !isRootOfNode);
    })
    .map(({ target }) => `${source.path} must not import ${target}`);
}

function purity(source: Source): string[] {
  if (!isPure(source)) return [];
  const code = withoutComments(source.text);
  const words = isCore(source) ? [...impureWords, asynchronousWords] : impureWords;
  const found = words.flatMap((pattern) => pattern.exec(code)?.[0] ?? []);
  const loaded = importsOf(source)
    .filter(({ typeOnly }) => !typeOnly)
    .filter(({ target, ours }) => {
      if (isCore(source) && ours) return !matches([...cores, coresMayImport], target);
      if (ours) return matches(edges, target);
      return !pureModules.test(target) && moduleExceptions[source.path] !== target;
    })
    .map(({ target }) => target);
  return [...found, ...loaded].map((what) => `${source.path} is pure, but has ${what}`);
}

function leftovers({ path, text }: Source): string[] {
  const pattern = /\b(TO[D]O|FIX[M]E|XX[X])\b|\b(?:it|test|describe)(?:\.\w+)*\.onl[y]\b/g;
  return [...text.matchAll(pattern)].map(([what]) => `${path} has a ${what}`);
}

function length({ path, text }: Source): string[] {
  const lines = text.split('\n').length - 1;
  return lines > (longFiles[path] ?? linesMax) ? [`${path} has ${lines} lines: split it`] : [];
}

/** Relative links whose file or heading does not exist. `read` gives a file's text, '' for a folder. */
function deadLinks(source: Source, read: (path: string) => string | undefined): string[] {
  const prose = source.text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)/gm)];
  return links
    .map((match) => match[1] ?? match[2] ?? '')
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file = '', anchor] = link.split('#');
      const path = posix.join(posix.dirname(source.path), decodeURI(file));
      const text = file === '' ? source.text : read(path.replace(/\/$/, ''));
      return text === undefined || (anchor !== undefined && !headingAnchors(text).includes(anchor));
    })
    .map((link) => `${source.path} links to ${link}, which is not there`);
}

/** As GitHub makes them. */
function headingAnchors(markdown: string): string[] {
  return [...markdown.matchAll(/^#+\s+(.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Stable codes: in unions and lists of codes, and where an error or an answer is made with one. */
function errorCodes({ text }: Source): string[] {
  const places =
    /\btype \w+Code =[^;]+;|\b\w+_CODES = \[[^\]]+\]|\bnew CliError\(\s*[\w.]+,\s*'\w+'|\b(?:code|error)(?: =|:) '[A-Z_]+'/g;
  const found = [...withoutComments(text).matchAll(places)].flatMap(([place]) =>
    [...place.matchAll(/'([A-Z][A-Z_]+)'/g)].map(([, code = '']) => code),
  );
  return [...new Set(found)];
}

function undocumentedCodes(source: Source, table: string): string[] {
  return errorCodes(source)
    .filter((code) => !table.includes(`\n| \`${code}\` |`))
    .map((code) => `${source.path} has the code ${code}, which is not in docs/ERRORS.md`);
}

const root = join(import.meta.dirname, '..');
const skipped = /(^|\/)(node_modules|dist|coverage|\.git|\.dss)$|^protos\/gen$/;

function filesBelow(folder: string, wanted: RegExp): Source[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (skipped.test(path)) return [];
    if (entry.isDirectory()) return filesBelow(path, wanted);
    if (!entry.isFile() || !wanted.test(path)) return [];
    return [{ path, text: readFileSync(join(root, path), 'utf8') }];
  });
}

function readFromRoot(path: string): string | undefined {
  if (!existsSync(join(root, path))) return undefined;
  return /\.md$/.test(path) ? readFileSync(join(root, path), 'utf8') : '';
}

describe('the house', () => {
  const sources = filesBelow('', /\.([cm]?[jt]sx?|html|css|sh)$/);
  const documents = filesBelow('', /\.md$/);

  it('imports in the direction of the rings', () => {
    expect(sources.flatMap(importDirection)).toEqual([]);
  });

  it('keeps clock, chance, timers and I/O to the edges', () => {
    expect(sources.flatMap(purity)).toEqual([]);
  });

  it('has nothing left over', () => {
    expect(sources.flatMap(leftovers)).toEqual([]);
    expect(sources.flatMap(length)).toEqual([]);
  });

  it('has a README in every folder, and no dead links', () => {
    const missing = foldersWithReadme.filter(
      (folder) => !existsSync(join(root, folder, 'README.md')),
    );
    expect(missing).toEqual([]);
    expect(documents.flatMap((document) => deadLinks(document, readFromRoot))).toEqual([]);
  });

  it('explains every error code', () => {
    const table = readFromRoot('docs/ERRORS.md') ?? '';
    const ours = sources.filter(({ path }) => !/^(test|bench)\//.test(path));
    expect(ours.flatMap((source) => undocumentedCodes(source, table))).toEqual([]);
  });

  it('has generated code that is what the .proto files say', async () => {
    const generator = '../protos/generate.js';
    const { generate } = (await import(generator)) as { generate(into: string): Promise<void> };
    const fresh = mkdtempSync(join(tmpdir(), 'dss-generated-'));
    await generate(fresh);
    const differs = ['dss.js', 'dss.d.ts'].filter((name) => {
      const committed = readFileSync(join(root, 'protos/gen', name), 'utf8');
      return committed !== readFileSync(join(fresh, name), 'utf8');
    });
    rmSync(fresh, { recursive: true });
    expect(differs, 'stale: npm run protos').toEqual([]);
  });
});

describe('the rules', () => {
  const at = (path: string, text: string): Source => ({ path, text });

  it.each([
    ['lsm/db.ts', "import { x } from '../node/env.ts';"],
    ['protos/codec.ts', "import type { X } from '../lsm/errors.ts';"],
    ['broker/topics.ts', "export * from '../lsm/vfs/vfs.ts';"],
    ['clients/js/client.ts', "const m = await import('../../node/main.ts');"],
    ['clients/cli/dss.ts', "import '../../node/env.ts';"],
    ['test/some.test.ts', `import { raft } from '../protos/${'gen'}/dss.js';`],
  ])('find the wrong direction in %s: %s', (path, text) => {
    expect(importDirection(at(path, text))).toHaveLength(1);
  });

  it('let pass what is allowed', () => {
    expect(importDirection(at('clients/cli/up.ts', "import('../../node/main.ts');"))).toEqual([]);
    expect(importDirection(at('node/a.ts', "import { b } from '../lsm/b.ts';"))).toEqual([]);
    expect(purity(at('node/shard/a.ts', '// Date.now() is\nconst when = clock.nowMs();'))).toEqual(
      [],
    );
    expect(purity(at('node/shard/a.ts', 'new Date(atMs).toISOString()'))).toEqual([]);
    expect(purity(at('broker/a.ts', "import type { Duplex } from 'node:stream';"))).toEqual([]);
    expect(purity(at('node/main.ts', "import 'node:fs'; setTimeout(tick, 1);"))).toEqual([]);
    expect(purity(at('node/shard/a.ts', 'async function f() {}'))).toEqual([]);
  });

  it.each([
    ...[
      'Date.now()',
      'new Date()',
      'new Date;',
      'Date()',
      'performance.now()',
      'Math.random()',
      'randomBytes(8)',
    ],
    ...['setTimeout(f)', 'setInterval(f)', 'setImmediate(f)', 'queueMicrotask(f)', 'new Worker(u)'],
    ...[
      'process.nextTick(f)',
      'process.env',
      "console.log('x')",
      'deflate(b, f)',
      'await fetch(u)',
    ],
    ...['crypto.randomUUID()', 'globalThis.setTimeout(f)', "a.localeCompare('b')"],
    ...["import fs from 'node:fs';", "import {\n  a,\n} from 'node:net';", "import 'fastify';"],
    ...["await import('node:child_process');", "import { Worker } from 'node:worker_threads';"],
    ...["import { OsVfs } from '../lsm/vfs/os.ts';", "export { a } from './main.ts';"],
  ])('find the impurity in a host: %s', (text) => {
    expect(purity(at('node/host.ts', text)).length).toBeGreaterThanOrEqual(1);
    expect(purity(at('node/host.ts', `const a = 'http://b';\n${text}`))).not.toEqual([]);
  });

  it.each(['async () => 1', 'let p: Promise<void>;', "import { a } from '../env.ts';"])(
    'find what a core may not have: %s',
    (text) => expect(purity(at('node/raft/raft.ts', text))).toHaveLength(1),
  );

  it('find leftovers, long files and dead links', () => {
    expect(leftovers(at('a.ts', `// ${'TO'}DO\nit.${'only'}(); it.each.${'only'}()`))).toHaveLength(
      3,
    );
    expect(length(at('a.ts', 'x\n'.repeat(501)))).toHaveLength(1);
    const links =
      '# Here\n[a](b.md) [b](c.md#no) [c](c.md#the-end) [d](#here) `[e](f)` [g](http://h)';
    const read = (path: string) => (path === 'docs/c.md' ? '# The end' : undefined);
    expect(deadLinks(at('docs/a.md', links), read)).toHaveLength(2);
  });

  it.each([
    "export type LsmErrorCode =\n  | 'KNOWN'\n  | 'NEW';",
    "export const REFUSAL_CODES = [\n  'KNOWN',\n  'NEW',\n] as const;",
    "throw new CliError(\n  ExitCode.failure,\n  'NEW', `a sentence`);",
    "readonly code = 'NEW';",
    "return { ok: false, error: 'NEW' }; // 'OTHER'",
  ])('find the undocumented code in %s', (text) => {
    const table = '| code | meaning |\n|---|---|\n| `KNOWN` | all is well, not `NEW` |\n';
    expect(undocumentedCodes(at('lsm/errors.ts', text), table)).toHaveLength(1);
  });
});
