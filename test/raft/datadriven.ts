import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/**
 * Transcripts as tests, after CockroachDB's `datadriven`. A file is a sequence of
 *
 *     # a comment
 *     command argument option=value list=(1,2)
 *     lines of input, if the command takes any
 *     ----
 *     what it answers, up to an empty line
 *
 * `UPDATE=1 npx vitest run <test>` rewrites what is expected; the change is then read as a diff.
 */

export class Command {
  readonly name: string;
  /** What has no `=`. */
  readonly positional: readonly string[];
  readonly input: string;
  readonly #options: ReadonlyMap<string, string>;
  readonly #unread: Set<string>;

  constructor(line: string, input: string) {
    const [name = '', ...words] = line.match(/[^\s(]*\([^)]*\)|\S+/g) ?? [];
    this.name = name;
    this.positional = words.filter((word) => !word.includes('='));
    this.input = input;
    const pairs = words.filter((word) => word.includes('='));
    this.#options = new Map(pairs.map((pair) => splitOnce(pair, '=')));
    this.#unread = new Set(this.#options.keys());
  }

  option(name: string): string | undefined {
    this.#unread.delete(name);
    return this.#options.get(name);
  }

  /** `name=7`; the default is for a command without it. */
  number(name: string, byDefault: number): number {
    const text = this.option(name);
    return text === undefined ? byDefault : toNumber(text);
  }

  /** `name=(1,2)` or `name=1`; undefined for a command without it. */
  numbers(name: string): number[] | undefined {
    const text = this.option(name)?.replace(/^\(|\)$/g, '');
    if (text === undefined) return undefined;
    return text.split(',').filter(Boolean).map(toNumber);
  }

  /** The positional argument at `position`, as a number. */
  argument(position: number): number {
    return toNumber(this.positional[position] ?? '');
  }

  get unknownOptions(): readonly string[] {
    return [...this.#unread];
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}

function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new Error(`not a number: '${text}'`);
  return value;
}

interface Step {
  /** Comments and empty lines before the command, as they stand. */
  readonly preamble: string;
  readonly command: string;
  readonly input: string;
  readonly expected: string;
  /** Of the command. */
  readonly lineNumber: number;
}

/** One vitest test for each `*.txt` of a folder; `begin` makes a fresh interpreter of commands. */
export function testTranscripts(folder: string, begin: () => (command: Command) => string): void {
  for (const name of readdirSync(folder).sort()) {
    if (name.endsWith('.txt')) it(name, () => runTranscript(join(folder, name), begin()));
  }
}

function runTranscript(path: string, handle: (command: Command) => string): void {
  const text = readFileSync(path, 'utf8');
  const { steps, epilogue } = parseTranscript(text);
  const answers = steps.map((step) => answerOf(step, handle));
  const actual = render(steps, answers) + epilogue;
  if (process.env.UPDATE === '1') {
    if (actual !== text) writeFileSync(path, actual);
    return;
  }
  steps.forEach((step, i) => {
    expect(answers[i], `${path}:${step.lineNumber}: ${step.command}`).toBe(step.expected);
  });
}

function answerOf(step: Step, handle: (command: Command) => string): string {
  const where = `line ${step.lineNumber}: ${step.command}`;
  try {
    const command = new Command(step.command, step.input);
    const answer = handle(command).trimEnd();
    if (command.unknownOptions.length > 0) throw new Error(`unknown: ${command.unknownOptions}`);
    // An empty line would end the expectation too early.
    if (/\n\s*\n/.test(answer)) throw new Error('an answer has no empty line');
    return answer === '' ? 'ok' : answer;
  } catch (error) {
    throw new Error(`${where}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

function parseTranscript(text: string): { steps: Step[]; epilogue: string } {
  const lines = text.split('\n');
  const steps: Step[] = [];
  let preamble = '';
  let at = 0;
  const takeUntil = (isEnd: (line: string) => boolean) => {
    const taken: string[] = [];
    while (at < lines.length && !isEnd(lines[at] ?? '')) taken.push(lines[at++] ?? '');
    return taken;
  };
  while (at < lines.length) {
    const line = lines[at] ?? '';
    if (line.trim() === '' || line.startsWith('#')) {
      preamble += at === lines.length - 1 ? line : `${line}\n`;
      at += 1;
      continue;
    }
    const lineNumber = at + 1;
    at += 1;
    const input = takeUntil((each) => each === '----').join('\n');
    if (at === lines.length) throw new Error(`line ${lineNumber}: no ---- after '${line}'`);
    at += 1;
    const expected = takeUntil((each) => each.trim() === '').join('\n');
    steps.push({ preamble, command: line, input, expected, lineNumber });
    preamble = '';
  }
  return { steps, epilogue: preamble.trim() === '' ? '' : preamble };
}

function render(steps: readonly Step[], answers: readonly string[]): string {
  const rendered = steps.map(({ preamble, command, input }, i) => {
    const inputLines = input === '' ? '' : `${input}\n`;
    return `${preamble}${command}\n${inputLines}----\n${answers[i]}\n`;
  });
  return rendered.join('');
}
