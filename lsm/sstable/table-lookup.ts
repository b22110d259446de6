import { rangeStartsWith } from '../bytes.ts';
import type { MaybePromise } from '../engine.ts';
import type { Block } from './block.ts';
import type { Cacheable } from './block-cache.ts';
import { decodeHandle } from './block-handle.ts';
import { BlockPosition } from './block-position.ts';
import type { Footer } from './footer.ts';
import type { BlockHandle } from './format.ts';
import type { TableBlocks } from './table-blocks.ts';
import type { Access } from './table-files.ts';

/** An entry that outlives what found it; a deletion is shown as one. */
export interface FoundEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly seq: number;
  /** An `EntryKind`. */
  readonly kind: number;
}

/**
 * Finds single entries of a table, through filter, top index and index block to a data block. What has to wait
 * stands in functions of its own: one that makes closures costs more, also where it need not wait.
 */
export class TableLookup {
  readonly #blocks: TableBlocks;
  readonly #suffixBytes: number;

  constructor(blocks: TableBlocks, suffixBytes: number) {
    this.#blocks = blocks;
    this.#suffixBytes = suffixBytes;
  }

  get(
    key: Uint8Array,
    seriesHash: number,
    keyHash: number | undefined,
    access: Access,
  ): MaybePromise<FoundEntry | undefined> {
    const footer = this.#blocks.footer(access);
    if (footer instanceof Promise) return this.#getAfter(footer, key, seriesHash, keyHash, access);
    return keyHash !== undefined && footer.keyFilter.length > 0
      ? this.#pass(footer.keyFilter, keyHash, { key, pick: theVery, access })
      : this.#pass(footer.filter, seriesHash, { key, pick: theVery, access });
  }

  first(series: Uint8Array, hash: number, access: Access): MaybePromise<FoundEntry | undefined> {
    const footer = this.#blocks.footer(access);
    if (footer instanceof Promise) return this.#firstAfter(footer, series, hash, access);
    return this.#pass(footer.filter, hash, { key: series, pick: theFirst, access });
  }

  async #getAfter(
    footer: Promise<Footer>,
    key: Uint8Array,
    seriesHash: number,
    keyHash: number | undefined,
    access: Access,
  ): Promise<FoundEntry | undefined> {
    const own = new Uint8Array(key);
    await footer;
    return this.get(own, seriesHash, keyHash, access);
  }

  async #firstAfter(
    footer: Promise<Footer>,
    series: Uint8Array,
    hash: number,
    access: Access,
  ): Promise<FoundEntry | undefined> {
    const own = new Uint8Array(series);
    await footer;
    return this.first(own, hash, access);
  }

  #pass(handle: BlockHandle, hash: number, wanted: Wanted): MaybePromise<FoundEntry | undefined> {
    const filter = this.#blocks.filter(handle, wanted.access);
    if (filter instanceof Promise) return this.#passLater(filter, hash, wanted);
    return this.#blocks.passes(filter, hash) ? this.#enter(wanted) : undefined;
  }

  async #passLater(
    filter: Promise<Cacheable>,
    hash: number,
    wanted: Wanted,
  ): Promise<FoundEntry | undefined> {
    const own = ownOf(wanted);
    return this.#blocks.passes(await filter, hash) ? this.#enter(own) : undefined;
  }

  #enter(wanted: Wanted): MaybePromise<FoundEntry | undefined> {
    const top = this.#blocks.topIndex(wanted.access);
    return top instanceof Promise ? this.#fromTopLater(top, wanted) : this.#fromTop(top, wanted);
  }

  async #fromTopLater(top: Promise<Block>, wanted: Wanted): Promise<FoundEntry | undefined> {
    const own = ownOf(wanted);
    return this.#fromTop(await top, own);
  }

  #fromTop(top: Block, wanted: Wanted): MaybePromise<FoundEntry | undefined> {
    const handle = handleFor(top, wanted.key);
    if (handle === undefined) return undefined;
    const index = this.#blocks.block(handle, wanted.access);
    return index instanceof Promise
      ? this.#fromIndexLater(index, wanted)
      : this.#fromIndex(index, wanted);
  }

  async #fromIndexLater(index: Promise<Block>, wanted: Wanted): Promise<FoundEntry | undefined> {
    const own = ownOf(wanted);
    return this.#fromIndex(await index, own);
  }

  #fromIndex(index: Block, wanted: Wanted): MaybePromise<FoundEntry | undefined> {
    const handle = handleFor(index, wanted.key);
    if (handle === undefined) throw index.malformed('a key that the index promises', 'none');
    const data = this.#blocks.block(handle, wanted.access);
    return data instanceof Promise
      ? this.#fromDataLater(data, wanted)
      : wanted.pick(data, wanted.key, this.#suffixBytes);
  }

  async #fromDataLater(data: Promise<Block>, wanted: Wanted): Promise<FoundEntry | undefined> {
    const own = ownOf(wanted);
    return own.pick(await data, own.key, this.#suffixBytes);
  }
}

interface Wanted {
  /** A whole key or a series key. */
  readonly key: Uint8Array;
  readonly pick: (data: Block, key: Uint8Array, suffixBytes: number) => FoundEntry | undefined;
  readonly access: Access;
}

/** For while something waits: whoever asks may meanwhile use the memory of the key for another. */
function ownOf({ key, pick, access }: Wanted): Wanted {
  return { key: new Uint8Array(key), pick, access };
}

/** Everybody is done with it before he returns: nothing waits while it is in use. */
const scratch = new BlockPosition();

function handleFor(index: Block, key: Uint8Array): BlockHandle | undefined {
  scratch.reset(index);
  return scratch.locate(key) ? decodeHandle(scratch) : undefined;
}

function theVery(data: Block, key: Uint8Array): FoundEntry | undefined {
  scratch.reset(data);
  if (!scratch.locate(key) || !scratch.isExact) return undefined;
  const value = data.bytes.subarray(scratch.valueStart, scratch.valueEnd);
  return { key, value, seq: scratch.seq, kind: scratch.kind };
}

/**
 * The length is looked at too: the filter may wrongly affirm a mere beginning of series keys, and what stands
 * first behind it here says nothing about other tables.
 */
function theFirst(data: Block, series: Uint8Array, suffixBytes: number): FoundEntry | undefined {
  scratch.reset(data);
  scratch.toKey(series);
  const { keyBytes, keyEnd, seq, kind } = scratch;
  if (!scratch.valid || keyEnd !== series.length + suffixBytes) return undefined;
  if (!rangeStartsWith(keyBytes, 0, keyEnd, series)) return undefined;
  const value = data.bytes.subarray(scratch.valueStart, scratch.valueEnd);
  return { key: keyBytes.slice(0, keyEnd), value, seq, kind };
}
