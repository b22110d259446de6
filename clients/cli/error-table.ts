import { readFileSync } from 'node:fs';

/** One row of the table of codes in docs/ERRORS.md, without its marks. */
export interface ErrorRow {
  readonly code: string;
  /** The heading it stands under. */
  readonly topic: string;
  /** What the other columns say, by their titles, in their order. */
  readonly columns: ReadonlyMap<string, string>;
  /** The footnotes that it refers to. */
  readonly notes: readonly string[];
}

const FOOTNOTES = /[¹²³⁴⁵⁶⁷⁸⁹]/g;

/**
 * Reads the table of codes from the document itself, so that there is one source: it is part of the package, and
 * the tests see to it that it names every code.
 */
export function readErrorTable(markdown: string = readDocument()): ErrorRow[] {
  const footnotes = new Map<string, string>();
  const rows: ErrorRow[] = [];
  let titles: readonly string[] = [];
  let topic = '';
  for (const line of markdown.split('\n')) {
    const footnote = /^([¹²³⁴⁵⁶⁷⁸⁹]) (.*)$/.exec(line);
    if (footnote) footnotes.set(footnote[1] as string, plain(footnote[2] as string));
    const cells = cellsOf(line);
    const [first = ''] = cells;
    if (cells.length === 0) titles = [];
    else if (first === 'code') titles = cells;
    else if (titles.length === 0) continue;
    else if (first.startsWith('**')) topic = plain(first);
    else if (/^`[A-Z_]+`$/.test(first)) {
      const columns = new Map(titles.map((title, i) => [title, plain(cells[i] ?? '')]));
      const notes = line.match(FOOTNOTES) ?? [];
      columns.delete('code');
      rows.push({ code: plain(first), topic, columns, notes });
    }
  }
  return rows.map((row) => ({
    ...row,
    notes: row.notes.flatMap((mark) => footnotes.get(mark) ?? []),
  }));
}

/** The cells of a row of a table; a `\|` is a character of its cell. */
function cellsOf(line: string): string[] {
  if (!line.startsWith('|')) return [];
  return line
    .trim()
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** Text without code marks, emphasis, links and footnote signs. */
function plain(markdown: string): string {
  return markdown
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\*\*|`/g, '')
    .replace(FOOTNOTES, '')
    .trim();
}

function readDocument(): string {
  // From clients/cli here or from dist/clients/cli.
  for (const path of ['../../docs/ERRORS.md', '../../../docs/ERRORS.md']) {
    try {
      return readFileSync(new URL(path, import.meta.url), 'utf8');
    } catch {
      // The next one is the one.
    }
  }
  return '';
}
