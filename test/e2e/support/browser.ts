import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

const program = (process.env.PATH ?? '')
  .split(delimiter)
  .concat('/usr/bin')
  .map((directory) => join(directory, 'chromium'))
  .find((path) => existsSync(path));

export const hasChromium = program !== undefined;
if (!hasChromium) {
  const message = 'SKIPPED: chromium is not installed (Debian: chromium)';
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(message);
}

/** The Chromium of this machine, without a window and without a word to anybody outside. */
export function openBrowser(): Promise<Browser> {
  if (program === undefined) throw new Error('chromium is not installed');
  const args = [
    ...['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    ...['--disable-component-update', '--disable-sync', '--no-first-run'],
  ];
  return chromium.launch({ executablePath: program, args });
}

/** What axe finds serious or worse on the page as it is, as lines that say where. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(),
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message ?? ''}`),
    );
}
