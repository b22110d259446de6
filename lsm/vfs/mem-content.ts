import assert from 'node:assert/strict';

/**
 * The bytes of one file in memory, with enough history to say what a power cut could leave of them.
 *
 * Only the present content is kept, plus for each change since the last sync what it overwrote: unwinding
 * these gives the durable content. Appending, which is nearly everything a log or a table does, overwrites nothing.
 */
export class CrashableContent {
  #bytes = new Uint8Array(0);
  #length = 0;
  #unsynced: Change[] = [];
  /** So many of the first unsynced changes were given up by a failed sync; no later sync saves them. */
  #givenUp = 0;

  get length(): number {
    return this.#length;
  }

  /** A copy of up to `length` bytes at `position`. */
  read(position: number, length: number): Uint8Array {
    return this.#bytes.slice(position, Math.min(this.#length, position + length));
  }

  write(position: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#unsynced.push({
      kind: 'write',
      position,
      written: bytes.length,
      overwritten: this.read(position, bytes.length),
      lengthBefore: this.#length,
      durable: false,
    });
    this.#put(position, bytes);
  }

  truncate(length: number): void {
    this.#unsynced.push({
      kind: 'truncate',
      position: length,
      written: 0,
      overwritten: this.read(length, Number.MAX_SAFE_INTEGER),
      lengthBefore: this.#length,
      durable: false,
    });
    this.#setLength(length);
  }

  sync(): void {
    if (this.#givenUp === 0) this.#unsynced = [];
    else for (const change of this.#unsynced.slice(this.#givenUp)) change.durable = true;
  }

  /**
   * A sync that failed. The kernel marks the pages clean, so the next sync reports success without having
   * written them (Rebello et al., "Can Applications Recover from fsync Failures?", ATC '20).
   */
  failSync(): void {
    this.#givenUp = this.#unsynced.length;
  }

  /** Flips bits of what is on the disk. */
  damage(offset: number, xorByte: number): void {
    assert(offset < this.#length, `damage at ${offset} lies beyond the end of the file`);
    this.#bytes[offset] = (this.#bytes[offset] as number) ^ xorByte;
  }

  /** The same file in another process after a kill: the page cache is still there, and still not synced. */
  afterKill(): CrashableContent {
    const clone = new CrashableContent();
    clone.#bytes = this.#bytes.slice(0, this.#length);
    clone.#length = this.#length;
    clone.#unsynced = this.#unsynced.map((change) => ({ ...change }));
    clone.#givenUp = this.#givenUp;
    return clone;
  }

  /** What a power cut leaves: each sector of each unsynced write is there if `keep()` says so. */
  afterPowerCut(keep: () => boolean): CrashableContent {
    const clone = this.afterKill();
    for (const redo of clone.#unwind()) redo(keep);
    return clone;
  }

  /** Goes back to the content of the last sync and returns the changes since, each to be done again. */
  #unwind(): ((keep: () => boolean) => void)[] {
    const redos: ((keep: () => boolean) => void)[] = [];
    for (const change of this.#unsynced.reverse()) {
      const bytes = this.#bytes.slice(change.position, change.position + change.written);
      redos.push((keep) => this.#redo(change, bytes, change.durable ? () => true : keep));
      this.#setLength(change.lengthBefore);
      this.#bytes.set(change.overwritten, change.position);
    }
    this.#unsynced = [];
    this.#givenUp = 0;
    return redos.reverse();
  }

  #redo(change: Change, bytes: Uint8Array, keep: () => boolean): void {
    if (change.kind === 'truncate') {
      if (keep()) this.#setLength(change.position);
      return;
    }
    const end = change.position + bytes.length;
    // The size may reach the disk without the data, which then reads as zeros.
    if (end > change.lengthBefore && keep()) this.#setLength(Math.max(this.#length, end));
    for (let at = change.position; at < end; ) {
      const sectorEnd = Math.min(end, at - (at % SECTOR_BYTES) + SECTOR_BYTES);
      if (keep()) this.#put(at, bytes.subarray(at - change.position, sectorEnd - change.position));
      at = sectorEnd;
    }
  }

  #put(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    if (end > this.#length) this.#setLength(end);
    this.#bytes.set(bytes, position);
  }

  #setLength(length: number): void {
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length, 4096));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    } else if (length > this.#length) {
      this.#bytes.fill(0, this.#length, length);
    }
    this.#length = length;
  }
}

interface Change {
  readonly kind: 'write' | 'truncate';
  readonly position: number;
  readonly written: number;
  readonly overwritten: Uint8Array;
  readonly lengthBefore: number;
  durable: boolean;
}

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;
