import { styleText } from 'node:util';
import { CliError, ExitCode } from './errors.ts';

/** Where a command reads and writes; tests hand in their own. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

type Style = Parameters<typeof styleText>[0];

/**
 * What a command says. Results go to stdout, everything else to stderr, so that `dss get key > file` is
 * clean. With `json`, results and errors are one JSON object per line.
 */
export class Output {
  readonly json: boolean;
  readonly #streams: Streams;

  constructor(streams: Streams, json: boolean) {
    this.#streams = streams;
    this.json = json;
  }

  line(text = ''): void {
    this.#streams.stdout.write(`${text}\n`);
  }

  bytes(data: Uint8Array): void {
    this.#streams.stdout.write(data);
  }

  object(value: unknown): void {
    this.line(JSON.stringify(value));
  }

  /** The result of a command: the object with `--json`, otherwise the text. */
  result(value: unknown, text: () => string): void {
    if (this.json) this.object(value);
    else this.line(text());
  }

  /** The result of a command whose stdout holds something else: the object with `--json`, else the text. */
  aside(value: unknown, text: () => string): void {
    this.#streams.stderr.write(`${this.json ? JSON.stringify(value) : text()}\n`);
  }

  note(text: string): void {
    if (!this.json) this.#streams.stderr.write(`${text}\n`);
  }

  /** A line that is written over by the next one; only where somebody is looking. */
  progress(text: string): void {
    if (this.json) return;
    if (this.#streams.stderr.isTTY) this.#streams.stderr.write(`\r\u001b[K${text}`);
  }

  progressEnd(): void {
    if (!this.json && this.#streams.stderr.isTTY) this.#streams.stderr.write('\r\u001b[K');
  }

  /** Colour only for a person at a terminal who did not ask for none (https://no-color.org). */
  style(style: Style, text: string): string {
    const plain = this.json || !this.#streams.stdout.isTTY || (process.env.NO_COLOR ?? '') !== '';
    // By itself it would judge by the stream of the process, which need not be ours.
    return plain ? text : styleText(style, text, { validateStream: false });
  }

  /** Writes the error's sentence and returns the exit code that belongs to it. */
  error(error: unknown): ExitCode {
    const { code, message, exitCode, details } = describe(error);
    const sentence = this.json
      ? JSON.stringify({ ok: false, error: code, message, ...details })
      : `dss: ${message}`;
    this.#streams.stderr.write(`${sentence}\n`);
    if (process.env.DSS_DEBUG === '1' && error instanceof Error) {
      this.#streams.stderr.write(`${error.stack}\n`);
    }
    return exitCode;
  }
}

function describe(
  error: unknown,
): Pick<CliError, 'code' | 'message' | 'exitCode'> & { readonly details?: object } {
  if (error instanceof CliError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown } | undefined)?.code;
  return {
    code: typeof code === 'string' ? code : 'FAILURE',
    message: message === '' ? `it failed (${String(code)})` : message,
    exitCode: code === 'NODE_REMOVED' ? ExitCode.removed : ExitCode.failure,
  };
}
