import type { Socket } from 'node:net';

/** `held`: bytes wait. `dropped`: they are lost, and the connection with them when the lane is open again. */
export type LaneState = 'open' | 'held' | 'dropped' | { readonly delayMs: number };

interface Waiting {
  /** Nothing: the source was closed. */
  readonly chunk: Buffer | undefined;
  readonly dueMs: number;
}

/** One direction of a connection. While it is cut its end is not told either: on a dead wire there is no FIN. */
export class Lane {
  readonly #sink: Socket;
  readonly #waiting: Waiting[] = [];
  #state: LaneState = 'open';
  #isTorn = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, sink: Socket) {
    this.#sink = sink;
    source.on('data', (chunk: Buffer) => this.push(chunk));
    source.once('close', () => this.push(undefined));
    sink.once('close', () => {
      this.#waiting.length = 0;
      clearTimeout(this.#timer);
    });
  }

  set state(state: LaneState) {
    this.#state = state;
    if (this.#isTorn && state !== 'dropped') this.destroy();
    this.#deliver();
  }

  push(chunk: Buffer | undefined): void {
    if (this.#sink.destroyed) return;
    if (this.#state === 'dropped') {
      this.#isTorn = true;
      return;
    }
    const delayMs = typeof this.#state === 'object' ? this.#state.delayMs : 0;
    this.#waiting.push({ chunk, dueMs: performance.now() + delayMs });
    this.#deliver();
  }

  destroy(): void {
    this.#sink.destroy();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    if (this.#state === 'held' || this.#state === 'dropped') return;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const inMs = next.dueMs - performance.now();
      if (inMs > 0) {
        this.#timer = setTimeout(() => this.#deliver(), inMs);
        return;
      }
      this.#waiting.shift();
      if (next.chunk === undefined) this.destroy();
      else this.#sink.write(next.chunk);
    }
  }
}
