import { keyText } from '../../broker/reserved-keys.ts';
import type { EngineEntry, EngineSnapshot, StorageEngine } from '../../lsm/engine.ts';
import { LsmError } from '../../lsm/errors.ts';
import { slotOf } from '../ring/slots.ts';
import { decodeValue, Space, seriesKey, timeOf } from './engine-key.ts';

/** The newest entry of a key, as far as decisions need it. */
export interface KnownValue {
  readonly version: number;
  readonly time: number;
  /** The time in its engine key. */
  readonly position: number;
  readonly tombstone: boolean;
  /** 0: never. */
  readonly expiresAt: number;
  readonly token: Uint8Array | undefined;
}

/** A key of the entry at hand, as bytes and as what it is known by. */
export interface NamedKey {
  readonly key: Uint8Array;
  readonly text: string;
}

export function namedKey(bytes: Uint8Array, start: number, end: number): NamedKey {
  const key = bytes.subarray(start, end);
  return { key, text: keyText(key) };
}

/**
 * The current values that one log entry depends on: looked up before it is applied, since applying does not
 * wait, and kept up to date while it is.
 */
export class KnownValues {
  readonly #engine: StorageEngine;
  readonly #values = new Map<string, KnownValue | undefined>();
  readonly #unreadable = new Set<string>();

  constructor(engine: StorageEngine) {
    this.#engine = engine;
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  has(text: string): boolean {
    return this.#values.has(text);
  }

  get(text: string): KnownValue | undefined {
    return this.#values.get(text);
  }

  /** Of a key that was looked up the newest entry lies in a damaged table. */
  get hasUnreadable(): boolean {
    return this.#unreadable.size > 0;
  }

  isUnreadable(text: string): boolean {
    return this.#unreadable.has(text);
  }

  /** A write of the entry at hand has become the newest of its key; keys that nobody asks for are not kept. */
  wrote(text: string, value: KnownValue): void {
    if (this.#values.has(text)) this.#values.set(text, value);
  }

  clear(): void {
    this.#values.clear();
    this.#unreadable.clear();
  }

  async lookUp(keys: readonly NamedKey[]): Promise<void> {
    const snapshot = this.#engine.snapshot();
    try {
      for (const { key, text } of keys) {
        const entry = await firstReadable(
          snapshot,
          seriesKey(slotOf(key, 0, key.length), Space.userValues, key),
        );
        if (entry === 'unreadable') this.#unreadable.add(text);
        this.#values.set(text, entry === 'unreadable' ? undefined : known(entry));
      }
    } finally {
      snapshot.close();
    }
  }
}

async function firstReadable(
  snapshot: EngineSnapshot,
  series: Uint8Array,
): Promise<EngineEntry | undefined | 'unreadable'> {
  try {
    return await snapshot.first(series);
  } catch (error) {
    if (error instanceof LsmError && error.code === 'CORRUPTION') return 'unreadable';
    throw error;
  }
}

function known(entry: EngineEntry | undefined): KnownValue | undefined {
  if (entry === undefined) return undefined;
  const position = timeOf(entry.key);
  const { version, time, tombstone, expiresAt, token } = decodeValue(entry.value, position);
  return { version, time, position, tombstone, expiresAt, token: token?.slice() };
}
