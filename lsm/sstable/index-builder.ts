import { ByteWriter } from '../encoding.ts';
import { BlockBuilder } from './block-builder.ts';
import { encodeHandle } from './block-handle.ts';
import { type BlockHandle, EntryKind } from './format.ts';

/** Two levels of index. Index blocks are kept until all data is written: they stand behind it in the file. */
export class IndexBuilder {
  readonly #blockSizeBytes: number;
  readonly #current = new BlockBuilder();
  readonly #finished: { readonly block: Uint8Array; readonly lastKey: Uint8Array }[] = [];

  constructor(blockSizeBytes: number) {
    this.#blockSizeBytes = blockSizeBytes;
  }

  add(lastKey: Uint8Array, handle: BlockHandle): void {
    addHandle(this.#current, lastKey, handle);
    if (this.#current.sizeBytes >= this.#blockSizeBytes) this.#finishBlock();
  }

  finish(append: (block: Uint8Array) => BlockHandle): { blocks: number; top: Uint8Array } {
    if (!this.#current.isEmpty) this.#finishBlock();
    const top = new BlockBuilder();
    for (const { block, lastKey } of this.#finished) addHandle(top, lastKey, append(block));
    return { blocks: this.#finished.length, top: top.finish() };
  }

  #finishBlock(): void {
    const lastKey = this.#current.lastKey.slice();
    this.#finished.push({ block: this.#current.finish().slice(), lastKey });
  }
}

/** An index entry: the last key of the block it leads to, and where that is. */
function addHandle(builder: BlockBuilder, lastKey: Uint8Array, handle: BlockHandle): void {
  const writer = new ByteWriter(16);
  encodeHandle(writer, handle);
  const value = writer.written;
  builder.add(lastKey, 0, lastKey.length, 0, EntryKind.put, value, 0, value.length);
}
