/**
 * The numbered streams by which writes reach a shard (DESIGN §5 ▣, Forwarding). Per origin node the last
 * batch that counts is kept; anything but the next one is skipped. So a batch that was sent again, to the
 * same leader or to another, neither duplicates nor reorders.
 */
export interface StreamPosition {
  readonly startCounter: number;
  readonly number: number;
}

export type StreamVerdict =
  | { readonly kind: 'next' }
  /** It, or a later one, is in already. */
  | { readonly kind: 'seen' }
  /** Of an earlier start of the node than one that has written here: it does not count, and never did. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'gap'; readonly expected: number };

export class Streams {
  readonly #positions: Map<string, StreamPosition>;

  constructor(positions: Iterable<readonly [string, StreamPosition]> = []) {
    this.#positions = new Map(positions);
  }

  judge(node: string, startCounter: number, number: number): StreamVerdict {
    const position = this.#positions.get(node);
    const last =
      position === undefined || startCounter > position.startCounter ? 0 : position.number;
    if (position !== undefined && startCounter < position.startCounter) return { kind: 'ended' };
    if (number <= last) return { kind: 'seen' };
    return number === last + 1 ? { kind: 'next' } : { kind: 'gap', expected: last + 1 };
  }

  /** A node's new start begins at 1 and ends the streams of its earlier starts. */
  advance(node: string, startCounter: number, number: number): void {
    this.#positions.set(node, { startCounter, number });
  }

  get(node: string): StreamPosition | undefined {
    return this.#positions.get(node);
  }

  entries(): IterableIterator<[string, StreamPosition]> {
    return this.#positions.entries();
  }

  copy(): Streams {
    return new Streams(this.#positions);
  }
}
