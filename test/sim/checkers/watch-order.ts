import { Violation } from './violation.ts';

/** What a key holds; undefined: no value. */
export type WatchedState = { readonly version: number; readonly value: string } | undefined;

/** What one watcher is told, in order: per key nothing older than before, and nothing acknowledged missing. */
export class WatchOrder {
  readonly #name: string;
  readonly #acknowledged: ReadonlyMap<string, number>;
  readonly #newest = new Map<string, { readonly version: number; readonly value: string }>();
  snapshotDone = false;

  /** `acknowledged`: the highest version of each key that was acknowledged before the watch was opened. */
  constructor(name: string, acknowledged: ReadonlyMap<string, number>) {
    this.#name = name;
    this.#acknowledged = acknowledged;
  }

  told(key: string, version: number, value: string, isSnapshot: boolean): void {
    const before = this.#newest.get(key)?.version ?? 0;
    const isForward = isSnapshot ? version >= before : version > before;
    if (!isForward) this.#fail(`${key}@${version} comes after @${before}`);
    this.#newest.set(key, { version, value });
  }

  /** Everything that was acknowledged when the watch was opened is told, or was deleted and is not there. */
  allTold(): void {
    this.snapshotDone = true;
    for (const [key, acknowledged] of this.#acknowledged) {
      const version = this.#newest.get(key)?.version;
      if (version !== undefined && version < acknowledged)
        this.#fail(`${key} begins with @${version}, but @${acknowledged} was acknowledged before`);
    }
  }

  /** Whether the newest that was told of a key is this. */
  isAt(key: string, current: WatchedState): boolean {
    const told = this.#newest.get(key);
    if (!this.snapshotDone) return false;
    return current === undefined ? (told?.value ?? '') === '' : told?.version === current.version;
  }

  /** When nothing changes any more the newest of each key has been told. */
  ended(key: string, current: WatchedState): void {
    if (this.isAt(key, current)) return;
    if (!this.snapshotDone) this.#fail('its snapshot never ends');
    const told = this.#newest.get(key);
    const is = current === undefined ? 'has no value' : `is ${current.value}@${current.version}`;
    const was = told === undefined ? 'nothing' : `${told.value || 'a deletion'}@${told.version}`;
    this.#fail(`${key} ${is}, but it was told ${was}`);
  }

  #fail(message: string): never {
    throw new Violation('watches go forward', `${this.#name}: ${message}`);
  }
}
