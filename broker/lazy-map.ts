/**
 * A map that costs little until something is in it. Of most connections most maps stay empty, and an empty `Map` takes
 * 200 bytes.
 */
export class LazyMap<Key, Value> {
  #map: Map<Key, Value> | undefined;

  get size(): number {
    return this.#map === undefined ? 0 : this.#map.size;
  }

  has(key: Key): boolean {
    return this.#map?.has(key) === true;
  }

  get(key: Key): Value | undefined {
    return this.#map?.get(key);
  }

  set(key: Key, value: Value): void {
    this.#map ??= new Map();
    this.#map.set(key, value);
  }

  /** Returns whether it was there. */
  delete(key: Key): boolean {
    return this.#map?.delete(key) === true;
  }

  clear(): void {
    // Whoever goes through it at the moment is done, too.
    this.#map?.clear();
    this.#map = undefined;
  }

  keys(): Iterable<Key> {
    return this.#map?.keys() ?? [];
  }

  values(): Iterable<Value> {
    return this.#map?.values() ?? [];
  }

  [Symbol.iterator](): Iterator<[Key, Value]> {
    return (this.#map ?? NOTHING)[Symbol.iterator]();
  }
}

const NOTHING = new Map<never, never>();
