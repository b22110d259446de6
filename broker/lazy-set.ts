/** A set that costs little until something is in it, as `LazyMap`. */
export class LazySet<Value> {
  #set: Set<Value> | undefined;

  get size(): number {
    return this.#set === undefined ? 0 : this.#set.size;
  }

  has(value: Value): boolean {
    return this.#set?.has(value) === true;
  }

  add(value: Value): void {
    this.#set ??= new Set();
    this.#set.add(value);
  }

  /** Returns whether it was there. */
  delete(value: Value): boolean {
    return this.#set?.delete(value) === true;
  }

  clear(): void {
    this.#set?.clear();
    this.#set = undefined;
  }

  forEach(visit: (value: Value) => void): void {
    this.#set?.forEach(visit);
  }

  [Symbol.iterator](): Iterator<Value> {
    return (this.#set ?? NOTHING)[Symbol.iterator]();
  }
}

const NOTHING = new Set<never>();
