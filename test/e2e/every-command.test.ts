import { appendFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../bench/free-ports.ts';
import { wholeProgram } from '../../clients/cli/program.ts';
import { Shell } from '../../clients/cli/shell.ts';
import { dss, dssScript, runProcess, startProcess } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

interface Trial {
  readonly args: readonly string[];
  readonly input?: string;
  /** 0 if nothing else is said. */
  readonly code?: number;
  /** What the last line of its output has, of stderr where it fails. */
  readonly has: object;
}

let cluster: TestCluster;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dss-commands-'));
  cluster = await TestCluster.start({ shards: 4 });
});
afterAll(async () => {
  await cluster?.close();
  await rm(directory, { recursive: true, force: true });
});
printLogsOnFailure(() => cluster);

const file = (name: string) => join(directory, name);

/** In this order: what one command stores another reads. */
const TRIALS: Readonly<Record<string, () => Trial>> = {
  put: () => ({ args: ['a/b', '1'], has: { ok: true } }),
  get: () => ({ args: ['a/b'], has: { key: 'a/b' } }),
  list: () => ({ args: ['a'], has: { keys: ['a/b'] } }),
  range: () => ({ args: ['--from', 'a'], has: { items: [{ key: 'a/b' }] } }),
  history: () => ({ args: ['a/b'], has: { key: 'a/b', more: false } }),
  watch: () => ({ args: ['a/#', '--count', '1'], has: { key: 'a/b', snapshot: true } }),
  cas: () => ({ args: ['lease', 'n1', '--if', 'none'], has: { ok: true } }),
  batch: () => ({ args: [], input: '{"key":"c/d","value":2}', has: { writes: 1 } }),
  export: () => ({ args: ['a'], has: { key: 'a/b' } }),
  import: () => ({ args: [file('values.ndjson')], has: { writes: 1 } }),
  del: () => ({ args: ['a/b'], has: { ok: true } }),
  status: () => ({ args: [], has: { cluster: { state: 'ok' } } }),
  top: () => ({ args: [], has: { shards: { count: 4 }, cluster: { state: 'ok' } } }),
  shards: () => ({ args: [], has: { silent: [] } }),
  where: () => ({ args: ['a/b'], has: { key: 'a/b' } }),
  nodes: () => ({ args: [], has: { nodes: [{ name: 'n1' }, { name: 'n2' }, { name: 'n3' }] } }),
  moves: () => ({ args: [], has: { moves: [] } }),
  events: () => ({ args: [], has: { events: expect.any(Array) } }),
  alerts: () => ({ args: [], has: { alerts: expect.any(Array) } }),
  report: () => ({ args: [], has: { silent: [] } }),
  doctor: () => ({ args: ['--data', directory], has: { findings: expect.any(Array) } }),
  verify: () => ({ args: ['--group', '1'], has: { groups: [{ state: 'equal' }] } }),
  'config show': () => ({ args: [], has: { settings: expect.any(Array) } }),
  'retention set': () => ({ args: ['a', '--keep', '1d'], has: { rules: expect.any(Array) } }),
  'retention list': () => ({ args: [], has: { rules: expect.any(Array) } }),
  'retention rm': () => ({ args: ['a'], has: { rules: [{ prefix: '' }] } }),
  'ingest add': () => ({ args: ['t/#', '--name', 't'], has: { rules: [{ name: 't' }] } }),
  'ingest list': () => ({ args: [], has: { rules: [{ name: 't' }] } }),
  'ingest test': () => ({ args: ['t/x', '1'], has: { rule: 't' } }),
  'ingest rm': () => ({ args: ['t'], has: { rules: [] } }),
  errors: () => ({ args: ['NOT_FOUND'], has: { code: 'NOT_FOUND' } }),
  passwd: () => ({ args: [], input: 'a long password\n', has: { hash: expect.any(String) } }),
  fleet: () => ({ args: ['--devices', '2', '--rate', '5', '--seconds', '1'], has: { failed: 0 } }),
  shell: () => ({ args: [], input: 'where a/b\n', has: { key: 'a/b' } }),
  completion: () => ({ args: ['bash'], has: { shell: 'bash' } }),
  token: () => ({
    args: ['--data', cluster.node(0).dataDir, '--secret', 'end-to-end'],
    has: { token: expect.any(String) },
  }),
  recover: () => ({
    args: ['--data', cluster.node(0).dataDir, '--lost', 'n2,n3', '--yes'],
    ...{ code: 1, has: { error: 'DIRECTORY_IN_USE' } },
  }),
  'node weight': () => ({ args: ['n1', '2'], has: { nodes: expect.any(Array) } }),
  'node leave': () => ({ args: ['n9'], code: 3, has: { error: 'NOT_FOUND' } }),
};

/** These go on until they are stopped, and have trials of their own below. */
const LASTING = ['up', 'node'];

describe('the program, as it is installed', () => {
  it('has a trial for every command', async () => {
    const streams = { stdin: process.stdin, stdout: new PassThrough(), stderr: new PassThrough() };
    const program = await wholeProgram(new Shell(streams, false));
    const runnable = (command: Command, before: string): string[] => {
      const name = `${before}${command.name()}`;
      const inner = command.commands.flatMap((one) => runnable(one, `${name} `));
      return inner.length === 0 || LASTING.includes(name) ? [name, ...inner] : inner;
    };
    const all = program.commands.flatMap((command) => runnable(command, ''));
    const tried = [...Object.keys(TRIALS), ...LASTING, 'help'];
    expect(all.sort()).toEqual(tried.sort());
  });

  it.each(Object.keys(TRIALS))('does what it says, in JSON: dss %s', async (name) => {
    await writeFile(file('values.ndjson'), '{"key":"e/f","value":3}\n');
    const { args, input, code = 0, has } = (TRIALS[name] as () => Trial)();
    const at = ['--node', cluster.addresses];
    at.push('--http', cluster.nodes.map(({ httpUrl }) => httpUrl).join(','));
    const flags = name.startsWith('node ') || name === 'shell' ? [...at, '--json'] : at;
    const words = [...name.split(' '), ...args, ...flags, '--json'];
    const result = await dss(words, input === undefined ? {} : { input });
    const said = code === 0 ? result.stdout : result.stderr;
    expect(result, result.stderr).toMatchObject({ code });
    const lines = said.split('\n').map((line) => JSON.parse(line) as object);
    expect(lines.at(-1)).toMatchObject(has);
  });

  it('runs a node until it is stopped', async () => {
    const ports = ['--mqtt-port', '0', '--http-port', '0'];
    const args = ['node', '--name', 'alone', '--data', file('alone'), ...ports, '--json'];
    const node = startProcess(process.execPath, [dssScript, ...args]);
    expect(JSON.parse(await node.line(/"ready"/))).toMatchObject({ node: 'alone' });
    node.child.kill('SIGINT');
    expect(await node.exited).toMatchObject({ code: 0 });
  });

  it('runs a cluster until it is stopped', async () => {
    const [mqtt = 0, http = 0] = await freePorts(2);
    const ports = ['--mqtt-port', String(mqtt), '--http-port', String(http)];
    const args = ['up', '--nodes', '1', '--data', file('up'), ...ports, '--shards', '2', '--json'];
    const up = startProcess(process.execPath, [dssScript, ...args]);
    expect(JSON.parse(await up.line(/"ready"/))).toMatchObject({ event: 'ready' });
    up.child.kill('SIGINT');
    expect(await up.exited).toMatchObject({ code: 0 });
    for (const line of up.stdout) JSON.parse(line);
  });

  it('is live at a terminal, and quits with q', async () => {
    const command = [process.execPath, dssScript, 'top', '--http', cluster.node(0).httpUrl];
    const typescript = file('typescript');
    const terminal = startProcess('script', ['-qefc', command.join(' '), typescript], {
      environment: { TERM: 'xterm', NO_COLOR: '' },
      input: 'q',
    });
    expect(await terminal.exited).toMatchObject({ code: 0 });
    const written = await readFile(typescript, 'utf8');
    expect(written).toContain('\u001b[?1049h');
    expect(written).toContain('\u001b[32mok\u001b[39m');
    expect(written).toContain('\u001b[?1049l');
  });

  it('loads nothing for help but what says it', async () => {
    const record = file('loaded');
    appendFileSync(record, '');
    const hooks = `import { appendFileSync } from 'node:fs';
export async function load(url, context, next) {
  appendFileSync(${JSON.stringify(record)}, url + '\\n');
  return next(url, context);
}`;
    const register = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hooks))});`;
    const { code, stdout } = await runProcess(process.execPath, [
      ...['--import', dataUrl(register), dssScript, '--help'],
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('Commands:');
    const loaded = (await readFile(record, 'utf8')).trim().split('\n');
    const ours = loaded.flatMap((url) => /\/dist\/(.+)\.js$/.exec(url)?.[1] ?? []);
    expect(ours).toContain('clients/cli/program');
    for (const heavy of [
      /^node\//,
      /^lsm\//,
      /\/commands\//,
      /connection/,
      /http/,
      /interactive/,
    ]) {
      expect(ours.filter((path) => heavy.test(path))).toEqual([]);
    }
    const packages = loaded.flatMap((url) => /node_modules\/([^/]+)/.exec(url)?.[1] ?? []);
    expect([...new Set(packages)]).toEqual(['commander']);
    const builtIn = loaded.filter((url) => url.startsWith('node:'));
    expect(builtIn.filter((url) => /http|tls|net|readline|crypto/.test(url))).toEqual([]);
  });
});

function dataUrl(script: string): string {
  return `data:text/javascript,${encodeURIComponent(script)}`;
}
