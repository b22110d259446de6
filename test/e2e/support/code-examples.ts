import ts from 'typescript';

export interface CodeExample {
  /** File and line where it begins. */
  readonly at: string;
  readonly code: string;
  /** What stands behind `// →` in it: what is printed, line by line. */
  readonly expected: readonly string[];
}

/** The TypeScript blocks of a document, or of the `@example`s of a source. */
export function codeExamplesOf(path: string, text: string): CodeExample[] {
  return [...text.matchAll(/^( *\* |)```ts\n([\s\S]*?)^\1```$/gm)].map((match) => {
    const [, margin = '', block = ''] = match;
    const lines = block.split('\n').map((line) => line.slice(Math.min(margin.length, line.length)));
    return {
      at: `${path}:${text.slice(0, match.index).split('\n').length}`,
      code: lines.join('\n'),
      expected: lines.flatMap((line) => line.split('// → ')[1] ?? []),
    };
  });
}

/** Runs an example with these names in scope, whatever it imports. Resolves with what it has printed. */
export async function runCodeExample(
  { code }: CodeExample,
  scope: Readonly<Record<string, unknown>>,
): Promise<string[]> {
  const printed: string[] = [];
  const console = { log: (...what: unknown[]) => void printed.push(what.join(' ')) };
  const given = { ...scope, console };
  const body = code.replace(/^import .*$/gm, '');
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const source = `async function example() {\n${body}\n}`;
  const script = ts.transpileModule(source, { compilerOptions: options }).outputText;
  const run = new Function(...Object.keys(given), `${script}\nreturn example();`);
  await run(...Object.values(given));
  return printed;
}
