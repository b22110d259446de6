import assert from 'node:assert/strict';
import { readU32, writeU32 } from '../../lsm/bytes.ts';
import { decode, encode, kv } from '../../protos/index.ts';
import { slotCount as slotCountOfAll } from '../ring/slots.ts';
import { Retention } from './retention.ts';

/**
 * What the shards of a node hide, as bytes for the thread that compacts. Little endian:
 *
 *     format u8 (1), then for each shard
 *     first slot u8 · slot count u16 · length u32 · kv.RetentionState
 *
 * No bytes at all: nothing is known of any shard.
 */
const FORMAT = 1;
const SHARD_HEADER_BYTES = 7;

export interface ShardRetention {
  readonly firstSlot: number;
  readonly slotCount: number;
  readonly retention: Retention;
}

export function encodeFilterState(shards: readonly ShardRetention[]): Uint8Array {
  const parts = shards.map(({ firstSlot, slotCount, retention }) => {
    const state = encode(kv.RetentionState, retention.toProto());
    const part = new Uint8Array(SHARD_HEADER_BYTES + state.length);
    part[0] = firstSlot;
    part[1] = slotCount;
    part[2] = slotCount >>> 8;
    writeU32(part, 3, state.length);
    part.set(state, SHARD_HEADER_BYTES);
    return part;
  });
  return Buffer.concat([Uint8Array.of(FORMAT), ...parts]);
}

/** For each slot what its shard hides; undefined where nothing is known. */
export function decodeFilterState(bytes: Uint8Array): readonly (Retention | undefined)[] {
  const bySlot = new Array<Retention | undefined>(slotCountOfAll).fill(undefined);
  assert(bytes.length === 0 || bytes[0] === FORMAT, 'the state was encoded by this version');
  for (let at = 1; at < bytes.length; ) {
    const firstSlot = bytes[at] as number;
    const slotCount = (bytes[at + 1] as number) | ((bytes[at + 2] as number) << 8);
    const start = at + SHARD_HEADER_BYTES;
    at = start + readU32(bytes, at + 3);
    assert(at <= bytes.length && firstSlot + slotCount <= slotCountOfAll, 'the state is whole');
    const retention = Retention.fromProto(decode(kv.RetentionState, bytes.subarray(start, at)));
    bySlot.fill(retention, firstSlot, firstSlot + slotCount);
  }
  return bySlot;
}
