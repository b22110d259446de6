import assert from 'node:assert/strict';

/** A value that was set here and that the store has not caught up with. */
export interface LocalValue<Value> {
  /** Undefined: it was removed. */
  readonly value: Value | undefined;
  /** As it is stored; empty: it was removed. */
  readonly bytes: Uint8Array;
  /** Of the store's value when this one was set. */
  readonly versionBefore: number;
  /** The store has caught up when it has this version; undefined: it is not stored yet. */
  storedAt: number | undefined;
}

interface Entry<Value> {
  stored: Value | undefined;
  /** Of what the store has told last; 0: nothing. */
  version: number;
  local: LocalValue<Value> | undefined;
}

/**
 * What the store holds of one kind, in memory, as watched. A value that was set here is seen at once, and stays until
 * the store has told of it or of something later, so that nothing seen here ever goes back.
 */
export class Table<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #decode: (bytes: Uint8Array) => Value | undefined;
  readonly #changed: (after: Value | undefined, before: Value | undefined) => void;

  constructor(options: {
    readonly decode: (bytes: Uint8Array) => Value | undefined;
    /** What is seen of an owner is another value now. */
    readonly changed: (after: Value | undefined, before: Value | undefined) => void;
  }) {
    this.#decode = options.decode;
    this.#changed = options.changed;
  }

  get(owner: string): Value | undefined {
    return seen(this.#entries.get(owner));
  }

  get size(): number {
    return this.#entries.size;
  }

  *values(): Iterable<Value> {
    for (const entry of this.#entries.values()) {
      const value = seen(entry);
      if (value !== undefined) yield value;
    }
  }

  /** Whether what is seen was set here, and is not known to be stored. */
  isAhead(owner: string): boolean {
    const local = this.#entries.get(owner)?.local;
    return local !== undefined && local.storedAt === undefined;
  }

  set(owner: string, value: Value | undefined, bytes: Uint8Array): LocalValue<Value> {
    assert((value === undefined) === (bytes.length === 0), 'an empty value is none');
    const versionBefore = this.#entries.get(owner)?.version ?? 0;
    const local = { value, bytes, versionBefore, storedAt: undefined };
    this.#change(owner, (entry) => {
      entry.local = local;
    });
    return local;
  }

  /** A value that was set here is stored; version 0: nobody knows which one it has got. */
  stored(owner: string, local: LocalValue<Value>, version: number): void {
    local.storedAt = version === 0 ? local.versionBefore + 1 : version;
    this.#change(owner, () => {});
  }

  /** It will not be stored. */
  abandon(owner: string, local: LocalValue<Value>): void {
    this.#change(owner, (entry) => {
      if (entry.local === local) entry.local = undefined;
    });
  }

  /** What the store says; empty bytes: there is nothing. Older news than those before do not count. */
  told(owner: string, bytes: Uint8Array, version: number): void {
    this.#change(owner, (entry) => {
      if (version <= entry.version) return;
      const { local } = entry;
      const isOurs = local !== undefined && sameBytes(local.bytes, bytes);
      entry.version = version;
      entry.stored = isOurs ? local.value : bytes.length === 0 ? undefined : this.#decode(bytes);
    });
  }

  #change(owner: string, change: (entry: Entry<Value>) => void): void {
    const entry = this.#entries.get(owner) ?? { stored: undefined, version: 0, local: undefined };
    const before = seen(entry);
    change(entry);
    const { local } = entry;
    if (local?.storedAt !== undefined && entry.version >= local.storedAt) entry.local = undefined;
    const after = seen(entry);
    if (entry.local === undefined && entry.stored === undefined) this.#entries.delete(owner);
    else this.#entries.set(owner, entry);
    if (after !== before) this.#changed(after, before);
  }
}

function seen<Value>(entry: Entry<Value> | undefined): Value | undefined {
  return entry?.local === undefined ? entry?.stored : entry.local.value;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
