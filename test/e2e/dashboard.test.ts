import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PAGES } from '../../clients/dashboard/model/route.ts';
import { cheapHash } from '../support/password.ts';
import { hasChromium, openBrowser, seriousFindings } from './support/browser.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

const WAIT_MS = 60_000;
const FIRST_PAGE_BYTES_MAX = 100 * 1_000;
const TEMPERATURE = 'plant1/line3/dev42/temp';

let browser: Browser;
beforeAll(async () => {
  if (hasChromium) browser = await openBrowser();
});
afterAll(() => browser?.close());

/** What went wrong inside of any page that was opened. */
const mishaps: string[] = [];

async function open(
  base: string,
  hash: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, ...options });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  page.on('pageerror', ({ message }) => mishaps.push(message));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) mishaps.push(message.text());
  });
  await page.goto(`${base}/#/${hash}`);
  return page;
}

const sees = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

describe.skipIf(!hasChromium)('the dashboard of three nodes', () => {
  let cluster: TestCluster;
  let page: Page;
  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 3, shards: 8 });
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  const put = async (key: string, value: string, node = 0) => {
    const url = `${cluster.node(node).httpUrl}/v1/kv/${key}`;
    expect((await fetch(url, { method: 'PUT', body: value })).status).toBe(204);
  };
  const show = async (hash: string, options?: BrowserContextOptions) => {
    await page?.context().close();
    page = await open(cluster.node(0).httpUrl, hash, options);
    return page;
  };

  it('is small, and comes compressed', async () => {
    const { httpUrl } = cluster.node(0);
    const headers = { 'accept-encoding': 'gzip' };
    const index = await fetch(`${httpUrl}/`, { headers });
    const sizes = [Number(index.headers.get('content-length'))];
    const files = [...(await index.text()).matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)];
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const [, file] of files) {
      const answer = await fetch(`${httpUrl}/${file}`, { headers });
      expect(answer.headers.get('content-encoding')).toBe('gzip');
      expect(answer.headers.get('cache-control')).toContain('immutable');
      sizes.push(Number(answer.headers.get('content-length')));
      await answer.body?.cancel();
    }
    const total = sizes.reduce((sum, size) => sum + size);
    expect(total).toBeGreaterThan(10_000);
    expect(total).toBeLessThan(FIRST_PAGE_BYTES_MAX);
  });

  it('says how the cluster is', async () => {
    await show('overview');
    await sees(page, 'All 3 nodes are up');
    await sees(page, 'An acknowledged write is on 2 disks at once and on 3 soon after.');
    expect(await page.getByRole('row').filter({ hasText: 'active' }).count()).toBe(3);
  });

  it('shows where each shard is', async () => {
    await show('ring');
    const { shards } = await cluster.status(0);
    const first = shards.find(({ kind }) => kind === 'shard');
    await page
      .getByRole('link', { name: `Shard ${first?.group}: led by ${first?.leader}` })
      .click();
    await page.getByRole('heading', { name: `Shard ${first?.group}` }).waitFor();
    await page.getByRole('link', { name: 'log and followers' }).click();
    await page.getByRole('heading', { name: `Followers of shard ${first?.group}` }).waitFor();
  });

  it('is walked by keyboard down to a key, whose value changes before one’s eyes', async () => {
    await put(TEMPERATURE, '21.5');
    await put('plant1/line3/dev42/state', '{"pressure":{"bar":1.2},"open":true}');
    await show('keys');
    await page.getByRole('treeitem', { name: 'plant1' }).focus();
    for (const level of ['line3', 'dev42', 'state']) {
      await page.keyboard.press('ArrowRight');
      await page.getByRole('treeitem', { name: level }).waitFor();
      await page.keyboard.press('ArrowRight');
    }
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: TEMPERATURE }).waitFor();
    await page.locator('.current').getByText('21.5').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    await put(TEMPERATURE, '22.75', 1);
    await page.locator('.current').getByText('22.75').waitFor();
    await page.locator('.history').getByText('21.5').waitFor();
  });

  it('finds keys by how they begin, and shows JSON as JSON', async () => {
    await show('keys');
    await page.getByRole('searchbox').fill('plant1/line3/dev42/st');
    await sees(page, '1 key');
    await page.getByRole('link', { name: 'plant1/line3/dev42/state' }).click();
    await page.locator('.current').getByText('"pressure"').waitFor();
  });

  it('stores a value, not over another’s, and deletes it', async () => {
    await show('keys?new');
    await page.getByLabel('Key', { exact: true }).fill('plant1/note');
    await page.getByLabel('Value').fill('Filter was changed.');
    await page.getByRole('button', { name: 'Store' }).click();
    await page.locator('.current').getByText('Filter was changed.').waitFor();
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByRole('textbox', { name: 'Value' }).fill('Mine.');
    await put('plant1/note', 'Theirs.', 1);
    await page.locator('.current').getByText('Theirs.').waitFor();
    await page.getByRole('button', { name: 'Store' }).click();
    await sees(page, /Somebody has stored another value meanwhile/);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await sees(page, /It has no value/);
  });

  it('charts a sensor, its past and what comes, at an address one can keep', async () => {
    await show('charts');
    await page.getByLabel('Key to draw').fill(TEMPERATURE);
    await page.getByRole('button', { name: 'Add' }).click();
    await page
      .getByRole('img', { name: `${TEMPERATURE}: 2 values between 21.5 and 22.75` })
      .waitFor();
    await put(TEMPERATURE, '30.5', 2);
    await page.getByRole('img', { name: /3 values between 21.5 and 30.5, now 30.5/ }).waitFor();
    await page.getByRole('button', { name: '1h' }).click();
    const address = page.url();
    await page.context().close();
    page = await browser.newPage();
    await page.goto(`${address}&s=plant1%2Fline3%2Fdev42%2Fstate`);
    await page.getByRole('img', { name: /now 30.5/ }).waitFor();
    await page.getByRole('img', { name: /dev42\/state: 1 values/ }).waitFor();
    expect(await page.getByLabel('What of plant1/line3/dev42/state').inputValue()).toBe(
      'pressure.bar',
    );
  });

  it.each(['light', 'dark'] as const)('is accessible in the %s', async (colorScheme) => {
    await show('overview', { colorScheme });
    for (const name of PAGES) {
      await page.evaluate(`location.hash = '#/${name}'`);
      await page.locator(`main[data-page="${name}"] section`).first().waitFor();
      expect({ name, found: await seriousFindings(page) }).toEqual({ name, found: [] });
    }
    await page.goto(`${cluster.node(0).httpUrl}/#/keys/${encodeURIComponent(TEMPERATURE)}`);
    await page.locator('.current').getByText('30.5').waitFor();
    expect(await seriousFindings(page)).toEqual([]);
  });

  it('has a theme of one’s own, which stays', async () => {
    await show('overview', { colorScheme: 'light' });
    const background = () =>
      page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    const light = await background();
    await page.getByRole('button', { name: 'Theme: system' }).click();
    await page.getByRole('button', { name: 'Theme: light' }).click();
    expect(await background()).not.toBe(light);
    await page.reload();
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
    expect(await background()).not.toBe(light);
  });

  it('fits a phone', async () => {
    await show('overview', { viewport: { width: 360, height: 740 } });
    const raft = (await (await fetch(`${cluster.node(0).httpUrl}/debug/raft`)).json()) as {
      readonly groups: readonly { readonly group: number; readonly role: string }[];
    };
    const led = raft.groups.find(({ role }) => role === 'leader');
    const pages = [...PAGES, `keys/${encodeURIComponent(TEMPERATURE)}`, `shards/${led?.group}`];
    for (const hash of pages) {
      await page.goto(`${cluster.node(0).httpUrl}/#/${hash}`);
      await page.locator('main section:visible').first().waitFor();
      const beyond = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect({ hash, beyond }).toEqual({ hash, beyond: 0 });
    }
    // The page that one is on is not the only one that can be found.
    const nav = page.getByRole('navigation');
    expect(await nav.evaluate((it) => it.scrollWidth - it.clientWidth)).toBe(0);
  });

  it.each([768, 1_024, 1_080])(
    'has the nodes and the search in full at %i pixels',
    async (width) => {
      await show('overview', { viewport: { width, height: 1_000 } });
      const nodes = page.locator('.scroller[aria-label=Nodes]');
      await nodes.waitFor();
      expect(await nodes.evaluate((it) => it.scrollWidth - it.clientWidth)).toBe(0);
      await page.goto(`${cluster.node(0).httpUrl}/#/keys`);
      const search = page.getByPlaceholder('Keys that begin with…');
      await search.waitFor();
      expect(await search.evaluate((it) => it.clientWidth)).toBeGreaterThan(160);
    },
  );

  it('sees a node die and come back', async () => {
    await show('overview');
    await sees(page, 'All 3 nodes are up');
    await cluster.kill(2);
    await sees(page, 'n3 is not heard. Every shard is served by the others.');
    await page.getByRole('row').filter({ hasText: 'n3' }).getByText('failed').waitFor();
    await sees(page, 'node-failed-n3');
    cluster.restart(2);
    await sees(page, 'All 3 nodes are up');
  });

  it('says when its node is cut off from the others, and since when', async () => {
    await show('overview');
    await sees(page, 'All 3 nodes are up');
    cluster.pause(1);
    cluster.pause(2);
    await sees(page, 'n1 is cut off from the cluster');
    await sees(page, /since \d\d:\d\d:\d\d/);
    await sees(page, 'It hears nothing of n2 and n3.');
    cluster.resume(1);
    cluster.resume(2);
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await sees(page, 'All 3 nodes are up');
  });

  it('says when its node does not answer, and names the others', async () => {
    await show('overview');
    await sees(page, 'All 3 nodes are up');
    await cluster.kill(0);
    await sees(page, 'n1 does not answer');
    await sees(page, /since \d\d:\d\d:\d\d/);
    const other = page.getByRole('alert').getByRole('link', { name: 'n2' });
    expect(await other.getAttribute('href')).toBe(`${cluster.node(1).httpUrl}/#/overview`);
    cluster.restart(0);
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await sees(page, 'All 3 nodes are up');
  });

  it('has done nothing that the browser would not have', () => {
    expect(mishaps).toEqual([]);
  });
});

describe.skipIf(!hasChromium)('the dashboard of a node with users', () => {
  const config = `
users:
  - {name: admin, password: "${cheapHash('of admin')}", read: ['#'], write: ['#']}
  - {name: reader, password: "${cheapHash('of reader')}", read: ['plant1/#']}
`;
  let cluster: TestCluster;
  beforeAll(async () => {
    const security = { user: 'admin', password: 'of admin' };
    cluster = await TestCluster.start({ bootstrap: true, shards: 2, config, security });
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  const as = (username: string) => ({ httpCredentials: { username, password: `of ${username}` } });

  it('is shown to users only', async () => {
    const answer = await fetch(cluster.node(0).httpUrl);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('Basic');
    const page = await open(cluster.node(0).httpUrl, 'overview', as('reader'));
    await sees(page, 'The node is up');
    await page.context().close();
  });

  it('lets everybody do what the user may, and says what the user may not', async () => {
    const { httpUrl } = cluster.node(0);
    const admin = await open(httpUrl, 'keys?new', as('admin'));
    await admin.getByLabel('Key', { exact: true }).fill('plant1/a');
    await admin.getByLabel('Value').fill('1');
    await admin.getByRole('button', { name: 'Store' }).click();
    await admin.locator('.current').getByText('1', { exact: true }).waitFor();
    await admin.context().close();

    const reader = await open(httpUrl, 'keys/plant1%2Fa', as('reader'));
    await reader.locator('.current').getByText('1', { exact: true }).waitFor();
    await reader.getByRole('button', { name: 'Change', exact: true }).click();
    await reader.getByRole('button', { name: 'Store' }).click();
    await reader
      .getByRole('alert')
      .getByText(/may not/)
      .waitFor();
    await reader.goto(`${httpUrl}/#/shards`);
    await sees(reader, 'Raft, as n1 sees it');
    await reader.context().close();
  });
});
