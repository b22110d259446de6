import { Violation } from './violation.ts';

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

  /** When nothing changes any more the newest of each key has been told; a key without a value is undefined. */
  ended(
    key: string,
    current: { readonly version: number; readonly value: string } | undefined,
  ): void {
    if (!this.snapshotDone) this.#fail('its snapshot never ends');
    const told = this.#newest.get(key);
    if (current === undefined ? (told?.value ?? '') === '' : told?.version === current.version)
      return;
    const is = current === undefined ? 'has no value' : `is ${current.value}@${current.version}`;
    this.#fail(
      `${key} ${is}, but it was told ${told === undefined ? 'nothing' : `${told.value}@${told.version}`}`,
    );
  }

  #fail(message: string): never {
    throw new Violation('watches go forward', `${this.#name}: ${message}`);
  }
}
