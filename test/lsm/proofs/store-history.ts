import { prefixSuccessor } from '../../../lsm/bytes.ts';
import type { KeyRange } from '../../../lsm/engine.ts';
import type { Store } from '../../../lsm/store/store.ts';
import { WriteBatch } from '../../../lsm/store/write-batch.ts';
import type { SeededRandom } from '../../support/random.ts';
import { text, utf8 } from '../entries.ts';
import { contentOf } from '../store/store-support.ts';

/**
 * Writes to a store and notes what it should hold after each call, in the order of the calls: whatever happens must
 * leave one of these states, and none from before what was acknowledged.
 */
export class StoreHistory {
  readonly #random: SeededRandom;
  readonly #content: Map<string, number>;
  /** States by what is in them; the number is the last that looked so. */
  readonly #states: string[];
  #lastValue = 0;
  /** The last state that was acknowledged; a kill must leave it or a newer one. */
  acknowledged = 0;
  /** The same for a loss of power. */
  durable = 0;
  /** Calls that failed, with what. */
  readonly failures: unknown[] = [];
  /** What checkpoints hold that were acknowledged: state by directory. */
  readonly checkpoints = new Map<string, string>();

  constructor(random: SeededRandom, content: ReadonlyMap<string, number> = new Map()) {
    this.#random = random;
    this.#content = new Map(content);
    this.#states = [stateOf(content)];
    this.#lastValue = Math.max(0, ...content.values());
  }

  /** How many calls there were. */
  get length(): number {
    return this.#states.length - 1;
  }

  get last(): string {
    return this.#states.at(-1) as string;
  }

  /** Whether it is one of the states from `since` to `through`. */
  has(state: string, since: number, through: number): boolean {
    return this.#states.indexOf(state, since) >= 0 && this.#firstFrom(state, since) <= through;
  }

  /** Something at random; resolves when it is answered, also with an error. */
  act(store: Store): Promise<void> {
    const random = this.#random;
    const kind = random.below(100);
    if (kind < 50) return this.put(store);
    if (kind < 65) return this.#delete(store);
    if (kind < 85) return this.#batch(store);
    if (kind < 92) return this.clear(store);
    if (kind < 96) return this.#after(() => store.flush(), true);
    if (kind < 98) return this.#after(() => store.compact(), true);
    return this.checkpoint(store);
  }

  put(store: Store, sync = this.#random.chance(0.15)): Promise<void> {
    const [key, value] = [this.#key(), ++this.#lastValue];
    this.#content.set(key, value);
    return this.#after(() => store.put(utf8(key), bytesOf(value), { sync }), sync);
  }

  /** A prefix, or some of it from either end. */
  clear(store: Store): Promise<void> {
    const random = this.#random;
    const prefix = `${random.below(4)}`;
    const lower = utf8(prefix);
    const range: KeyRange = { lower, upper: prefixSuccessor(lower) };
    const keys = [...this.#content.keys()].filter((key) => key.startsWith(prefix)).sort();
    if (random.chance(0.7)) {
      for (const key of keys) this.#content.delete(key);
      return this.#after(() => store.clear(range), false);
    }
    const [limit, reverse] = [random.below(10), random.chance(0.5)];
    if (reverse) keys.reverse();
    for (const key of keys.slice(0, limit)) this.#content.delete(key);
    return this.#after(() => store.clear(range, { limit, reverse }), false);
  }

  async checkpoint(store: Store): Promise<void> {
    const directory = `/checkpoint${this.#states.length}.${this.checkpoints.size}`;
    let isDone = false;
    await this.#after(async () => {
      await store.checkpoint(directory);
      isDone = true;
    }, true);
    // It has what was written before the call; what is written meanwhile may be there, too.
    if (isDone) this.checkpoints.set(directory, '');
  }

  #delete(store: Store): Promise<void> {
    const key = this.#key();
    const sync = this.#random.chance(0.15);
    this.#content.delete(key);
    return this.#after(() => store.delete(utf8(key), { sync }), sync);
  }

  #batch(store: Store): Promise<void> {
    const random = this.#random;
    const batch = new WriteBatch();
    for (let i = random.below(20); i >= 0; i--) {
      const key = this.#key();
      if (random.chance(0.3)) {
        batch.delete(utf8(key));
        this.#content.delete(key);
      } else {
        const value = ++this.#lastValue;
        batch.put(utf8(key), bytesOf(value));
        this.#content.set(key, value);
      }
    }
    const sync = random.chance(0.2);
    return this.#after(() => store.write(batch, { sync }), sync);
  }

  #key(): string {
    return `${this.#random.below(4)}/${this.#random.below(12)}`;
  }

  /** The state after a call is noted at the call; that it will last when the call has been answered. */
  async #after(call: () => Promise<unknown>, isDurable: boolean): Promise<void> {
    const index = this.#states.push(stateOf(this.#content)) - 1;
    try {
      await call();
      this.acknowledged = Math.max(this.acknowledged, index);
      if (isDurable) this.durable = Math.max(this.durable, index);
    } catch (error) {
      this.failures.push(error);
    }
  }

  #firstFrom(state: string, since: number): number {
    return this.#states.indexOf(state, since);
  }
}

/** Of one length for one number: a few are larger than any block. */
function bytesOf(value: number): Uint8Array {
  return utf8(`${value}${'.'.repeat(value % 17 === 0 ? 3000 : (value * 7) % 60)}`);
}

export function stateOf(content: ReadonlyMap<string, number>): string {
  return [...content]
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(' ');
}

/** What a store holds, by the numbers of the values, each of which is looked at. */
export async function numbersIn(store: Store): Promise<Map<string, number>> {
  const numbers = new Map<string, number>();
  for (const [key, value] of await contentOf(store)) {
    const number = Number.parseInt(value, 10);
    numbers.set(key, value === text(bytesOf(number)) ? number : Number.NaN);
  }
  return numbers;
}
