import { createInterface, type Interface } from 'node:readline';
import { deferred } from '../deferred.ts';
import { ExitCode } from '../errors.ts';
import type { Streams } from '../output.ts';
import type { StopSignal } from '../stop-signal.ts';

export interface PromptOptions {
  readonly streams: Streams;
  /** Runs one line. `quit` ends the prompt. Never rejects. */
  readonly run: (line: string) => Promise<ExitCode | 'quit'>;
  readonly complete: (line: string) => Promise<[string[], string]>;
}

const CLEAR_LINE = { ctrl: true, name: 'u' };

/** Lines from a person at a terminal, one command after the other. */
export class Prompt {
  readonly #options: PromptOptions;
  readonly #readline: Interface;
  readonly #lines: string[] = [];
  readonly #ended = deferred();
  #busy = false;
  #stop: (() => void) | undefined;

  constructor(options: PromptOptions) {
    const { stdin, stdout } = options.streams;
    this.#options = options;
    this.#readline = createInterface({
      input: stdin,
      output: stdout,
      terminal: true,
      prompt: 'dss> ',
      completer: (line: string, done: (error: null, found: [string[], string]) => void) => {
        const nothing: [string[], string] = [[], line];
        options.complete(line).then(
          (found) => done(null, found),
          () => done(null, nothing),
        );
      },
    });
  }

  /** Resolves when the person leaves, with `quit` or Ctrl-D. */
  async untilClosed(): Promise<ExitCode> {
    this.#readline.on('line', (line) => this.#onLine(line));
    this.#readline.on('SIGINT', () => this.#onInterrupt());
    this.#readline.once('close', () => {
      this.#stop?.();
      if (!this.#busy) this.#ended.resolve();
    });
    this.#readline.prompt();
    await this.#ended.promise;
    this.#readline.close();
    return ExitCode.ok;
  }

  /** For a command that goes on until it is stopped: by Enter or Ctrl-C, which both do not end the prompt. */
  listenForStop(): StopSignal {
    const { promise, resolve } = deferred();
    this.#stop = resolve;
    return {
      requested: promise,
      release: () => {
        this.#stop = undefined;
      },
    };
  }

  #onLine(line: string): void {
    if (this.#stop) return this.#stop();
    this.#lines.push(line);
    if (!this.#busy) void this.#runAll();
  }

  #onInterrupt(): void {
    if (this.#stop) return this.#stop();
    if (this.#busy) return;
    this.#readline.write(null, CLEAR_LINE);
    this.#readline.prompt();
  }

  async #runAll(): Promise<void> {
    this.#busy = true;
    for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
      if ((await this.#options.run(line)) === 'quit') return this.#ended.resolve();
    }
    this.#busy = false;
    if ((this.#readline as { closed?: boolean }).closed) this.#ended.resolve();
    else this.#readline.prompt();
  }
}

/** Lines from a file or another program: no prompt, and the exit code of the last line that failed. */
export async function runLines(
  input: NodeJS.ReadableStream,
  run: PromptOptions['run'],
): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.ok;
  for await (const line of createInterface({ input, terminal: false })) {
    const outcome = await run(line);
    if (outcome === 'quit') break;
    if (outcome !== ExitCode.ok) exitCode = outcome;
  }
  return exitCode;
}
