import type { WatchedValue } from '../../broker/data-plane.ts';

/** What an entry costs beside its bytes, roughly. */
const ENTRY_BYTES = 128;

/** Values that wait for something, of each key the one with the highest version. */
export class NewestValues {
  readonly #byKey = new Map<string, WatchedValue>();
  #bytes = 0;

  get size(): number {
    return this.#byKey.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  put(key: string, item: WatchedValue): void {
    const earlier = this.#byKey.get(key);
    if (earlier !== undefined && earlier.version > item.version) return;
    this.delete(key);
    this.#byKey.set(key, item);
    this.#bytes += bytesOf(item);
  }

  delete(key: string): void {
    const item = this.#byKey.get(key);
    if (item === undefined) return;
    this.#byKey.delete(key);
    this.#bytes -= bytesOf(item);
  }

  clear(): void {
    this.#byKey.clear();
    this.#bytes = 0;
  }

  /** In the order in which they came; entries may be deleted meanwhile. */
  entries(): IterableIterator<[string, WatchedValue]> {
    return this.#byKey.entries();
  }
}

function bytesOf({ key, value }: WatchedValue): number {
  return key.length + value.length + ENTRY_BYTES;
}
