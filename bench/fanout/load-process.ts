import { type ChildProcess, fork } from 'node:child_process';

type Answer = { readonly result: unknown } | { readonly failure: string };

/** A part of the load in a process of its own, which is asked one thing after the other. */
export class LoadProcess {
  readonly #child: ChildProcess;

  constructor(script: URL) {
    this.#child = fork(script);
  }

  ask<T>(what: string, options: unknown = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
      };
      const onMessage = (answer: Answer) => {
        settle();
        if ('failure' in answer) reject(new Error(`${what}: ${answer.failure}`));
        else resolve(answer.result as T);
      };
      const onExit = () => {
        settle();
        reject(new Error(`${what}: the process of the load ended`));
      };
      this.#child.on('message', onMessage);
      this.#child.on('exit', onExit);
      this.#child.send({ what, options });
    });
  }

  end(): void {
    this.#child.disconnect();
  }
}

/** The other end: answers what the parent asks, and ends with it. */
export function answerParent(
  // biome-ignore lint/suspicious/noExplicitAny: each handler knows what it is asked with
  handlers: Readonly<Record<string, (options: any) => Promise<unknown>>>,
): void {
  const send = (answer: Answer) => process.send?.(answer);
  process.on('message', ({ what, options }: { what: string; options: unknown }) => {
    const handler = handlers[what];
    if (handler === undefined) throw new Error(`nobody knows how to ${what}`);
    handler(options).then(
      (result) => send({ result: result ?? null }),
      (error: Error) => send({ failure: error.message }),
    );
  });
  process.once('disconnect', () => process.exit());
}
