import { LazyMap } from './lazy-map.ts';

/** A limited number of places, each for one name, which may be taken several times over. */
export class Places {
  readonly max: number;
  readonly #taken = new LazyMap<string, number>();

  constructor(max: number) {
    this.max = max;
  }

  hasRoomFor(name: string): boolean {
    return this.#taken.size < this.max || this.#taken.has(name);
  }

  /** Even if there is no room: what a session brings along stays. */
  take(name: string): void {
    this.#taken.set(name, (this.#taken.get(name) ?? 0) + 1);
  }

  release(name: string): void {
    const times = this.#taken.get(name) ?? 0;
    if (times > 1) this.#taken.set(name, times - 1);
    else this.#taken.delete(name);
  }
}
