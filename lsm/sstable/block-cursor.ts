import assert from 'node:assert/strict';
import type { Cursor } from '../iterator/cursor.ts';
import { BlockPosition } from './block-position.ts';

/** Ascending over one block. */
export class BlockCursor extends BlockPosition implements Cursor {
  seek(key: Uint8Array): void {
    this.toKey(key);
  }

  seekFirst(): void {
    this.toFirst();
  }

  seekEnd(): void {
    assert.fail('an ascending cursor does not seek the end');
  }

  next(): void {
    this.step();
  }
}
