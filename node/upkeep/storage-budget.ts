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

export function withinBudget(maxBytes: number | undefined, wantedBytes: number): number {
  if (maxBytes === undefined || maxBytes === 0) return wantedBytes;
  return Math.min(wantedBytes, Math.floor(maxBytes / PARTS_MIN));
}
