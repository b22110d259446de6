import { readFile, writeFile } from 'node:fs/promises';
import { asMarkdown, type ReportTable } from './report-table.ts';

const DOCUMENT = 'docs/PERFORMANCE.md';

/** Writes tables, and sentences between them, to their place in docs/PERFORMANCE.md. */
export async function updatePerformanceDocument(
  place: string,
  content: readonly (ReportTable | string)[],
): Promise<void> {
  const text = await readFile(DOCUMENT, 'utf8');
  const parts = content.map((each) => (typeof each === 'string' ? each : asMarkdown(each)));
  await writeFile(DOCUMENT, replacePlace(text, place, parts.join('\n\n')));
}

/**
 * Replaces what stands between `<!-- place -->` and `<!-- end of place -->`.
 *
 * @throws when the document has no such place
 */
export function replacePlace(document: string, place: string, content: string): string {
  const [begin, end] = [`<!-- ${place} -->`, `<!-- end of ${place} -->`];
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} has no place for ${place}`);
  return `${document.slice(0, from)}${begin}\n\n${content}\n\n${document.slice(to)}`;
}
