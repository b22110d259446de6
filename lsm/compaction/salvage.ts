import assert from 'node:assert/strict';
import { compareBytes } from '../bytes.ts';
import type { KeyRange, MaybePromise } from '../engine.ts';
import type { Cursor } from '../iterator/cursor.ts';
import type { Block } from '../sstable/block.ts';
import { BlockPosition } from '../sstable/block-position.ts';
import type { BlockSource } from '../sstable/block-source.ts';
import type { BlockHandle } from '../sstable/format.ts';
import { TableFiles } from '../sstable/table-files.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { TableReader } from '../sstable/table-reader.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { type CutInput, dropsWithin } from './job.ts';
import { outside } from './lost-keys.ts';
import { Outputs, type Pace } from './outputs.ts';

export interface SalvageInput extends CutInput {
  /** Whether no table may reach over keys that are lost: they have a place of their own in the level. */
  readonly isSorted: boolean;
  /** So many lost ranges at most are told apart. */
  readonly lostMax: number;
}

export interface SalvageOutput {
  /** What can still be read outside the range. */
  readonly tables: readonly TableMeta[];
  /** Outside the range, ascending. */
  readonly lost: readonly KeyRange[];
}

/** What of a damaged table lies outside a range: its sound blocks, written again, and what is missing between them. */
export async function runSalvage(
  vfs: Vfs,
  input: SalvageInput,
  pace?: Pace,
): Promise<SalvageOutput> {
  const { directory, table, range, isSorted, lostMax } = input;
  const files = new TableFiles({ vfs, directory });
  try {
    const reader = new TableReader(files, table);
    const survey = await reader.survey(lostMax);
    const lost = survey.lost.flatMap((keys) => outside(keys, range));
    const gaps = lost.flatMap(({ lower, upper }) =>
      upper === undefined ? [lower] : [lower, upper],
    );
    const borders = isSorted ? [...input.borders, ...gaps].sort(compareBytes) : input.borders;
    const cursor = new SoundBlocksCursor(survey.sound, reader.scanBlocks(READ_AHEAD_BYTES));
    const outputs = new Outputs(vfs, { ...input, borders }, pace);
    return { tables: await outputs.writeAll(cursor, dropsWithin(range)), lost };
  } finally {
    await files.closeAll();
  }
}

/** Ascending over some data blocks of a table; from its beginning only. */
class SoundBlocksCursor extends BlockPosition implements Cursor {
  readonly #handles: readonly BlockHandle[];
  readonly #blocks: BlockSource;
  #place = 0;

  constructor(handles: readonly BlockHandle[], blocks: BlockSource) {
    super();
    this.#handles = handles;
    this.#blocks = blocks;
  }

  seek(): MaybePromise<void> {
    this.#place = 0;
    return this.#enter();
  }

  seekEnd(): void {
    assert.fail('an ascending cursor does not seek the end');
  }

  next(): MaybePromise<void> {
    this.step();
    if (this.valid) return;
    this.#place += 1;
    return this.#enter();
  }

  #enter(): MaybePromise<void> {
    const handle = this.#handles[this.#place];
    this.valid = false;
    if (handle === undefined) return;
    const block = this.#blocks.data(handle);
    if (block instanceof Promise) return block.then((loaded) => this.#show(loaded));
    this.#show(block);
  }

  #show(block: Block): void {
    this.reset(block);
    this.toFirst();
  }
}

const READ_AHEAD_BYTES = 256 * 1024;
