/**
 * Blocks of all tables that were read lately, bounded in bytes. The least recently used one goes first; a
 * `Set` keeps the order, as it iterates in the order of insertion.
 */
export class BlockCache {
  readonly #bytesMax: number;
  readonly #order = new Set<Entry>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get usedBytes(): number {
    return this.#bytes;
  }

  /** The part of one table. Offsets are its keys, so that a lookup makes no compound key. */
  openTable(): CachedTable {
    const entries = new Map<number, Entry>();
    let closed = false;
    return {
      get: (offset) => {
        const entry = entries.get(offset);
        if (entry === undefined) return undefined;
        this.#order.delete(entry);
        this.#order.add(entry);
        return entry.item;
      },
      add: (offset, item) => {
        if (closed || entries.has(offset) || item.bytes.length > this.#bytesMax) return;
        const entry = { item, offset, home: entries };
        entries.set(offset, entry);
        this.#order.add(entry);
        this.#bytes += item.bytes.length;
        this.#evict();
      },
      close: () => {
        closed = true;
        for (const entry of entries.values()) this.#drop(entry);
        entries.clear();
      },
    };
  }

  #evict(): void {
    for (const entry of this.#order) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#drop(entry);
      entry.home.delete(entry.offset);
    }
  }

  #drop(entry: Entry): void {
    this.#order.delete(entry);
    this.#bytes -= entry.item.bytes.length;
  }
}

export interface CachedTable {
  get(offset: number): Cacheable | undefined;
  /** A read that ends after `close` adds nothing. */
  add(offset: number, item: Cacheable): void;
  close(): void;
}

/** A block, or a filter with the same field. */
export interface Cacheable {
  readonly bytes: Uint8Array;
}

interface Entry {
  readonly item: Cacheable;
  readonly offset: number;
  readonly home: Map<number, Entry>;
}
