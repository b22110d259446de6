import { EventStreamParser, type StreamEvent } from '../model/event-stream.ts';
import { queryText, refusalOf } from './ask.ts';

export type WatchState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** It is tried again. */
  | { readonly kind: 'broken'; readonly sinceMs: number }
  /** It is not. */
  | { readonly kind: 'refused'; readonly detail: string };

interface WatchListener {
  readonly onEvent: (event: StreamEvent) => void;
  readonly onState: (state: WatchState) => void;
}

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 5_000;
/** The node sends a comment every 15 s. */
const SILENCE_MAX_MS = 40_000;

/**
 * Follows `/v1/watch` until the signal, over reconnects. Not by EventSource, which cannot tell why it was refused
 * and takes a connection that is dead for one on which nothing happens.
 */
export async function watch(
  filter: string,
  { onEvent, onState }: WatchListener,
  signal: AbortSignal,
): Promise<void> {
  let brokenSinceMs: number | undefined;
  let retryMs = RETRY_FIRST_MS;
  const position = { lastId: '' };
  onState({ kind: 'connecting' });
  while (!signal.aborted) {
    const refused = await connectOnce(filter, position, {
      signal,
      onEvent,
      onOpen: () => {
        brokenSinceMs = undefined;
        retryMs = RETRY_FIRST_MS;
        onState({ kind: 'live' });
      },
    });
    if (signal.aborted) return;
    if (refused !== undefined) return onState({ kind: 'refused', detail: refused });
    brokenSinceMs ??= Date.now();
    onState({ kind: 'broken', sinceMs: brokenSinceMs });
    await pause(retryMs, signal);
    retryMs = Math.min(RETRY_MAX_MS, retryMs * 2);
  }
}

interface OneConnection {
  readonly signal: AbortSignal;
  readonly onEvent: (event: StreamEvent) => void;
  readonly onOpen: () => void;
}

/** Until it breaks off. Gives the node's sentence if it will never do. */
async function connectOnce(
  filter: string,
  position: { lastId: string },
  { signal, onEvent, onOpen }: OneConnection,
): Promise<string | undefined> {
  const silence = new AbortController();
  const watchdog = new Watchdog(() => silence.abort());
  try {
    const { lastId } = position;
    const response = await fetch(`v1/watch${queryText({ filter })}`, {
      headers: lastId === '' ? {} : { 'last-event-id': lastId },
      signal: AbortSignal.any([signal, silence.signal]),
      cache: 'no-store',
    });
    if (!response.ok) {
      const { status, detail } = await refusalOf(response);
      return status >= 400 && status < 500 && status !== 429 ? detail : undefined;
    }
    onOpen();
    const parser = new EventStreamParser(lastId);
    const decoded = response.body?.pipeThrough(new TextDecoderStream());
    const reader = decoded?.getReader();
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done || value === undefined) return undefined;
      watchdog.reset();
      for (const event of parser.push(value)) onEvent(event);
      position.lastId = parser.lastId;
    }
  } catch {
    // Broken off: that is said by whoever called.
    return undefined;
  } finally {
    watchdog.stop();
  }
}

/** Barks when nothing was heard for too long. */
class Watchdog {
  readonly #bark: () => void;
  #timer: ReturnType<typeof setTimeout>;

  constructor(bark: () => void) {
    this.#bark = bark;
    this.#timer = setTimeout(bark, SILENCE_MAX_MS);
  }

  reset(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#bark, SILENCE_MAX_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}
