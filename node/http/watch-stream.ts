import type { RequestContext } from '../../broker/context.ts';
import type { WatchedValue } from '../../broker/data-plane.ts';
import { Signal } from '../../broker/signal.ts';
import { describeWatched } from '../../broker/value-json.ts';

/** What takes the events: a response, or a test. */
export interface EventSink {
  /** Returns false when no more should be written until `WatchStream.drained`. */
  write(text: string): boolean;
  /** Too much waits for a client that does not read: the connection is to end. */
  overflowed(): void;
  /** Names how far everything has been written; undefined: that cannot be said. */
  position(): string | undefined;
}

/** Written at once when so much has been gathered in a turn. */
const GATHERED_CHARACTERS_MAX = 64 * 1024;
/** What a value that waits costs beside its bytes, roughly. */
const ENTRY_BYTES = 128;
/** So often the client is told from where it can go on. */
const POSITION_PERIOD_MS = 1_000;
const KEEPALIVE_PERIOD_MS = 15_000;
/** The end of the snapshot, among the values that wait; no key is empty. */
const SNAPSHOT_END = '';

/**
 * A watch as server-sent events. They are written at the end of the turn while the client keeps up. When it does not,
 * values wait here, of each key only the newest: what a client holds up is bounded by its keys.
 *
 * Invariant: of a key nothing older than what was written last is written, and a position only when everything before
 * it has been.
 */
export class WatchStream {
  readonly #context: Pick<RequestContext, 'env' | 'limits' | 'counters'>;
  readonly #sink: EventSink;
  #gathered: string[] = [];
  #gatheredCharacters = 0;
  #flushScheduled = false;
  /** The client does not keep up. */
  #isFull = false;
  #closed = false;
  /** In the order of first arrival. */
  readonly #waiting = new Map<string, WatchedValue | undefined>();
  #waitingBytes = 0;
  #room: Signal | undefined;
  #snapshotWritten = false;
  /** Something was written after the last position. */
  #hasMoved = false;
  #positionAtMs = Number.NEGATIVE_INFINITY;
  #cancelPosition: (() => void) | undefined;
  #cancelKeepalive: (() => void) | undefined;

  constructor(context: Pick<RequestContext, 'env' | 'limits' | 'counters'>, sink: EventSink) {
    this.#context = context;
    this.#sink = sink;
    this.#keepAlive();
  }

  /** The first thing to be said: everything comes anew, and what is not in it is not there any more. */
  beginSnapshot(): void {
    this.#gather('event: snapshot-begin\ndata: {}\n\n');
  }

  /** A promise: please hold the snapshot until it resolves. */
  value(item: WatchedValue): Promise<void> | undefined {
    if (this.#closed) return undefined;
    if (this.#isFull) this.#enqueue(item);
    else this.#gatherValue(item);
    if (!item.snapshot || !this.#isFull) return undefined;
    this.#room ??= new Signal();
    return this.#room.happened;
  }

  snapshotDone(): void {
    if (this.#closed) return;
    if (this.#isFull) this.#waiting.set(SNAPSHOT_END, undefined);
    else this.#gatherSnapshotEnd();
  }

  /** The client has read. */
  drained(): void {
    if (this.#closed || !this.#isFull) return;
    this.#isFull = false;
    for (const [key, item] of this.#waiting) {
      this.#waiting.delete(key);
      if (item === undefined) this.#gatherSnapshotEnd();
      else {
        this.#waitingBytes -= bytesOf(item);
        this.#gatherValue(item);
      }
      if (this.#isFull) return;
    }
    this.#room?.give();
    this.#room = undefined;
  }

  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    this.#gathered = [];
    this.#cancelPosition?.();
    this.#cancelKeepalive?.();
    this.#room?.give();
    this.#room = undefined;
  }

  #enqueue(item: WatchedValue): void {
    const { counters, limits } = this.#context;
    const { key } = item;
    const name = Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
    const earlier = this.#waiting.get(name);
    if (earlier !== undefined) {
      counters.deliveriesConflated += 1;
      this.#waitingBytes -= bytesOf(earlier);
    }
    this.#waiting.set(name, item);
    this.#waitingBytes += bytesOf(item);
    if (this.#waitingBytes <= limits.outboxBytesMax) return;
    counters.slowSubscribers += 1;
    this.close();
    this.#sink.overflowed();
  }

  #gatherValue(item: WatchedValue): void {
    this.#context.counters.deliveries += 1;
    this.#hasMoved = true;
    this.#gather(`event: value\ndata: ${JSON.stringify(describeWatched(item))}\n\n`);
  }

  #gatherSnapshotEnd(): void {
    this.#snapshotWritten = true;
    this.#hasMoved = true;
    this.#gather('event: snapshot-complete\ndata: {}\n\n');
  }

  #gather(text: string): void {
    this.#gathered.push(text);
    this.#gatheredCharacters += text.length;
    if (this.#gatheredCharacters > GATHERED_CHARACTERS_MAX) this.#flush();
    else this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.#context.env.yield(() => {
      this.#flushScheduled = false;
      if (this.#closed) return;
      this.#notePosition();
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#gathered.length === 0) return;
    const text = this.#gathered.join('');
    this.#gathered = [];
    this.#gatheredCharacters = 0;
    if (!this.#sink.write(text)) this.#isFull = true;
  }

  /** Not in the middle of a turn: all shards have said then how far they are. */
  #notePosition(): void {
    if (!this.#hasMoved || !this.#snapshotWritten || this.#waiting.size > 0) return;
    const { clock, timers } = this.#context.env;
    const leftMs = this.#positionAtMs + POSITION_PERIOD_MS - clock.monotonicMs();
    if (leftMs > 0) {
      this.#cancelPosition ??= timers.after(leftMs, () => {
        this.#cancelPosition = undefined;
        this.#flushSoon();
      });
      return;
    }
    const position = this.#sink.position();
    if (position === undefined) return;
    this.#hasMoved = false;
    this.#positionAtMs = clock.monotonicMs();
    // Without data it is no event to the client, who remembers it all the same.
    this.#gathered.push(`id: ${position}\n\n`);
  }

  #keepAlive(): void {
    this.#cancelKeepalive = this.#context.env.timers.after(KEEPALIVE_PERIOD_MS, () => {
      // One that does not read has enough to read.
      if (!this.#isFull) this.#gather(': still here\n\n');
      this.#keepAlive();
    });
  }
}

function bytesOf({ key, value }: WatchedValue): number {
  return key.length + value.length + ENTRY_BYTES;
}
