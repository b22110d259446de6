import type { Streams } from '../output.ts';
import { cropped } from './frame.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
/** A terminal that knows mode 2026 shows a frame when all of it is there; to others it means nothing. */
const BEGIN = '\u001b[?2026h\u001b[H';
const END = '\u001b[J\u001b[?2026l';
const REST_OF_LINE = '\u001b[K';
const CONTROL_C = '\u0003';
const HINT = 'q quits';
const COLUMNS = 80;
const ROWS = 24;

type Keyboard = NodeJS.ReadableStream & {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
};
type Display = Streams['stdout'] & { readonly columns?: number; readonly rows?: number };

export function isTerminal({ stdin, stdout }: Streams): boolean {
  return (stdin as Keyboard).isTTY === true && stdout.isTTY === true;
}

/** The whole terminal, in a screen of its own: what was there comes back in the end. */
export class Screen {
  readonly #keyboard: Keyboard;
  readonly #display: Display;
  readonly #onKey: (data: Buffer | string) => void;
  #lines: readonly string[] = [];

  constructor({ stdin, stdout }: Streams, onQuit: () => void) {
    this.#keyboard = stdin;
    this.#display = stdout;
    this.#onKey = (data) => {
      const keys = String(data);
      if (keys.includes('q') || keys.includes(CONTROL_C)) onQuit();
    };
    this.#keyboard.setRawMode?.(true);
    this.#keyboard.on('data', this.#onKey);
    this.#keyboard.resume();
    this.#display.on('resize', this.#redraw);
    this.#display.write(ENTER);
  }

  /** Over what was there, line by line, so that nothing is empty in between. */
  show(lines: readonly string[]): void {
    this.#lines = lines;
    this.#redraw();
  }

  close(): void {
    this.#display.off('resize', this.#redraw);
    this.#keyboard.off('data', this.#onKey);
    this.#keyboard.setRawMode?.(false);
    this.#keyboard.pause();
    this.#display.write(LEAVE);
  }

  readonly #redraw = (): void => {
    // A terminal that does not know its size says 0.
    const { columns: width, rows } = this.#display;
    // At the very end of a line some terminals erase the last character with the rest of the line.
    const columns = Math.max(1, (width || COLUMNS) - 1);
    const fitting = cropped(this.#lines, { columns, rows: Math.max(1, (rows || ROWS) - 1) });
    const shown = [...fitting, ...cropped([HINT], { columns, rows: 1 })];
    this.#display.write(BEGIN + shown.map((line) => line + REST_OF_LINE).join('\r\n') + END);
  };
}
