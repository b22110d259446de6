/** Adds up what is measured, and leaves out what the bench does between. */
export class Stopwatch {
  #elapsedMs = 0;

  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  async time<T>(run: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    const result = await run();
    this.#elapsedMs += performance.now() - startedMs;
    return result;
  }

  timeSync<T>(run: () => T): T {
    const startedMs = performance.now();
    const result = run();
    this.#elapsedMs += performance.now() - startedMs;
    return result;
  }

  /** Thousands of `count` per second. */
  rate(count: number): number {
    return count / this.#elapsedMs;
  }
}

/**
 * Starts `count` operations in order so that `outstanding` of them are always under way; one that answers at once
 * makes room at once. Resolves when all are done, rejects with the first failure.
 */
export function keepOutstanding(
  count: number,
  outstanding: number,
  start: (index: number) => unknown,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let started = 0;
    let done = 0;
    const onDone = (): void => {
      done += 1;
      fill();
    };
    const fill = (): void => {
      try {
        while (started < count) {
          const answer = start(started++);
          if (isThenable(answer)) return void answer.then(onDone, reject);
          done += 1;
        }
        if (done === count) resolve();
      } catch (error) {
        reject(error);
      }
    };
    for (let lane = 0; lane < Math.max(1, Math.min(outstanding, count)); lane++) fill();
  });
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as PromiseLike<unknown> | undefined)?.then === 'function';
}
