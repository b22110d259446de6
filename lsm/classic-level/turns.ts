/** Tasks one after the other, in the order they came. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** What the task comes to. A task that fails does not keep the next from its turn. */
  take<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task, task);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Resolves when all that have come so far have had their turn. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
