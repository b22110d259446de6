import type { Readings, SeriesRange } from '../readings.ts';

/**
 * What the bench asks of an engine. Each engine does it in the way its manual recommends; the time between call
 * and answer is measured, and `prepareBatch` is not.
 */
export interface BenchedStore {
  put(key: Buffer, value: Buffer): Promise<unknown>;
  /** What a batch is made of, for the readings `[first, end)`: objects that the engine's interface wants. */
  prepareBatch(readings: Readings, first: number, end: number): unknown;
  /** All or nothing. */
  batch(prepared: unknown): Promise<unknown>;
  /** The same, given entry by entry, where an engine has a call for that. */
  chainedBatch?(prepared: unknown): Promise<unknown>;
  /** Like `batch`; the answer comes when it survives power loss. */
  syncedBatch(prepared: unknown): Promise<unknown>;
  /** Absent where an engine answers synchronously only. */
  readonly get?: ((key: Buffer) => Promise<Uint8Array | undefined>) | undefined;
  /** In place of `get` where reading many at once is the only way to read without blocking. */
  readonly getMany?: ((keys: readonly Buffer[]) => Promise<(Uint8Array | undefined)[]>) | undefined;
  readonly getSync?: ((key: Buffer) => Uint8Array | undefined) | undefined;
  /** The first entry of a series, by a cursor over the range. */
  newest(range: SeriesRange): Promise<Uint8Array | undefined> | Uint8Array | undefined;
  /** Reads key and value of every entry, at most `countMax`, and says how many there were. */
  scan(range: ScanRange, countMax: number): Promise<number>;
  /** Brings the files into their smallest form, if there is a call for it. */
  readonly compact?: (() => Promise<void>) | undefined;
  close(): Promise<void>;
}

export interface ScanRange extends Partial<SeriesRange> {
  readonly reverse?: boolean;
}

export interface Engine {
  /** Of the package. */
  readonly version: string;
  /** What differs from the defaults, and whatever else must be known to judge the figures. */
  readonly settings: string;
  open(directory: string): Promise<BenchedStore>;
}

export interface EngineOptions {
  readonly cacheBytes: number;
}

/** Looks at an entry as a user would, so that nothing may be left undone until somebody does. */
export function touch(key: Uint8Array, value: Uint8Array): number {
  return key.length > 0 && value[0] === 0x7b ? 1 : 0;
}
