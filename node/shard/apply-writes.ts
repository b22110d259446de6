import { UNITS_PER_MS } from '../../broker/data-plane.ts';
import { isReserved } from '../../broker/reserved-keys.ts';
import { copyRange } from '../../lsm/bytes.ts';
import type { StorageEngine } from '../../lsm/engine.ts';
import type { Retention } from '../retention/retention.ts';
import { slotOf } from '../ring/slots.ts';
import { type ConditionalResult, expires, isRepetition, liveVersion } from './condition.ts';
import {
  ENGINE_KEY_BYTES_MAX,
  KEY_BYTES_MAX,
  TOKEN_BYTES,
  VALUE_HEADER_BYTES_MAX,
  writeEngineKey,
  writeExpiryKey,
  writeValueHeader,
} from './engine-key.ts';
import { Needs, type Section } from './entry.ts';
import { type KnownValue, KnownValues, type NamedKey, namedKey } from './known-values.ts';
import { WriteBatchCursor } from './write-batch.ts';

/** Told of every write as it is applied. `key` and `value` are ranges of `bytes`, good during the call only. */
export interface WriteObserver {
  /** Whether anybody listens: nothing is decoded otherwise. */
  readonly wantsWrites: boolean;
  /** The same of reserved keys. Every node listens to some, and the writes of users must not pay for that. */
  readonly wantsReservedWrites: boolean;
  written(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    version: number,
    time: number,
    isDelete: boolean,
    expiresAt: number,
  ): void;
}

const EMPTY_VALUE = new Uint8Array(1);
const NO_RESULTS: readonly ConditionalResult[] = [];

/** Turns the writes of a batch into entries of the engine, and decides those that have a condition. */
export class WriteApplier {
  /** Event times that were later than the write's version, and were not believed. */
  clampedTimes = 0;
  /** No value of this shard expires before, as far as was seen since the start. */
  earliestExpiry = 0;
  readonly #engine: StorageEngine;
  readonly #firstSlot: number;
  readonly #slotEnd: number;
  readonly #known: KnownValues;
  readonly #keyScratch = new Uint8Array(ENGINE_KEY_BYTES_MAX);
  #valueScratch = new Uint8Array(4096);

  constructor(engine: StorageEngine, firstSlot: number, slotCount: number) {
    this.#engine = engine;
    this.#firstSlot = firstSlot;
    this.#slotEnd = firstSlot + slotCount;
    this.#known = new KnownValues(engine);
  }

  /**
   * Looks up what `apply` must know: the current values that conditions speak of, and those that an event time
   * is compared with, if it matters here. `undefined`: nothing is missing; else ask again then.
   */
  prepare(
    data: Uint8Array,
    sections: readonly Section[],
    observer: WriteObserver,
    retention: Retention,
  ): Promise<void> | undefined {
    let missing: NamedKey[] | undefined;
    const timesMatter = observer.wantsWrites || retention.hasTombstoneCutoff;
    for (const section of sections) {
      const wanted = timesMatter ? section.needs : section.needs & Needs.conditions;
      if (wanted === 0) continue;
      const cursor = new WriteBatchCursor(data, section.batchStart, section.batchEnd);
      while (cursor.next()) {
        const isDecided = cursor.ifVersion < 0 && !isBelowBorder(cursor, retention);
        if (isDecided && (cursor.time === 0 || !observer.wantsWrites)) continue;
        const named = namedKey(data, cursor.keyStart, cursor.keyEnd);
        if (!this.#known.has(named.text)) (missing ??= []).push(named);
      }
    }
    return missing === undefined ? undefined : this.#known.lookUp(missing);
  }

  /** Whether this replica cannot tell what the writes come to: a table that they depend on is damaged. */
  isUndecidable(data: Uint8Array, sections: readonly Section[], retention: Retention): boolean {
    if (!this.#known.hasUnreadable) return false;
    for (const { batchStart, batchEnd } of sections) {
      const cursor = new WriteBatchCursor(data, batchStart, batchEnd);
      while (cursor.next()) {
        // Where only watchers would be told better once too often than not at all.
        if (cursor.ifVersion < 0 && !isBelowBorder(cursor, retention)) continue;
        if (this.#known.isUnreadable(namedKey(data, cursor.keyStart, cursor.keyEnd).text))
          return true;
      }
    }
    return false;
  }

  /** Every replica does the same with it: nothing but the entry, current values and the shard's rules count. */
  apply(
    data: Uint8Array,
    section: Section,
    observer: WriteObserver,
    retention: Retention,
  ): readonly ConditionalResult[] {
    const cursor = new WriteBatchCursor(data, section.batchStart, section.batchEnd);
    let results: ConditionalResult[] | undefined;
    for (let ordinal = 0; cursor.next(); ordinal++) {
      const { keyStart, keyEnd } = cursor;
      const version = section.baseVersion + ordinal;
      if (keyEnd - keyStart > KEY_BYTES_MAX) continue;
      const slot = slotOf(data, keyStart, keyEnd);
      if (slot < this.#firstSlot || slot >= this.#slotEnd) continue;
      if (cursor.ifVersion < 0) {
        this.#write(data, cursor, slot, version, observer, retention);
        continue;
      }
      const result = this.#decide(data, cursor, ordinal, version);
      const isNew = result.won && result.version === 0;
      const expiresAt = isNew ? this.#write(data, cursor, slot, version, observer, retention) : 0;
      if (!cursor.isExpiry)
        (results ??= []).push(isNew ? { ...result, version, expiresAt } : result);
    }
    return results ?? NO_RESULTS;
  }

  /** The entry is applied: what it needed may change from here on. */
  forget(): void {
    if (!this.#known.isEmpty) this.#known.clear();
  }

  /** A winner that is to be written has no version yet; one that only repeats itself has that of its value. */
  #decide(
    data: Uint8Array,
    cursor: WriteBatchCursor,
    ordinal: number,
    version: number,
  ): ConditionalResult {
    const { keyStart, keyEnd, ifVersion, tokenStart, tokenEnd } = cursor;
    const current = this.#known.get(namedKey(data, keyStart, keyEnd).text);
    if (cursor.isExpiry) {
      return { ordinal, won: expires(current, ifVersion, version), version: 0, expiresAt: 0 };
    }
    const live = liveVersion(current, version);
    if (live === ifVersion) return { ordinal, won: true, version: 0, expiresAt: 0 };
    const won = isRepetition(current, data.subarray(tokenStart, tokenEnd), version);
    return { ordinal, won, version: live, expiresAt: won ? (current?.expiresAt ?? 0) : 0 };
  }

  /** Returns when the value expires; 0: never. */
  #write(
    data: Uint8Array,
    cursor: WriteBatchCursor,
    slot: number,
    version: number,
    observer: WriteObserver,
    retention: Retention,
  ): number {
    const { keyStart, keyEnd, valueStart, valueEnd, isDelete, space } = cursor;
    const text = this.#known.isEmpty ? undefined : namedKey(data, keyStart, keyEnd).text;
    const current = text === undefined ? undefined : this.#known.get(text);
    const time = cursor.time === 0 ? version : this.#eventTime(cursor.time, version);
    const isTimed = time !== version;
    const border =
      isTimed && retention.hasTombstoneCutoff
        ? retention.of(data, keyStart, keyEnd).tombstoneCutoff
        : 0;
    const position = time < border ? positionBelow(time, border, current) : time;
    const expiresAt = isDelete ? 0 : expiryOf(data, cursor, version, retention);
    const key = this.#keyScratch;
    const keyLength = writeEngineKey(key, slot, space, data, keyStart, keyEnd, position);
    const value = this.#scratch(valueEnd - valueStart);
    const headerLength = writeValueHeader(
      value,
      version,
      position,
      isDelete,
      expiresAt,
      data,
      cursor.tokenStart,
      cursor.tokenEnd,
      time,
    );
    copyRange(value, headerLength, data, valueStart, valueEnd);
    this.#engine.put(key, 0, keyLength, value, 0, headerLength + valueEnd - valueStart);
    if (expiresAt !== 0) this.#noteExpiry(slot, expiresAt, data, keyStart, keyEnd, version);
    // The current value is the one with the greatest time (DESIGN §3 ▣).
    if (isTimed && current !== undefined && position < current.position) return expiresAt;
    if (text !== undefined) {
      const token = tokenOf(data, cursor);
      const tombstone = isDelete;
      this.#known.wrote(text, { version, time, position, tombstone, expiresAt, token });
    }
    if (isReserved(data, keyStart) ? observer.wantsReservedWrites : observer.wantsWrites) {
      observer.written(
        data,
        keyStart,
        keyEnd,
        valueStart,
        valueEnd,
        version,
        time,
        isDelete,
        expiresAt,
      );
    }
    return expiresAt;
  }

  /** Nothing is later than its own version, whatever a device's clock said. */
  #eventTime(time: number, version: number): number {
    if (time <= version) return time;
    this.clampedTimes += 1;
    return version;
  }

  #noteExpiry(
    slot: number,
    expiresAt: number,
    data: Uint8Array,
    keyStart: number,
    keyEnd: number,
    version: number,
  ): void {
    const key = this.#keyScratch;
    const keyLength = writeExpiryKey(key, slot, expiresAt, data, keyStart, keyEnd, version);
    this.#engine.put(key, 0, keyLength, EMPTY_VALUE, 0, EMPTY_VALUE.length);
    this.earliestExpiry = Math.min(this.earliestExpiry, expiresAt);
  }

  #scratch(valueBytes: number): Uint8Array {
    const needed = valueBytes + VALUE_HEADER_BYTES_MAX;
    if (this.#valueScratch.length < needed) this.#valueScratch = new Uint8Array(needed * 2);
    return this.#valueScratch;
  }
}

/**
 * Where a reading stands that is older than tombstones which may be gone (`border`). Behind one of those nobody
 * could say whether it is current: so a reading that becomes current stands at the border, above all of them
 * (docs/adr/0008-late-readings-at-the-tombstone-cutoff.md). Others are not seen, wherever they stand.
 */
function positionBelow(time: number, border: number, current: KnownValue | undefined): number {
  const isGone = current === undefined || (current.tombstone && current.version < border);
  if (isGone) return border;
  return time >= current.time && current.position > time ? border : time;
}

/** Whether what the write comes to depends on the current value, by its event time. */
function isBelowBorder({ time }: WriteBatchCursor, { highestTombstoneCutoff }: Retention): boolean {
  return time !== 0 && time < highestTombstoneCutoff;
}

function tokenOf(data: Uint8Array, cursor: WriteBatchCursor): Uint8Array | undefined {
  const { tokenStart, tokenEnd } = cursor;
  return tokenEnd - tokenStart === TOKEN_BYTES ? data.slice(tokenStart, tokenEnd) : undefined;
}

/** Its own time to live counts before that of a rule. */
function expiryOf(
  data: Uint8Array,
  { keyStart, keyEnd, ttlMs: own }: WriteBatchCursor,
  version: number,
  retention: Retention,
): number {
  const ttlMs = own === 0 && retention.hasTtl ? retention.of(data, keyStart, keyEnd).ttlMs : own;
  if (ttlMs === 0) return 0;
  return Math.min(version + ttlMs * UNITS_PER_MS, Number.MAX_SAFE_INTEGER);
}
