import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../clients/client/client.ts';
import { connect } from '../../clients/client/index.ts';
import { eventually } from '../support/eventually.ts';
import { codeExamplesOf, runCodeExample } from './support/code-examples.ts';
import { hasMosquitto, startMosquitto } from './support/mosquitto.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'clients/client');
const CHROMIUM = '/usr/bin/chromium';

/** `dss/client` with real nodes. The tests run in order, the last one kills a node. */
describe('the client library and three nodes', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  const urls = () => cluster.nodes.map(({ mqttUrl }) => mqttUrl);

  describe('as its comments and its README show', () => {
    const examples = readdirSync(folder)
      .filter((name) => /\.(ts|md)$/.test(name))
      .flatMap((name) => codeExamplesOf(name, readFileSync(join(folder, name), 'utf8')));
    let dss: Client;
    beforeAll(async () => {
      dss = await connect(urls());
    });
    afterAll(() => dss?.close());

    it('has examples', () => {
      expect(examples.length).toBeGreaterThan(7);
    });

    it.each(examples)('does what $at says', async (example) => {
      const atOurNodes = (_url: unknown, options?: object) => connect(urls(), options);
      const printed = await runCodeExample(example, { dss, connect: atOurNodes });
      if (example.expected.length > 0) expect(printed).toEqual(example.expected);
    });
  });

  it.skipIf(!hasMosquitto)('tells another broker from a node', async () => {
    const mosquitto = await startMosquitto('');
    const noNode = connect([mosquitto.url, ...urls()]);
    await expect(noNode).rejects.toMatchObject({ code: 'NOT_A_NODE' });
    await mosquitto.close();
  });

  it.skipIf(!existsSync(CHROMIUM))('works in a browser, over a WebSocket', async () => {
    const script = await bundle();
    const { httpUrl, httpPort } = cluster.node(0);
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox'],
    });
    try {
      const page = await browser.newPage({ bypassCSP: true });
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      // A page of the node itself: what came from nowhere may not speak to this machine.
      await page.goto(`${httpUrl}/healthz`);
      await page.addScriptTag({ type: 'module', content: script });
      const run = `window.tryOut('ws://127.0.0.1:${httpPort}/mqtt')`;
      expect(await page.evaluate(run)).toEqual({
        bytes: [0, 255, 10],
        json: { mode: 'eco' },
        keys: ['browser/bytes', 'browser/json'],
        lost: false,
        current: ['browser/bytes', 'browser/json'],
        watched: ['snapshot-complete', 'browser/json'],
      });
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  it('loses nothing that was acknowledged when its node is killed, and a watch ends at the newest', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `killed/${i}`);
    const writer = await connect(urls());
    const reader = await connect(urls());
    const acknowledged = new Map<string, number>();
    const newest = new Map<string, number>();
    let isOver = false;
    const watching = (async () => {
      for await (const change of reader.watch('killed/#')) {
        if (change.type !== 'value') continue;
        const value = change.item.json<number>();
        // Of a key nothing older follows something newer.
        expect(value).toBeGreaterThanOrEqual(newest.get(change.key) ?? 0);
        newest.set(change.key, value);
      }
    })();
    const write = async (key: string) => {
      for (let i = 1; !isOver; i += 1) {
        await writer.put(key, i);
        acknowledged.set(key, i);
      }
    };
    const writing = keys.map(write);
    const progress = (from: number) => () => {
      const counts = keys.map((key) => acknowledged.get(key) ?? 0);
      return Promise.resolve(Math.min(...counts) >= from ? true : undefined);
    };
    await eventually('puts are under way', progress(20));
    expect([writer.url, reader.url]).toEqual([urls()[0], urls()[0]]);
    await cluster.kill(0);
    const before = Math.max(...acknowledged.values());
    await eventually('every key is written again', progress(before + 20));
    isOver = true;
    await Promise.all(writing);
    expect([writer.url, reader.url]).not.toContain(urls()[0]);
    for (const key of keys) {
      expect((await reader.get(key))?.json()).toBe(acknowledged.get(key));
    }
    await eventually('the watch has the newest', () =>
      Promise.resolve(keys.every((key) => newest.get(key) === acknowledged.get(key)) || undefined),
    );
    await reader.close();
    await watching;
    await writer.close();
  });
});

/** What a page would load: the library and a function that uses it, for browsers. */
async function bundle(): Promise<string> {
  const entry = 'virtual:entry';
  const source = `
    import { connect } from ${JSON.stringify(join(root, 'dist/clients/client/index.js'))};
    window.tryOut = async (url) => {
      const dss = await connect(url);
      await dss.put('browser/bytes', Uint8Array.of(0, 255, 10));
      const { version } = await dss.put('browser/json', { mode: 'eco' });
      const bytes = [...(await dss.get('browser/bytes')).value];
      const json = (await dss.get('browser/json')).json();
      const keys = [];
      for await (const key of dss.keys({ prefix: 'browser' })) keys.push(key);
      const lost = (await dss.cas('browser/json', 1, { ifVersion: version + 1 })).won;
      const [watched, current] = [[], []];
      for await (const change of dss.watch('browser/#')) {
        if (change.type === 'value' && change.snapshot) current.push(change.key);
        else watched.push(change.key ?? change.type);
        if (change.type === 'snapshot-complete') await dss.put('browser/json', 2);
        else if (!change.snapshot) break;
      }
      await dss.close();
      return { bytes, json, keys, lost, current: current.sort(), watched };
    };`;
  const warnings: string[] = [];
  const built = await build({
    configFile: false,
    root,
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? source : undefined),
      },
    ],
    build: {
      write: false,
      rollupOptions: { input: entry, onwarn: ({ message }) => void warnings.push(message) },
    },
  });
  // Such as a module of Node.js, which a browser does not have.
  expect(warnings).toEqual([]);
  const [result] = [built].flat() as { output: { code?: string }[] }[];
  return result?.output[0]?.code ?? '';
}
