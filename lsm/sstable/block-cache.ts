/**
 * Blocks of all tables that are read again and again, bounded in bytes. A block is kept when it is asked for the
 * second time within a while: what passes through once, a scan or keys picked at random, would only cost the work of
 * keeping it and push out what is needed (the doorkeeper of Einziger et al., *TinyLFU*, 2017).
 *
 * They are copied into large pieces of memory, one behind the other: a piece of its own for each block would cost
 * more to get and to collect than the block to read. The oldest piece goes as a whole when room is needed; what was
 * used in it since it was written, up to half of it, is copied to the newest one first (a clock with a second
 * chance, over a log).
 */
export class BlockCache {
  readonly #bytesMax: number;
  readonly #pieceBytes: number;
  readonly #counts: Counts = { hits: 0, misses: 0, filterChecks: 0, filterSkips: 0 };
  /** What was asked for and not there lately, by a hash: one place each, taken by the last. */
  readonly #lately = new Int32Array(LATELY_PLACES);
  readonly #admit = (table: CachedTable, place: number, bytes: Uint8Array, make: Make) =>
    this.#isWanted(table, place) ? this.#write(table.entries, place, bytes, make) : undefined;
  #tableCount = 0;
  /** Oldest first; the last one is being filled. */
  #pieces: Piece[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#pieceBytes = Math.min(PIECE_BYTES_MAX, Math.floor(bytesMax / 16));
  }

  /** What its pieces take, with the room in the last one. */
  get usedBytes(): number {
    return this.#bytes;
  }

  statistics() {
    const { hits, misses, filterChecks, filterSkips } = this.#counts;
    return {
      blockCacheBytes: this.usedBytes,
      blockCacheHits: hits,
      blockCacheMisses: misses,
      filterChecks,
      filterSkips,
    };
  }

  /** The part of one table. */
  openTable(): CachedTable {
    return new CachedTable(++this.#tableCount, this.#counts, this.#admit);
  }

  /** Always while there is room. */
  #isWanted(table: CachedTable, place: number): boolean {
    if (this.#bytes + this.#pieceBytes <= this.#bytesMax) return true;
    const hash = (Math.imul(table.id, 0x9e3779b1) ^ Math.imul(place, 0x85ebca6b)) | 0;
    const slot = (hash ^ (hash >>> 15)) & (LATELY_PLACES - 1);
    if (this.#lately[slot] === hash) return true;
    this.#lately[slot] = hash;
    return false;
  }

  /** `undefined` when there is no room for it at all. */
  #write(
    home: Map<number, Entry>,
    place: number,
    bytes: Uint8Array,
    make: Make,
  ): Cacheable | undefined {
    if (bytes.length > this.#bytesMax) return undefined;
    const piece = this.#pieceWithRoomFor(bytes.length);
    const item = make(piece.append(bytes));
    const entry = new Entry(home, place, item);
    piece.entries.push(entry);
    home.set(place, entry);
    return item;
  }

  #pieceWithRoomFor(length: number): Piece {
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.room >= length) return last;
    const size = Math.max(length, this.#pieceBytes);
    while (this.#bytes + size > this.#bytesMax) this.#evictOldest();
    // What was spared may have begun a piece.
    const begun = this.#pieces.at(-1);
    if (begun !== undefined && begun.room >= length) return begun;
    const piece = new Piece(size);
    this.#bytes += size;
    this.#pieces.push(piece);
    return piece;
  }

  #evictOldest(): void {
    const piece = this.#pieces.shift() as Piece;
    this.#bytes -= piece.size;
    const live = piece.entries.filter((entry) => entry.home.get(entry.place) === entry);
    const [only] = live;
    if (live.length === 1 && only?.used === true && piece.size > this.#pieceBytes) {
      this.#keep(piece, only);
      return;
    }
    for (const { home, place } of live) home.delete(place);
    let spared = 0;
    for (const { home, place, item, used } of live) {
      const { length } = item.bytes;
      if (!used || spared + length > piece.size / 2) continue;
      spared += length;
      this.#write(home, place, item.bytes, (bytes) => item.movedTo(bytes));
    }
  }

  /** A large block has a piece for itself, which need not be copied. */
  #keep(piece: Piece, entry: Entry): void {
    entry.used = false;
    this.#bytes += piece.size;
    this.#pieces.push(piece);
  }
}

/** Offsets are its keys, so that a lookup makes no compound key. */
export class CachedTable {
  readonly id: number;
  readonly entries = new Map<number, Entry>();
  readonly #counts: Counts;
  readonly #admit: BlockCacheAdmit;
  #isClosed = false;

  constructor(id: number, counts: Counts, admit: BlockCacheAdmit) {
    this.id = id;
    this.#counts = counts;
    this.#admit = admit;
  }

  get(place: number): Cacheable | undefined {
    const entry = this.entries.get(place);
    if (entry === undefined) {
      this.#counts.misses++;
      return undefined;
    }
    this.#counts.hits++;
    entry.used = true;
    return entry.item;
  }

  /** A filter was asked for a key. */
  filtered(mayContain: boolean): void {
    this.#counts.filterChecks++;
    if (!mayContain) this.#counts.filterSkips++;
  }

  /**
   * Makes an item of some bytes and keeps it if it is wanted: a read that ends after `close` adds nothing. Of memory that
   * is used again by others it takes a copy in any case.
   */
  add(place: number, bytes: Uint8Array, isReused: boolean, make: Make): Cacheable {
    const isWanted = !this.#isClosed && !this.entries.has(place);
    const kept = isWanted ? this.#admit(this, place, bytes, make) : undefined;
    return kept ?? make(isReused ? bytes.slice() : bytes);
  }

  /** Its memory is free when the pieces it is in go. */
  close(): void {
    this.#isClosed = true;
    this.entries.clear();
  }
}

/** A block, or a filter. */
export interface Cacheable {
  readonly bytes: Uint8Array;
  /** The same over a copy of its bytes. */
  movedTo(bytes: Uint8Array): Cacheable;
}

type Make = (bytes: Uint8Array) => Cacheable;
type BlockCacheAdmit = (
  table: CachedTable,
  place: number,
  bytes: Uint8Array,
  make: Make,
) => Cacheable | undefined;

interface Counts {
  hits: number;
  misses: number;
  filterChecks: number;
  filterSkips: number;
}

class Piece {
  readonly size: number;
  readonly entries: Entry[] = [];
  readonly #bytes: Uint8Array;
  #used = 0;

  constructor(size: number) {
    this.size = size;
    // Not zeroed, as all of it is written before it is read; and no Buffer, whose reads would be slower.
    this.#bytes = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
  }

  get room(): number {
    return this.size - this.#used;
  }

  /** Returns the copy. */
  append(bytes: Uint8Array): Uint8Array {
    const start = this.#used;
    this.#bytes.set(bytes, start);
    this.#used += bytes.length;
    return this.#bytes.subarray(start, this.#used);
  }
}

class Entry {
  readonly home: Map<number, Entry>;
  readonly place: number;
  readonly item: Cacheable;
  /** Since it was written to its piece. */
  used = false;

  constructor(home: Map<number, Entry>, place: number, item: Cacheable) {
    this.home = home;
    this.place = place;
    this.item = item;
  }
}

const PIECE_BYTES_MAX = 256 * 1024;
const LATELY_PLACES = 8192;
