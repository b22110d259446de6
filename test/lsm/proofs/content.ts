import type { EngineEntry, KeyRange } from '../../../lsm/engine.ts';
import { hex } from '../entries.ts';

/** What a sorted map holds, as hex: so written, bytes have the order that an engine gives them. */
export class Content {
  readonly #values: Map<string, string>;
  #sorted: readonly string[] | undefined;

  constructor(entries: Iterable<readonly [string, string]> = []) {
    this.#values = new Map(entries);
  }

  copy(): Content {
    return new Content(this.#values);
  }

  get size(): number {
    return this.#values.size;
  }

  /** `undefined` as the value deletes. */
  write(key: Uint8Array, value: Uint8Array | undefined): void {
    this.#sorted = undefined;
    if (value === undefined) this.#values.delete(hex(key));
    else this.#values.set(hex(key), hex(value));
  }

  get(key: Uint8Array): string | undefined {
    return this.#values.get(hex(key));
  }

  clear(range: KeyRange): void {
    for (const key of this.keys()) if (isWithin(key, range)) this.#values.delete(key);
    this.#sorted = undefined;
  }

  /** Of a range, in the order of a cursor. */
  entries(range: KeyRange = ALL, reverse = false): Shown[] {
    const inside = this.keys().filter((key) => isWithin(key, range));
    if (reverse) inside.reverse();
    return inside.map((key) => [key, this.#values.get(key) as string]);
  }

  first(prefix: Uint8Array): Shown | undefined {
    const key = this.keys().find((each) => each.startsWith(hex(prefix)));
    return key === undefined ? undefined : [key, this.#values.get(key) as string];
  }

  keys(): readonly string[] {
    this.#sorted ??= [...this.#values.keys()].sort();
    return this.#sorted;
  }

  /** One string for all of it. */
  toString(): string {
    return this.entries()
      .map(([key, value]) => `${key}=${value}`)
      .join('\n');
  }
}

/** An entry as hex. */
export type Shown = readonly [key: string, value: string];

export const ALL: KeyRange = { lower: new Uint8Array(0) };

export const shown = ({ key, value }: EngineEntry): Shown => [hex(key), hex(value)];

export function isWithin(key: string, { lower, upper }: KeyRange): boolean {
  return key >= hex(lower) && (upper === undefined || key < hex(upper));
}
