import { compareBytes } from '../../lsm/bytes.ts';
import { isCorruption } from '../../lsm/corruption.ts';
import type { EngineSnapshot, ExportedBlock, KeyRange, StorageEngine } from '../../lsm/engine.ts';

/** After the keys of all shards: what the meta group, which stores none, replaces when it takes over a snapshot. */
const NO_KEYS: KeyRange = {
  lower: Uint8Array.of(0xff, 0xff, 0xff),
  upper: Uint8Array.of(0xff, 0xff, 0xff, 0),
};

/** The keys of a shard: a run of slots, which are the first byte of every key (DESIGN §3 ▣). */
export function rangeOf(shard: {
  readonly firstSlot: number;
  readonly slotCount: number;
}): KeyRange {
  const { firstSlot, slotCount } = shard;
  if (slotCount === 0) return NO_KEYS;
  const end = firstSlot + slotCount;
  return {
    lower: Uint8Array.of(firstSlot),
    upper: end > 0xff ? NO_KEYS.lower : Uint8Array.of(end),
  };
}

/** Why a replica is not trusted whose range is interrupted. */
export const CUT_OFF = 'a snapshot was cut off while it replaced its tables';

/** Whether the range holds nothing since a replacement of it was cut off or given up. */
export function isInterrupted(engine: StorageEngine, { lower }: KeyRange): boolean {
  return engine.interruptedReplacements().some((range) => compareBytes(range.lower, lower) === 0);
}

/** Whether nothing is stored in a range, as far as can be seen: what cannot be read counts as something. */
export async function isVacant(engine: StorageEngine, range: KeyRange): Promise<boolean> {
  const snapshot = engine.snapshot();
  try {
    const cursor = snapshot.cursor(range);
    await cursor.seekFirst();
    return !cursor.valid;
  } catch (error) {
    if (!isCorruption(error)) throw error;
    return false;
  } finally {
    snapshot.close();
  }
}

/**
 * The engine replaces only so many ranges at a time: who wants to waits for its turn, except a snapshot from another
 * node, whose sender comes again.
 */
export class RangeChanges {
  readonly #engine: StorageEngine;
  #takenCount = 0;
  #waiting: (() => void)[] = [];

  constructor(engine: StorageEngine) {
    this.#engine = engine;
  }

  /** The right to replace a range; false: others have it. To be given back with `release`. */
  tryAcquire(): boolean {
    if (this.#takenCount >= this.#engine.replacementsMax) return false;
    this.#takenCount += 1;
    return true;
  }

  release(): void {
    this.#takenCount -= 1;
    this.#waiting.shift()?.();
  }

  /** Removes everything in a range, with the positions that hold from then on. */
  async empty(
    range: KeyRange,
    positionsAfter: (flushed: Uint8Array | undefined) => Uint8Array,
  ): Promise<void> {
    while (!this.tryAcquire()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const replacement = this.#engine.replaceRange(range);
    try {
      await replacement.commit(positionsAfter);
    } catch (error) {
      await replacement.abandon().catch(() => {});
      throw error;
    } finally {
      this.release();
    }
  }
}

/** The blocks of a range, a few to a message. */
export async function* chunksOf(
  snapshot: EngineSnapshot,
  range: KeyRange,
  chunkBytes: number,
): AsyncGenerator<Uint8Array[]> {
  let chunk: Uint8Array[] = [];
  let bytes = 0;
  for await (const block of snapshot.exportRange(range) as AsyncIterable<ExportedBlock>) {
    chunk.push(block.bytes);
    bytes += block.bytes.length;
    if (bytes < chunkBytes) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}
