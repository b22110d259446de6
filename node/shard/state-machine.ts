import type { EngineEntry, EngineSnapshot, StorageEngine } from '../../lsm/engine.ts';
import { LsmError } from '../../lsm/errors.ts';
import { type Entry, EntryKind } from '../raft/types.ts';
import { slotOf } from '../ring/slots.ts';
import {
  ENGINE_KEY_BYTES_MAX,
  KEY_BYTES_MAX,
  Space,
  seriesKey,
  timeOf,
  VALUE_HEADER_BYTES_MAX,
  writeEngineKey,
  writeValueHeader,
} from './engine-key.ts';
import { parseWriteEntry, type Section } from './entry.ts';
import type { Streams } from './streams.ts';
import { isWellFormedBatch, WriteBatchCursor } from './write-batch.ts';

/** Told of every write as it is applied. `key` and `value` are ranges of `bytes`, good during the call only. */
export interface WriteObserver {
  /** Whether anybody listens: nothing is decoded otherwise. */
  readonly wantsWrites: boolean;
  written(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    version: number,
    time: number,
    isDelete: boolean,
  ): void;
}

export type ApplyOutcome =
  | { readonly kind: 'applied'; readonly sections: readonly Section[] }
  /** The bytes do not parse; every replica skips them alike. */
  | { readonly kind: 'skipped'; readonly reason: string }
  /** Written by a newer DSS: this group stops here until the node is upgraded. */
  | { readonly kind: 'unknown-kind'; readonly entryKind: number };

interface TimedKey {
  readonly key: Uint8Array;
  readonly text: string;
}

const decoder = new TextDecoder();
const NO_SECTIONS: readonly Section[] = [];

/**
 * What a shard's log makes of the engine. A function of the entries and of current values only: never of a
 * clock, of settings, or of what compaction has removed (DESIGN §5 ▣).
 */
export class StateMachine {
  appliedIndex: number;
  appliedTerm: number;
  /** The highest version in the applied log. */
  highestVersion: number;
  readonly streams: Streams;
  readonly #engine: StorageEngine;
  readonly #firstSlot: number;
  readonly #slotEnd: number;
  readonly #keyScratch = new Uint8Array(ENGINE_KEY_BYTES_MAX);
  /** Of the keys that the entry at hand writes with event times; see `prepare`. */
  readonly #currentTimes = new Map<string, number>();
  #valueScratch = new Uint8Array(4096);

  constructor(options: {
    readonly engine: StorageEngine;
    readonly firstSlot: number;
    readonly slotCount: number;
    readonly appliedIndex: number;
    readonly appliedTerm: number;
    readonly highestVersion: number;
    readonly streams: Streams;
  }) {
    this.#engine = options.engine;
    this.#firstSlot = options.firstSlot;
    this.#slotEnd = options.firstSlot + options.slotCount;
    this.appliedIndex = options.appliedIndex;
    this.appliedTerm = options.appliedTerm;
    this.highestVersion = options.highestVersion;
    this.streams = options.streams;
  }

  /**
   * Looks up what `apply` must know to tell the observer of a write with an event time: whether it becomes the
   * current value, or is late and enters history only. `undefined`: nothing is missing; else ask again then.
   */
  prepare(entry: Entry, observer: WriteObserver): Promise<void> | undefined {
    if (!observer.wantsWrites || entry.kind !== EntryKind.write) return undefined;
    const missing = this.#timedKeys(entry.data).filter(({ text }) => !this.#currentTimes.has(text));
    return missing.length === 0 ? undefined : this.#lookUp(missing);
  }

  apply(entry: Entry, observer: WriteObserver): ApplyOutcome {
    const outcome = this.#applyKind(entry, observer);
    if (outcome.kind === 'unknown-kind') return outcome;
    this.appliedIndex = entry.index;
    this.appliedTerm = entry.term;
    this.#currentTimes.clear();
    return outcome;
  }

  #timedKeys(data: Uint8Array): TimedKey[] {
    const keys: TimedKey[] = [];
    for (const { batchStart, batchEnd } of parseWriteEntry(data) ?? []) {
      const cursor = new WriteBatchCursor(data, batchStart, batchEnd);
      while (cursor.next()) {
        if (cursor.time === 0) continue;
        const key = data.subarray(cursor.keyStart, cursor.keyEnd);
        keys.push({ key, text: decoder.decode(key) });
      }
    }
    return keys;
  }

  async #lookUp(keys: readonly TimedKey[]): Promise<void> {
    const snapshot = this.#engine.snapshot();
    try {
      for (const { key, text } of keys) {
        const slot = slotOf(key, 0, key.length);
        const current = await firstReadable(snapshot, seriesKey(slot, Space.userValues, key));
        this.#currentTimes.set(text, current === undefined ? 0 : timeOf(current.key));
      }
    } finally {
      snapshot.close();
    }
  }

  #applyKind(entry: Entry, observer: WriteObserver): ApplyOutcome {
    switch (entry.kind) {
      case EntryKind.empty:
        return { kind: 'applied', sections: NO_SECTIONS };
      case EntryKind.write:
        return this.#applyWrites(entry.data, observer);
      default:
        return { kind: 'unknown-kind', entryKind: entry.kind };
    }
  }

  #applyWrites(data: Uint8Array, observer: WriteObserver): ApplyOutcome {
    const sections = parseWriteEntry(data);
    if (sections === undefined) return { kind: 'skipped', reason: 'its header does not parse' };
    for (const section of sections) {
      this.highestVersion = Math.max(this.highestVersion, section.highestVersion);
      const { node, startCounter, number } = section;
      if (this.streams.judge(node, startCounter, number).kind !== 'next') continue;
      this.streams.advance(node, startCounter, number);
      if (!isWellFormedBatch(data, section.batchStart, section.batchEnd, section.count)) {
        return { kind: 'skipped', reason: 'its batch does not parse' };
      }
      this.#applyBatch(data, section, observer);
    }
    return { kind: 'applied', sections };
  }

  #applyBatch(data: Uint8Array, section: Section, observer: WriteObserver): void {
    const cursor = new WriteBatchCursor(data, section.batchStart, section.batchEnd);
    const wanted = observer.wantsWrites;
    let version = section.baseVersion;
    for (; cursor.next(); version++) {
      const { keyStart, keyEnd, valueStart, valueEnd, isDelete, space } = cursor;
      // Nothing is later than its own version, whatever a device's clock said.
      const time = cursor.time === 0 ? version : Math.min(cursor.time, version);
      if (keyEnd - keyStart > KEY_BYTES_MAX) continue;
      const slot = slotOf(data, keyStart, keyEnd);
      if (slot < this.#firstSlot || slot >= this.#slotEnd) continue;
      const key = this.#keyScratch;
      const keyLength = writeEngineKey(key, slot, space, data, keyStart, keyEnd, time);
      const value = this.#scratch(valueEnd - valueStart);
      const headerLength = writeValueHeader(value, version, time, isDelete);
      value.set(data.subarray(valueStart, valueEnd), headerLength);
      const valueLength = headerLength + valueEnd - valueStart;
      this.#engine.put(key, 0, keyLength, value, 0, valueLength);
      if (wanted && this.#becomesCurrent(data, keyStart, keyEnd, time, cursor.time !== 0)) {
        observer.written(data, keyStart, keyEnd, valueStart, valueEnd, version, time, isDelete);
      }
    }
  }

  /** The current value is the one with the greatest time (DESIGN §3 ▣). */
  #becomesCurrent(
    data: Uint8Array,
    keyStart: number,
    keyEnd: number,
    time: number,
    isTimed: boolean,
  ): boolean {
    if (!isTimed && this.#currentTimes.size === 0) return true;
    const text = decoder.decode(data.subarray(keyStart, keyEnd));
    if (isTimed && time < (this.#currentTimes.get(text) ?? 0)) return false;
    if (this.#currentTimes.has(text)) this.#currentTimes.set(text, time);
    return true;
  }

  #scratch(valueBytes: number): Uint8Array {
    const needed = valueBytes + VALUE_HEADER_BYTES_MAX;
    if (this.#valueScratch.length < needed) this.#valueScratch = new Uint8Array(needed * 2);
    return this.#valueScratch;
  }
}

/** Where a table is damaged nobody can say what is current: better told once too often than not at all. */
async function firstReadable(
  snapshot: EngineSnapshot,
  series: Uint8Array,
): Promise<EngineEntry | undefined> {
  try {
    return await snapshot.first(series);
  } catch (error) {
    if (error instanceof LsmError && error.code === 'CORRUPTION') return undefined;
    throw error;
  }
}
