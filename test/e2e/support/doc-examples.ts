const EXPECTED = '# → ';

export interface Example {
  /** The line of the document where it begins. */
  readonly line: number;
  readonly script: string;
  readonly expected: readonly string[];
}

/** The `sh` blocks whose first line is `# example`, in their order. */
export function examplesOf(markdown: string): Example[] {
  return [...markdown.matchAll(/^```sh\n# example\n([\s\S]*?)^```$/gm)].map((match) => {
    const script = match[1] ?? '';
    const lines = script.split('\n').filter((line) => line.startsWith(EXPECTED));
    return {
      line: markdown.slice(0, match.index).split('\n').length,
      script,
      expected: lines.map((line) => line.slice(EXPECTED.length)),
    };
  });
}

/** `…` stands for anything. */
export function fits(printed: string, expected: string): boolean {
  const literals = expected.split('…').map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literals.join('.*')}$`).test(printed);
}

/** What was printed, with the expected line in the place of each one that fits it. */
export function compared(printed: readonly string[], expected: readonly string[]): string[] {
  return printed.map((line, i) => (fits(line, expected[i] ?? '') ? (expected[i] ?? '') : line));
}
