import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type Answer, ask } from './ask.ts';

export interface Polled<T> {
  /** The last that came; undefined before the first. */
  readonly body: T | undefined;
  /** Why the last question brought nothing. */
  readonly problem: string | undefined;
}

/** A document of the node, asked for again and again while the component is there and the page is seen. */
export function usePolled<T>(path: string, periodMs: number): Signal<Polled<T>> {
  const polled = useSignal<Polled<T>>({ body: undefined, problem: undefined });
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      if (!document.hidden) {
        const answer = await ask<T>(path);
        if (isOver) return;
        polled.value = next(polled.value, answer);
      }
      timer = setTimeout(look, periodMs);
    };
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [path, periodMs, polled]);
  return polled;
}

function next<T>(before: Polled<T>, answer: Answer<T>): Polled<T> {
  if (answer.kind === 'ok') return { body: answer.body, problem: undefined };
  return { body: before.body, problem: answer.detail };
}
