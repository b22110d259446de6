/** A number for each index of a growing log, kept as runs because neighbours mostly agree. */
export class Runs {
  #firstIndexes: number[] = [];
  #values: number[] = [];

  /** The value at `index`, which must not lie before the first run. */
  at(index: number): number {
    let low = 0;
    let high = this.#firstIndexes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#firstIndexes[middle] as number) <= index) low = middle;
      else high = middle - 1;
    }
    return this.#values[low] as number;
  }

  append(index: number, value: number): void {
    if (this.#values.at(-1) === value) return;
    this.#firstIndexes.push(index);
    this.#values.push(value);
  }

  truncateAfter(index: number): void {
    while ((this.#firstIndexes.at(-1) ?? 0) > index) {
      this.#firstIndexes.pop();
      this.#values.pop();
    }
  }

  dropThrough(index: number): void {
    let dropped = 0;
    while ((this.#firstIndexes[dropped + 1] ?? Number.POSITIVE_INFINITY) <= index + 1) dropped++;
    this.#firstIndexes.splice(0, dropped);
    this.#values.splice(0, dropped);
    if (this.#firstIndexes.length > 0 && (this.#firstIndexes[0] as number) <= index) {
      this.#firstIndexes[0] = index + 1;
    }
  }

  clear(): void {
    this.#firstIndexes = [];
    this.#values = [];
  }

  /** The runs, oldest first. */
  list(): { readonly firstIndex: number; readonly value: number }[] {
    return this.#firstIndexes.map((firstIndex, at) => ({
      firstIndex,
      value: this.#values[at] as number,
    }));
  }
}
