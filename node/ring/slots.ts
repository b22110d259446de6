import assert from 'node:assert/strict';
import { murmur3 } from '../../lsm/hash/murmur3.ts';

/**
 * Keys hash to 32-bit tokens and the top 8 bits of a token are the key's slot, which is also the first byte
 * of its engine key (DESIGN §3, §4). Stored data is laid out by it: the hash, the seed and the number of
 * slots never change.
 */
export const slotCount = 256;
const TOKEN_SEED = 0;

/** Where the owner stands in a key of the broker's own, which begins with this byte (broker/reserved-keys.ts). */
const RESERVED_BYTE = 0xff;
const OWNER_START = 4;
const OWNER_END = OWNER_START + 32;

/** Group 0 is meta; the groups of shards follow it. */
export const metaGroup = 0;

/** A run of slots that lives and moves as one, kept by one Raft group. Runs differ in width. */
export interface Shard {
  readonly group: number;
  readonly firstSlot: number;
  readonly slotCount: number;
}

/** Where `bytes[start, end)` lies on the ring: an unsigned 32-bit number. */
export function tokenOf(bytes: Uint8Array, start: number, end: number): number {
  return murmur3(bytes, start, end, TOKEN_SEED);
}

/** The slot, 0 to 255, of the key `bytes[start, end)`: of reserved keys that of their owner. */
export function slotOf(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] === RESERVED_BYTE && end - start >= OWNER_END) {
    return tokenOf(bytes, start + OWNER_START, start + OWNER_END) >>> 24;
  }
  return tokenOf(bytes, start, end) >>> 24;
}

/** The token at which a slot begins. */
export function slotStartToken(slot: number): number {
  return (slot << 24) >>> 0;
}

/**
 * Cuts all slots into `shardCount` runs, as even as whole slots allow, in slot order. This is how a new
 * cluster starts; afterwards its layout is data.
 */
export function shardLayout(shardCount: number): Shard[] {
  assert(Number.isInteger(shardCount) && shardCount >= 1 && shardCount <= slotCount);
  const border = (shard: number) => Math.floor((shard * slotCount) / shardCount);
  return Array.from({ length: shardCount }, (_, index) => ({
    group: index + 1,
    firstSlot: border(index),
    slotCount: border(index + 1) - border(index),
  }));
}
