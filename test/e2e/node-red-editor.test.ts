import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleFlows, hasNodeRed, installPackage, NodeRed } from './support/node-red.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

// The package in a started Node-RED, its editor in a browser, as a newcomer meets it.

const CHROMIUM = '/usr/bin/chromium';
/** A picture for the documentation is taken on request. */
const picture = process.env.UPDATE === '1' ? 'docs/images/node-red.png' : undefined;
const types = ['dss in', 'dss put', 'dss get', 'dss list', 'dss history', 'dss cas'];

describe.skipIf(!hasNodeRed || !existsSync(CHROMIUM))('our nodes in the editor', () => {
  let cluster: TestCluster;
  let nodeRed: NodeRed;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 1 });
    const examples = exampleFlows('dss');
    const parts = [...(examples.get('first-steps') ?? []), ...[...examples.values()].flat()];
    const flows = [...new Map(parts.map((part) => [part.id, part])).values()];
    // As imported, but for an address where certainly nobody listens.
    const elsewhere = flows.map((part) =>
      part.type === 'dss-cluster' ? { ...part, addresses: 'mqtt://127.0.0.1:1' } : part,
    );
    nodeRed = await NodeRed.startFlows(elsewhere, installPackage);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(nodeRed.editorUrl);
    await page.waitForSelector('.red-ui-flow-node-group');
  });
  afterAll(async () => {
    await browser?.close();
    await nodeRed?.close();
    await cluster?.close();
  });
  printLogsOnFailure(() => cluster);

  const helpOf = async (type: string): Promise<string | null> => {
    await page.evaluate(`RED.sidebar.help.show(${JSON.stringify(type)})`);
    return page.locator('.red-ui-help .red-ui-help').textContent();
  };

  it('are in the palette, each with its help, and in the menu of examples', async () => {
    for (const type of types) {
      const entry = page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
      expect(await entry.isVisible(), type).toBe(true);
      expect(await helpOf(type), type).toContain('Output');
    }
    const response = await fetch(
      `${nodeRed.editorUrl}/library/examples/flows/node-red-contrib-dss`,
    );
    expect(JSON.stringify(await response.json())).toContain('first-steps');
  });

  it('are deployed with a cluster that is entered in its dialog, and turn green', async () => {
    await page.waitForSelector('.red-ui-flow-node-status-ring-yellow');
    // Not in the middle, where the wire is.
    const put = page.locator('#dss-start-put .red-ui-flow-node').first();
    await put.dblclick({ position: { x: 40, y: 8 } });
    await page.click('#node-input-btn-cluster-edit');
    const addresses = page.locator('#node-config-input-addresses');
    await addresses.waitFor();
    expect(await page.locator('#node-config-dialog-edit-form').textContent()).toContain(
      'Addresses',
    );
    expect(await helpOf('dss-cluster')).toContain('share one connection');
    await addresses.fill(cluster.node(0).mqttUrl);
    await page.click('#node-config-dialog-ok');
    await page.click('#node-dialog-ok');
    await page.click('#red-ui-header-button-deploy');
    await nodeRed.untilConnected();
    await page.waitForSelector('.red-ui-flow-node-status-dot-green');
    expect(problems).toEqual([]);
  });

  it('store what is injected and show what is stored', async () => {
    await nodeRed.press('dss-start-inject');
    const key = 'plant1/dev42/temp';
    const stored = await nodeRed.until<{ version: number }>('stored');
    expect(await nodeRed.until('values')).toMatchObject({
      topic: key,
      payload: 21.5,
      version: stored.version,
      deleted: false,
    });
  });

  it('ask, claim and count, as the other examples do', async () => {
    await nodeRed.press('dss-ask-get-inject');
    expect(await nodeRed.until('value')).toMatchObject({ payload: 21.5 });
    await nodeRed.press('dss-ask-list-inject');
    const items = [{ key: 'plant1/dev42/temp', value: 21.5 }];
    expect(await nodeRed.until('items')).toMatchObject({ payload: items });
    await nodeRed.press('dss-ask-history-inject');
    expect(await nodeRed.until('history')).toMatchObject({ payload: [{ value: 21.5 }] });

    await nodeRed.press('dss-claim-one');
    expect(await nodeRed.until('claimed')).toMatchObject({ payload: 'line-1' });
    await nodeRed.press('dss-claim-two');
    expect(await nodeRed.until('somebody else has it')).toMatchObject({ payload: 'line-2' });

    // Some of these read the same count: they lose, and read again.
    await Promise.all([1, 2, 3].map(() => nodeRed.press('dss-count-inject')));
    expect(
      await nodeRed.until<{ payload: number }>('counted', ({ payload }) => payload === 3),
    ).toBeDefined();
    expect(nodeRed.shown('failed')).toEqual([]);
  });

  it.runIf(picture !== undefined)('look like this', async () => {
    await page.evaluate(`RED.sidebar.show('debug')`);
    // The last of what the tests before have caused.
    await page.getByText('node: counted').nth(2).waitFor();
    await page.click('#red-ui-sidebar-debug-clear');
    await page.mouse.move(600, 500);
    await nodeRed.press('dss-start-inject');
    await page.locator('.red-ui-palette-search input').pressSequentially('dss');
    const other = page.locator('.red-ui-palette-node[data-palette-type="inject"]');
    await other.waitFor({ state: 'hidden' });
    await page.locator('.red-ui-notification').first().waitFor({ state: 'hidden' });
    await page.getByText('21.5').first().waitFor();
    await page.screenshot({ path: picture as string });
  });
});
