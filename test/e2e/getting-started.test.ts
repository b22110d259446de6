import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePorts } from '../../bench/free-ports.ts';
import { eventually, HANGS_MS } from '../support/eventually.ts';
import { hasChromium, openBrowser } from './support/browser.ts';
import { freeBlocks } from './support/free-blocks.ts';
import { type GuideBlock, guideBlocks, guideLinks, isAsPrinted } from './support/guide.ts';
import { hasNodeRed } from './support/node-red.ts';
import {
  dssScript,
  type RunningProcess,
  startProcess,
  temporaryDirectory,
} from './support/processes.ts';

const root = join(import.meta.dirname, '../..');
const guide = readFileSync(join(root, 'docs/getting-started.md'), 'utf8');
const chapters = new Set(guideBlocks(guide).map(({ chapter }) => chapter));

/**
 * Somebody new, in a clean home directory, who types what the guide prints. The ports are others, as it says
 * they may be, so that nothing else on this machine is in the way.
 */
describe('docs/getting-started.md', () => {
  let home: string;
  let clone: string;
  let ports: { readonly mqtt: number; readonly http: number; readonly nodeRed: number };
  let browser: Browser | undefined;
  const pages: Page[] = [];
  const terminals = new Map<string, RunningProcess>();
  const typed: GuideBlock[] = [];
  const sessions = new Set<RunningProcess>();
  const endSessions = (): void => {
    for (const { child } of sessions) signalGroup(child.pid, 'SIGKILL');
  };
  process.once('exit', endSessions);

  beforeAll(async () => {
    home = await temporaryDirectory();
    clone = join(home, 'dss');
    layOutClone(clone);
    const [nodeRed] = (await freePorts(1)) as [number];
    const [mqtt, http] = await freeBlocks();
    ports = { mqtt, http, nodeRed };
    if (hasChromium) browser = await openBrowser();
  });
  // Each step stands on those before it.
  let isStuck = false;
  beforeEach(({ skip }) => skip(isStuck, 'a step before this one has failed'));
  afterEach(({ task }) => {
    isStuck ||= task.result?.state === 'fail';
  });
  afterAll(async () => {
    await browser?.close();
    endSessions();
    await Promise.all([...sessions].map(({ exited }) => exited));
    await rm(home, { recursive: true, force: true, maxRetries: 10 });
  });

  const here = (text: string): string =>
    text
      .replaceAll(/\b188([345])\b/g, (_, digit) => String(ports.mqtt + Number(digit) - 3))
      .replaceAll(/\b808([012])\b/g, (_, digit) => String(ports.http + Number(digit)))
      .replaceAll(/\b1880\b/g, String(ports.nodeRed));

  const start = (script: string): RunningProcess => {
    const preamble = [
      // What was typed in a terminal holds there.
      'shopt -s expand_aliases',
      ...typed.map(({ script }) => script).filter((script) => script.startsWith('alias ')),
      `npm() { command npm "$@" -- --mqtt-port ${ports.mqtt} --http-port ${ports.http}; }`,
      `node-red() { command node-red --port ${ports.nodeRed} "$@"; }`,
    ];
    const at = (first: number) => [0, 1, 2].map((step) => `127.0.0.1:${first + step}`).join(',');
    // Nothing of what the npm that runs this test tells its children.
    const environment = [
      `HOME=${home}`,
      `PATH=${[process.env.PATH, nodeRedPrograms].join(delimiter)}`,
      'npm_config_update_notifier=false',
      // The export line that is printed when the ports are others.
      `DSS_NODE=${at(ports.mqtt)}`,
      `DSS_HTTP=${at(ports.http)}`,
    ];
    const lines = [...preamble, here(script)].join('\n');
    // A session of its own, as a terminal is one: Ctrl-C reaches all that runs in it.
    const args = ['env', '-i', ...environment, 'bash', '-e', '-c', lines];
    const started = startProcess('setsid', args, { directory: clone });
    sessions.add(started);
    return started;
  };

  /** Types a block that ends by itself, again while it does not print yet what the guide says. */
  const type = async (block: GuideBlock, script = block.script): Promise<void> => {
    typed.push(block);
    await eventually(`what line ${block.line} prints`, async () => {
      const started = start(script);
      const { code } = await started.exited;
      const told = [...started.stdout, ...started.stderr].join('\n');
      if (code !== 0) throw new Error(`it ended with ${code}: ${told}`);
      if (block.expected.length === 0 || isAsPrinted(started.stdout, block.expected)) return true;
      throw new Error(`it printed ${told}`);
    });
  };

  /** Types a block that goes on, in a terminal of its own. */
  const open = async (block: GuideBlock, ready: RegExp): Promise<RunningProcess> => {
    typed.push(block);
    const started = start(block.script);
    terminals.set(block.terminal, started);
    await started.line(ready);
    return started;
  };

  const terminal = (name: string): RunningProcess => terminals.get(name) as RunningProcess;
  const chapter = (name: string): GuideBlock[] =>
    guideBlocks(guide).filter((block) => block.chapter === name);

  /** Opens the links of a chapter, if there is a browser. */
  const visit = async (name: string): Promise<void> => {
    const links = guideLinks(guide, name);
    expect(links).not.toEqual([]);
    if (browser === undefined) return;
    for (const link of links) {
      const page = await browser.newPage();
      page.setDefaultTimeout(HANGS_MS);
      await page.goto(here(link), { waitUntil: 'domcontentloaded' });
      pages.push(page);
    }
  };
  const shows = async (text: string | RegExp): Promise<void> => {
    await pages.at(-1)?.getByText(text).first().waitFor();
  };
  const draws = async (name: RegExp): Promise<void> => {
    await pages.at(-1)?.getByRole('img', { name }).waitFor();
  };

  it('starts a cluster', async () => {
    const [install, up] = chapter('Start a cluster') as [GuideBlock, GuideBlock];
    // The folder has what that would bring; test/package.test.ts installs for real.
    expect(install.script).toBe('npm install\n');
    typed.push(install);
    await open(up, /^DSS is ready/);
    await visit('Start a cluster');
    await shows('All 3 nodes are up, and every shard has a leader.');
  });

  it('stores a value', async () => {
    for (const block of chapter('Store a value')) await type(block);
  });

  it('watches it change', async () => {
    const [publish, ...others] = chapter('Watch it change') as [GuideBlock, ...GuideBlock[]];
    await visit('Watch it change');
    await draws(/dev42\/temp: \d+ values between 21.5 and 22.5, now 22.5/);
    await type(publish);
    await draws(/dev42\/temp: \d+ values between 21.5 and 24.6, now 23.4/);
    for (const block of others) await type(block);
  });

  it.skipIf(!hasNodeRed)('has a flow in Node-RED', async () => {
    const blocks = chapter('A flow in Node-RED');
    const [copy, run, ...others] = blocks as [GuideBlock, GuideBlock, ...GuideBlock[]];
    await type(copy);
    const flows = join(home, 'dss-flow/flows.json');
    await writeFile(flows, here(await readFile(flows, 'utf8')));
    await open(run, /Started flows/);
    for (const block of others) await type(block);
    await visit('A flow in Node-RED');
    await draws(/dev42\/temp: \d+ values .*, now 25$/);
    await draws(/dev42\/fahrenheit: \d+ values .*, now 77$/);
  });

  it('kills a node and starts it again', async () => {
    const [kill, write, alerts] = chapter('Kill a node') as [GuideBlock, GuideBlock, GuideBlock];
    const up = terminal('first terminal');
    await visit('Kill a node');
    const [, processId] = (await up.line(/kill -9 \d+/)).match(/kill -9 (\d+)/) ?? [];
    await type(kill, kill.script.replace('12345', String(processId)));
    await type(hasNodeRed ? write : withoutFlow(write));
    await shows('n3 is not heard. Every shard is served by the others.');
    await type(alerts);

    await up.line(/^n3 stopped/);
    const command = up.stdout[up.stdout.findIndex((line) => line.startsWith('n3 stopped')) + 1];
    const n3 = start(String(command));
    terminals.set('fourth terminal', n3);
    await n3.line(/^DSS node n3 is ready/);
    await shows('All 3 nodes are up');
  });

  it('stops at Ctrl-C', async () => {
    for (const name of ['first terminal', 'fourth terminal']) {
      const { child, exited } = terminal(name);
      signalGroup(child.pid, 'SIGINT');
      await exited;
      terminals.delete(name);
    }
    expect(existsSync(join(clone, '.dss/n3'))).toBe(true);
    await expect(fetch(here('http://127.0.0.1:8080/healthz'))).rejects.toThrow();
  });

  it('has no command that was not typed here', () => {
    const lines = (blocks: readonly GuideBlock[]) => blocks.map(({ line }) => line);
    const wanted = guideBlocks(guide).filter(
      ({ chapter }) => hasNodeRed || chapter !== 'A flow in Node-RED',
    );
    expect(lines(typed)).toEqual(lines(wanted));
    expect(chapters.size).toBe(5);
  });
});

const nodeRedPrograms = join(import.meta.dirname, 'node-red/node_modules/.bin');

/** What somebody has who has cloned and installed: what is installed and built is linked, not made again. */
function layOutClone(clone: string): void {
  mkdirSync(clone);
  for (const path of ['package.json', 'docs', 'clients/node-red']) {
    cpSync(join(root, path), join(clone, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  symlinkSync(dirname(dirname(dirname(dssScript))), join(clone, 'dist'));
}

/** Nobody makes degrees Fahrenheit where there is no Node-RED. */
function withoutFlow(block: GuideBlock): GuideBlock {
  const lines = block.script.split('\n').filter((line) => !/fahrenheit|^# →/.test(line));
  return { ...block, script: lines.join('\n'), expected: [] };
}

function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
