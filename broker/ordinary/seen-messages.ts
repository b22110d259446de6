import { LazySet } from '../lazy-set.ts';

/** So many are remembered of either kind. */
const SEEN_MAX = 1_000;

/**
 * What a client was offered lately. The same message may come live and from the store, in either order; live it comes
 * once. Looking back costs something only where the store had anything.
 */
export class SeenMessages {
  /** A ring: noting a message is writing its id down. */
  readonly #live: string[] = [];
  #next = 0;
  readonly #stored = new LazySet<string>();

  /** It comes live. False: it came from the store before. */
  live(id: string): boolean {
    if (this.#stored.size > 0 && this.#stored.has(id)) return false;
    this.#live[this.#next] = id;
    this.#next = (this.#next + 1) % SEEN_MAX;
    return true;
  }

  /** It was not taken after all, so that a copy in the store is news. */
  forget(id: string): void {
    const index = this.#live.indexOf(id);
    if (index !== -1) this.#live[index] = '';
  }

  /** The store has these; returns those that did not come before. */
  stored(ids: readonly string[]): ReadonlySet<string> {
    const live = new Set(this.#live);
    const news = new Set(ids.filter((id) => !live.has(id) && !this.#stored.has(id)));
    for (const id of news) this.#stored.add(id);
    for (const id of this.#stored) {
      if (this.#stored.size <= SEEN_MAX) break;
      this.#stored.delete(id);
    }
    return news;
  }
}
