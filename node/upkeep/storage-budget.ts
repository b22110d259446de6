/** What one node stores, and what it may. */
export interface StorageLoad {
  readonly usedBytes: number;
  /** 0: no budget. */
  readonly maxBytes: number;
}

/** From here on the oldest history goes. */
const PRESSED_FROM = 0.8;
const FULL_FROM = 1;
/** While there is history to drop the budget may be overrun so far: it goes with the next compactions. */
const FULL_AT_ONCE_FROM = 1.1;
const FULL_UNTIL = 0.95;

export function isPressed({ usedBytes, maxBytes }: StorageLoad): boolean {
  return maxBytes > 0 && usedBytes > maxBytes * PRESSED_FROM;
}

/** Whether puts to the shards of this node are refused: for as long as there is no room. */
export function isFull(
  { usedBytes, maxBytes }: StorageLoad,
  before: { readonly wasFull: boolean; readonly hasHistory: boolean },
): boolean {
  if (maxBytes === 0) return false;
  if (before.wasFull) return usedBytes > maxBytes * FULL_UNTIL;
  return usedBytes > maxBytes * (before.hasHistory ? FULL_AT_ONCE_FROM : FULL_FROM);
}

/** A log segment and a memtable: what fills up before any of it can go is a small part of the budget. */
const PARTS_MIN = 16;
const DEFAULT_BYTES = 16 * 1024 * 1024;
/** What the log may take before it goes without asking who still needs it (DESIGN §5 ▣, Segments). */
const LOG_PARTS = 4;
/** So many times that are kept for those who are being brought up to date, where the disk's budget has room for it. */
const CATCH_UP_PARTS = 4;
const CATCH_UP_OF_STORAGE = 1 / 8;

export interface StorageSizes {
  readonly memtableBytes: number;
  readonly segmentBytes: number;
  readonly logBytesMax: number;
  /** What the log may take for the sake of those who are being brought up to date. */
  readonly catchUpBytesMax: number;
}

export function storageSizes(options: {
  readonly storageMaxBytes?: number | undefined;
  readonly memtableBytes?: number | undefined;
  readonly segmentBytes?: number | undefined;
}): StorageSizes {
  const { storageMaxBytes = 0 } = options;
  const largest = storageMaxBytes === 0 ? Infinity : Math.floor(storageMaxBytes / PARTS_MIN);
  const memtableBytes = Math.min(options.memtableBytes ?? DEFAULT_BYTES, largest);
  const segmentBytes = Math.min(options.segmentBytes ?? DEFAULT_BYTES, largest);
  const logBytesMax = LOG_PARTS * Math.max(memtableBytes, segmentBytes);
  const room = storageMaxBytes === 0 ? Infinity : Math.floor(storageMaxBytes * CATCH_UP_OF_STORAGE);
  return {
    memtableBytes,
    segmentBytes,
    logBytesMax,
    catchUpBytesMax: Math.max(logBytesMax, Math.min(CATCH_UP_PARTS * logBytesMax, room)),
  };
}
