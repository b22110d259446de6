import { equalRanges, writeU32 } from '../../lsm/bytes.ts';
import type { EngineEntry, EngineSnapshot } from '../../lsm/engine.ts';
import { crc32c } from '../../lsm/hash/crc32c.ts';
import { encode, kv } from '../../protos/index.ts';
import type { Retention } from '../retention/retention.ts';
import { SeriesFilter } from '../retention/series-filter.ts';
import { settingsToProto } from '../settings/settings-codec.ts';
import {
  decodeExpiryKey,
  isStoredTombstone,
  SERIES_SUFFIX_BYTES,
  Space,
  storedVersion,
  timeOf,
} from '../shard/engine-key.ts';
import type { GroupState } from '../shard/state-machine.ts';

/** A part of what a replica holds, by which a difference is found and where it is. */
export interface DigestPart {
  /** `STATE_PART`: no values, but what the group knows beside them. */
  readonly slot: number;
  readonly crc: number;
  readonly entries: number;
  readonly bytes: number;
}

/** In the place of a slot. */
export const STATE_PART = 256;

const CHUNK_ENTRIES = 512;
const CHUNK_BYTES = 64 * 1024;

/**
 * Digests what a reader could see of some slots (DESIGN §5 ▣): all that retention does not hide, with everything that
 * is stored of it. What compaction has dropped, or not yet, makes no difference. `pause` is called after each chunk,
 * with its bytes.
 *
 * @throws {LsmError} CORRUPTION, or when the engine is closed
 */
export async function digestSlots(
  snapshot: EngineSnapshot,
  slots: { readonly from: number; readonly to: number; readonly retention: Retention },
  pause: (bytes: number) => Promise<void>,
): Promise<DigestPart[]> {
  const parts: DigestPart[] = [];
  for (let slot = slots.from; slot < slots.to; slot++) {
    const digest = new SlotDigest(slot, slots.retention);
    const upper = slot === 0xff ? undefined : Uint8Array.of(slot + 1);
    const cursor = snapshot.cursor({ lower: Uint8Array.of(slot), upper });
    try {
      await cursor.seekFirst();
      while (cursor.valid) {
        const entries = await cursor.take(CHUNK_ENTRIES, CHUNK_BYTES);
        await pause(entries.reduce((bytes, entry) => bytes + digest.add(entry), 0));
      }
    } finally {
      cursor.close();
    }
    parts.push(digest.finish());
  }
  return parts;
}

/** What the log has told a group beside its values. */
export function digestState(state: GroupState): DigestPart {
  const streams = Array.from(state.streams.entries(), ([node, stream]) => ({ node, ...stream }));
  const bytes = encode(kv.GroupPosition, {
    appliedIndex: state.appliedIndex,
    highestVersion: state.highestVersion,
    // In whatever order they came to be known here.
    streams: streams.sort((a, b) => (a.node < b.node ? -1 : 1)),
    retention: state.retention.toProto(),
    settings: settingsToProto(state.settings),
  });
  return { slot: STATE_PART, crc: crc32c(bytes), entries: streams.length, bytes: bytes.length };
}

class SlotDigest {
  readonly #slot: number;
  readonly #visible: VisibleEntries;
  readonly #lengths = new Uint8Array(8);
  #crc = 0;
  #entries = 0;
  #bytes = 0;

  constructor(slot: number, retention: Retention) {
    this.#slot = slot;
    this.#visible = new VisibleEntries(retention);
  }

  /** In key order. Returns how much it was. */
  add({ key, value }: EngineEntry): number {
    const bytes = key.length + value.length;
    if (!this.#visible.sees(key, value)) return bytes;
    writeU32(this.#lengths, 0, key.length);
    writeU32(this.#lengths, 4, value.length);
    let crc = crc32c(this.#lengths, 0, 8, this.#crc);
    crc = crc32c(key, 0, key.length, crc);
    this.#crc = crc32c(value, 0, value.length, crc);
    this.#entries += 1;
    this.#bytes += bytes;
    return bytes;
  }

  finish(): DigestPart {
    return { slot: this.#slot, crc: this.#crc, entries: this.#entries, bytes: this.#bytes };
  }
}

/** Hides what the compaction filter may drop (retention/compaction-filter.ts), dropped or not. */
class VisibleEntries {
  readonly #retention: Retention;
  readonly #filter = new SeriesFilter();
  /** Of the key before, of which the series at hand is a part. */
  #series: Uint8Array = new Uint8Array(0);

  constructor(retention: Retention) {
    this.#retention = retention;
  }

  sees(key: Uint8Array, value: Uint8Array): boolean {
    const space = key[1];
    if (space === Space.expiries)
      return decodeExpiryKey(key).expiresAt >= this.#retention.expiryFloor;
    if (space !== Space.userValues) return true;
    const end = key.length - SERIES_SUFFIX_BYTES;
    const seriesEnd = this.#series.length - SERIES_SUFFIX_BYTES;
    if (!equalRanges(this.#series, 0, seriesEnd, key, 0, end))
      this.#filter.reset(this.#retention.of(key, 2, end - 1));
    this.#series = key;
    const time = timeOf(key);
    return this.#filter.sees(time, storedVersion(value, 0, time), isStoredTombstone(value, 0));
  }
}
