import assert from 'node:assert/strict';
import type {
  Configuration,
  ConfigurationAt,
  ConfigurationCodec,
  Entry,
  LogIndex,
} from './types.ts';

const NOBODY: Configuration = { voters: [], outgoing: [], learners: [] };

/**
 * The configurations of a log: the one in effect at its start and each that is an entry of it. The newest counts
 * from the moment it is in the log, committed or not (Raft §6); when the log is cut, the one before is back.
 */
export class ConfigurationHistory {
  readonly #codec: ConfigurationCodec;
  /** Invariant: indexes ascend; only the first is at or before the start of the log. */
  #all: readonly ConfigurationAt[];
  #newest: Configuration;
  /** Something is here that no Ready has said yet. */
  #hasNews = false;

  constructor(
    codec: ConfigurationCodec,
    configurations: readonly ConfigurationAt[],
    start: LogIndex,
  ) {
    this.#codec = codec;
    this.#all = configurations;
    this.#newest = this.#read(configurations.at(-1));
    this.compact(start);
  }

  /** Nobody, for a replica that has not heard of any. */
  get newest(): Configuration {
    return this.#newest;
  }

  /** The one before the newest: in effect again if the newest is cut off. */
  get previous(): Configuration {
    return this.#read(this.#all.at(-2));
  }

  /** Of the newest; 0 if there is none. */
  get newestIndex(): LogIndex {
    return this.#all.at(-1)?.index ?? 0;
  }

  get all(): readonly ConfigurationAt[] {
    return this.#all;
  }

  get hasNews(): boolean {
    return this.#hasNews;
  }

  append({ index, term, data }: Entry): void {
    assert(index > this.newestIndex, 'configurations are in the order of the log');
    this.#replace([...this.#all, { index, term, data }]);
  }

  truncateAfter(index: LogIndex): void {
    if (index < this.newestIndex) this.#replace(this.#all.filter((each) => each.index <= index));
  }

  /** Forgets those before the one that is in effect at `start`. That is no news: nobody depends on them. */
  compact(start: LogIndex): void {
    const inEffect = this.#all.findLastIndex(({ index }) => index <= start);
    if (inEffect > 0) this.#all = this.#all.slice(inEffect);
  }

  restore(configurations: readonly ConfigurationAt[], start: LogIndex): void {
    this.#replace(configurations);
    this.compact(start);
  }

  /** For the next Ready, if there is something new. */
  takeNews(): readonly ConfigurationAt[] | undefined {
    if (!this.#hasNews) return undefined;
    this.#hasNews = false;
    return this.#all;
  }

  #replace(configurations: readonly ConfigurationAt[]): void {
    this.#all = configurations;
    this.#newest = this.#read(configurations.at(-1));
    this.#hasNews = true;
  }

  #read(configuration: ConfigurationAt | undefined): Configuration {
    return configuration === undefined ? NOBODY : this.#codec.read(configuration.data);
  }

  checkInvariants(start: LogIndex, lastIndex: LogIndex): void {
    const indexes = this.#all.map(({ index }) => index);
    assert(
      indexes.every((index, i) => i === 0 || index > (indexes[i - 1] ?? 0)),
      'configurations ascend',
    );
    assert((indexes[0] ?? 0) <= start, 'the configuration at the start of the log is known');
    assert((indexes[1] ?? Infinity) > start, 'older ones are forgotten');
    assert(this.newestIndex <= lastIndex, 'configurations are cut off with the log');
  }
}
