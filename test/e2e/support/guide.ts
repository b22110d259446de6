import { fits } from './doc-examples.ts';

/** One block of commands in a guide, as somebody types it. */
export interface GuideBlock {
  /** The line of the document where it begins. */
  readonly line: number;
  /** The heading that it stands below. */
  readonly chapter: string;
  /** What stays open with it, from the info string: `first terminal`. Else empty: it ends by itself. */
  readonly terminal: string;
  readonly script: string;
  /** What it prints, where the guide says so. */
  readonly expected: readonly string[];
}

const EXPECTED = '# → ';

/** The `sh` blocks of a guide, in their order. */
export function guideBlocks(markdown: string): GuideBlock[] {
  return [...markdown.matchAll(/^```sh(.*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, terminal = '', script = ''] = match;
    const before = markdown.slice(0, match.index);
    const lines = script.split('\n').filter((line) => line.startsWith(EXPECTED));
    return {
      line: before.split('\n').length,
      chapter: headingOf(before),
      terminal: terminal.trim(),
      script,
      expected: lines.map((line) => line.slice(EXPECTED.length)),
    };
  });
}

/** The addresses of this machine that a chapter tells to open, in their order. */
export function guideLinks(markdown: string, chapter: string): string[] {
  const links = [...markdown.matchAll(/[<(](http:\/\/127\.0\.0\.1[^>)]*)[>)]/g)];
  return links
    .filter((match) => headingOf(markdown.slice(0, match.index)) === chapter)
    .map(([, link = '']) => link);
}

/** Whether lines are what was expected: `…` stands for anything, and as the last line for all further ones. */
export function isAsPrinted(printed: readonly string[], expected: readonly string[]): boolean {
  const isOpen = expected.at(-1) === '…';
  const wanted = isOpen ? expected.slice(0, -1) : expected;
  const enough = isOpen ? printed.length >= wanted.length : printed.length === wanted.length;
  return enough && wanted.every((line, at) => fits(printed[at] ?? '', line));
}

function headingOf(before: string): string {
  return (
    before
      .match(/^## .*$/gm)
      ?.at(-1)
      ?.slice('## '.length) ?? ''
  );
}
