/** What the fake node keeps of one value. */
interface FakeItem {
  readonly key: string;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Empty: deleted. */
  readonly value: Buffer;
  readonly expiresAt?: number;
}

export interface FakeWrite {
  readonly key: string;
  readonly value: Buffer;
  readonly time?: number;
  readonly ttl?: number;
}

interface Paging {
  readonly after?: string;
  readonly limit?: number;
}

/** Values and their history in memory, with event times as in DESIGN §3; nothing expires by itself. */
export class FakeStore {
  /** The current ones. Tests may put values here that have no history. */
  readonly values = new Map<string, Buffer>();
  /** By key, oldest first. */
  readonly history = new Map<string, FakeItem[]>();
  readonly #nowMs: () => number;
  #version = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Returns what was stored, and whether it is the current value now. */
  write({ key, value, time, ttl }: FakeWrite): { item: FakeItem; isCurrent: boolean } {
    this.#version += 1;
    const item: FakeItem = {
      ...{ key, value, version: this.#version, time: time ?? this.#nowMs() },
      ...(ttl === undefined ? {} : { expiresAt: this.#nowMs() + ttl * 1000 }),
    };
    const others = (this.history.get(key) ?? []).filter((other) => other.time !== item.time);
    const items = [...others, item].sort((a, b) => a.time - b.time);
    this.history.set(key, items);
    const isCurrent = items.at(-1) === item;
    if (isCurrent && value.length > 0) this.values.set(key, value);
    else if (isCurrent) this.values.delete(key);
    return { item, isCurrent };
  }

  /** Undefined where there is no value. */
  current(key: string): FakeItem | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    return this.history.get(key)?.at(-1) ?? { key, value, version: 1, time: 1 };
  }

  /** Keys below a prefix, in order. */
  page(prefix: string, { after = '', limit = 100 }: Paging): { items: FakeItem[]; more: boolean } {
    const inside = (key: string): boolean =>
      prefix === '' || key === prefix || key.startsWith(`${prefix}/`);
    const keys = [...this.values.keys()].filter((key) => inside(key) && key > after).sort();
    const items = keys.slice(0, limit).flatMap((key) => this.current(key) ?? []);
    return { items, more: keys.length > limit };
  }

  /** Of one key, oldest first; `after` is a time. */
  historyPage(
    key: string,
    { from = 0, to = Number.MAX_SAFE_INTEGER, after, limit = 100 }: Paging & FromTo,
  ): { items: FakeItem[]; more: boolean } {
    const behind = after === undefined ? -1 : Number(after);
    const found = (this.history.get(key) ?? []).filter(
      ({ time }) => time >= from && time < to && time > behind,
    );
    return { items: found.slice(0, limit), more: found.length > limit };
  }
}

interface FromTo {
  readonly from?: number;
  readonly to?: number;
}

/** As a node shows it in JSON. */
export function toJson({ value, expiresAt, ...item }: FakeItem): object {
  const expiry = expiresAt === undefined ? {} : { expiresAt };
  return { ...item, ...expiry, ...(value.length === 0 ? { deleted: true } : encode(value)) };
}

export function encode(value: Buffer): object {
  const text = value.toString('utf8');
  return Buffer.from(text).equals(value) ? { value: text } : { base64: value.toString('base64') };
}
