import assert from 'node:assert/strict';
import type { CodecName } from '../codec/codec.ts';
import type { ExportedBlock } from '../engine.ts';
import { type Cursor, NO_BYTES } from '../iterator/cursor.ts';
import { Block } from '../sstable/block.ts';
import { BlockBuilder } from '../sstable/block-builder.ts';
import { BlockCursor } from '../sstable/block-cursor.ts';
import { EntryKind } from '../sstable/format.ts';
import { openSealed, sealBlock } from '../sstable/sealed-block.ts';

/** Content on its way from one engine to another, as blocks of a table with their trailers (FORMAT.md, SSTable). */
export class ExportedBlockBuilder {
  readonly #codec: CodecName;
  #block = new BlockBuilder();

  constructor(codec: CodecName) {
    this.#codec = codec;
  }

  /** Adds the put that a cursor stands on. Sequence numbers mean nothing elsewhere: they are left out. */
  add({ keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, kind }: Cursor): void {
    assert(kind === EntryKind.put, 'only what is there is exported');
    const [key, value] = [keyBytes, valueBytes];
    this.#block.add(key, keyStart, keyEnd, 0, kind, value, valueStart, valueEnd);
  }

  get sizeBytes(): number {
    return this.#block.sizeBytes;
  }

  get isEmpty(): boolean {
    return this.#block.isEmpty;
  }

  finish(): ExportedBlock {
    const lastKey = this.#block.lastKey.slice();
    const bytes = sealBlock(this.#block.finish(), this.#codec);
    this.#block = new BlockBuilder();
    return { bytes, lastKey };
  }
}

/** A block is finished when it has grown to this. */
export const EXPORTED_BLOCK_BYTES = 64 * 1024;

/** The block in exported bytes. Fails with CORRUPTION, FORMAT_TOO_NEW or CODEC_MISSING. */
export function decodeExportedBlock(bytes: Uint8Array): Block {
  return new Block(openSealed(bytes, EXPORTED, 0), EXPORTED, 0);
}

/** Over blocks that follow one another. All entries have one sequence number. */
export class ExportedBlocksCursor implements Cursor {
  readonly #blocks: readonly Uint8Array[];
  readonly #entries = new BlockCursor();
  #next = 0;
  readonly seq: number;

  constructor(blocks: readonly Uint8Array[], seq: number) {
    this.#blocks = blocks;
    this.seq = seq;
  }

  get valid(): boolean {
    return this.#entries.valid;
  }
  get keyBytes(): Uint8Array {
    return this.#entries.keyBytes;
  }
  get keyStart(): number {
    return this.#entries.keyStart;
  }
  get keyEnd(): number {
    return this.#entries.keyEnd;
  }
  get valueBytes(): Uint8Array {
    return this.#entries.valueBytes;
  }
  get valueStart(): number {
    return this.#entries.valueStart;
  }
  get valueEnd(): number {
    return this.#entries.valueEnd;
  }
  get kind(): number {
    return this.#entries.kind;
  }

  /** To the beginning only: nothing else is needed to write it all. */
  seek(key: Uint8Array): void {
    assert(key.length === NO_BYTES.length, 'exported blocks are read from their beginning');
    this.#next = 0;
    this.#enter();
  }

  seekEnd(): void {
    assert.fail('an ascending cursor does not seek the end');
  }

  next(): void {
    this.#entries.next();
    if (!this.#entries.valid) this.#enter();
  }

  #enter(): void {
    const bytes = this.#blocks[this.#next++];
    if (bytes === undefined) return;
    this.#entries.reset(decodeExportedBlock(bytes));
    this.#entries.seekFirst();
  }
}

/** What stands for the name of a file in errors. */
const EXPORTED = 'an exported block';
