import type { Change } from './change.ts';
import type { DssError } from './errors.ts';
import type { FilterSink, Link } from './link.ts';
import { checkFilter, filterMatches } from './names.ts';
import type { WatchedValue } from './node-connection.ts';
import { itemOf } from './values.ts';

interface Seen {
  version: number;
  /** The last subscription that has brought it. */
  round: number;
}

/** No key has it. */
const MARKER = '\0';

/**
 * The values of a filter as an iterator: the current ones, then changes. Of a key nothing older follows something newer,
 * over all connections, and the newest always comes; a reader that does not keep up misses values in between.
 */
export class Watch implements FilterSink, AsyncIterableIterator<Change> {
  readonly #link: Link;
  readonly #filter: string;
  readonly #signal: AbortSignal | undefined;
  /** By key, in the order of first arrival: of each only the newest. */
  readonly #waiting = new Map<string, Change>();
  #waitingBytes = 0;
  /** Beyond, what comes is dropped, and asked for again when the reader has taken the rest. */
  readonly #bytesMax: number;
  /** What the reader was told, or will be. */
  readonly #seen = new Map<string, Seen>();
  /** Subscriptions so far; 0: none yet. */
  #round = 0;
  #isOverfull = false;
  /** Nothing of the subscription under way was dropped. */
  #isWhole = false;
  /** The reader was told that it has everything, and nothing was missed since. */
  #isComplete = false;
  #isStarted = false;
  #isOver = false;
  #failure: DssError | undefined;
  #wake: (() => void) | undefined;
  readonly #abort = () => this.#finish();

  constructor(
    link: Link,
    filter: string,
    options: { readonly bytesMax: number; readonly signal?: AbortSignal | undefined },
  ) {
    checkFilter(filter);
    this.#link = link;
    this.#filter = filter;
    this.#signal = options.signal;
    this.#bytesMax = options.bytesMax;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Change, undefined>> {
    this.#start();
    for (;;) {
      if (this.#isOver) return { done: true, value: undefined };
      for (const [name, change] of this.#waiting) {
        this.#waiting.delete(name);
        this.#waitingBytes -= bytesOf(change);
        return { done: false, value: change };
      }
      if (this.#failure !== undefined) {
        this.#finish();
        throw this.#failure;
      }
      if (this.#isOverfull) {
        this.#isOverfull = false;
        this.lost();
        this.#link.subscribeAgain(this.#filter);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<Change, undefined>> {
    this.#finish();
    return { done: true, value: undefined };
  }

  began(): void {
    this.#round += 1;
    this.#isWhole = true;
  }

  value(wire: WatchedValue): void {
    const { key, version } = wire;
    if (this.#isOverfull || !filterMatches(this.#filter, key)) return;
    const seen = this.#seen.get(key);
    if (wire.deleted === true) {
      if (seen === undefined || version <= seen.version) return;
      this.#seen.delete(key);
      this.#tell({ type: 'deleted', key, version, time: wire.time });
    } else if (seen === undefined || version > seen.version) {
      this.#seen.set(key, { version, round: this.#round });
      this.#tell({ type: 'value', key, item: itemOf(key, wire), snapshot: wire.snapshot });
    } else {
      seen.round = this.#round;
    }
  }

  complete(): void {
    if (this.#isOverfull || !this.#isWhole) return;
    // What was there on an earlier connection and did not come again has been deleted meanwhile.
    for (const [key, { round }] of this.#seen) {
      if (round === this.#round) continue;
      this.#seen.delete(key);
      this.#tell({ type: 'deleted', key, version: undefined, time: undefined });
    }
    if (!this.#isComplete) this.#tell({ type: 'snapshot-complete' });
    this.#isComplete = true;
  }

  failed(error: DssError): void {
    this.#failure = error;
    this.#wake?.();
  }

  lost(): void {
    this.#isWhole = false;
    this.#isComplete = false;
  }

  ended(): void {
    this.#finish();
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (this.#signal?.aborted) return this.#finish();
    this.#signal?.addEventListener('abort', this.#abort, { once: true });
    this.#link.subscribe(this.#filter, this);
  }

  #finish(): void {
    this.#isOver = true;
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#link.unsubscribe(this.#filter, this);
    this.#waiting.clear();
    this.#seen.clear();
    this.#wake?.();
  }

  #tell(change: Change): void {
    const name = change.type === 'snapshot-complete' ? MARKER : change.key;
    const earlier = this.#waiting.get(name);
    if (earlier !== undefined) this.#waitingBytes -= bytesOf(earlier);
    // The marker comes last, a value keeps the place of the one that it replaces.
    if (name === MARKER) this.#waiting.delete(name);
    this.#waiting.set(name, change);
    this.#waitingBytes += bytesOf(change);
    if (this.#waitingBytes > this.#bytesMax) this.#isOverfull = true;
    this.#wake?.();
  }
}

function bytesOf(change: Change): number {
  const overhead = 256;
  if (change.type !== 'value') return overhead;
  return overhead + change.key.length + change.item.value.length;
}
