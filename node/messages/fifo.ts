/** First in, first out, in constant time however long it is. */
export class Fifo<T> {
  #items: T[] = [];
  /** Items before this one have left. */
  #head = 0;

  push(item: T): void {
    this.#items.push(item);
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  shift(): T | undefined {
    const item = this.first;
    if (item === undefined) return undefined;
    this.#items[this.#head++] = undefined as T;
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
