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
  listener: WatchListener,
  signal: AbortSignal,
): Promise<void> {
  let lastId = '';
  let retryMs = RETRY_FIRST_MS;
  listener.onState({ kind: 'connecting' });
  while (!signal.aborted) {
    const silence = new AbortController();
    const timer = watchdog(() => silence.abort());
    try {
      const response = await fetch(`v1/watch${queryText({ filter })}`, {
        headers: lastId === '' ? {} : { 'last-event-id': lastId },
        signal: AbortSignal.any([signal, silence.signal]),
        cache: 'no-store',
      });
      if (!response.ok) {
        const { status, detail } = await refusalOf(response);
        if (status < 500 && status !== 429) {
          listener.onState({ kind: 'refused', detail });
          return;
        }
      } else if (response.body !== null) {
        listener.onState({ kind: 'live' });
        retryMs = RETRY_FIRST_MS;
        const parser = new EventStreamParser(lastId);
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          timer.reset();
          for (const event of parser.push(value)) {
            lastId = event.id;
            listener.onEvent(event);
          }
        }
      }
    } catch {
      // Broken off, which is said below.
    } finally {
      timer.stop();
    }
    if (signal.aborted) return;
    listener.onState({ kind: 'broken', sinceMs: Date.now() });
    await pause(retryMs, signal);
    retryMs = Math.min(RETRY_MAX_MS, retryMs * 2);
  }
}

function watchdog(onSilence: () => void): { reset(): void; stop(): void } {
  let timer = setTimeout(onSilence, SILENCE_MAX_MS);
  return {
    reset: () => {
      clearTimeout(timer);
      timer = setTimeout(onSilence, SILENCE_MAX_MS);
    },
    stop: () => clearTimeout(timer),
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
