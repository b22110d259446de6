import { compareBytes } from '../../../lsm/bytes.ts';
import { createCompactionFilter } from '../../../node/retention/compaction-filter.ts';
import { encodeFilterState } from '../../../node/retention/filter-state.ts';
import { Retention, type Watermark } from '../../../node/retention/retention.ts';
import type { RetentionRule } from '../../../node/retention/rules.ts';
import { SeriesFilter } from '../../../node/retention/series-filter.ts';
import { slotOf } from '../../../node/ring/slots.ts';
import { engineKeyAt, Space, writeValueHeader } from '../../../node/shard/engine-key.ts';
import { utf8 } from '../../support/text.ts';

/**
 * Two replicas of one shard, as far as retention is concerned: one that keeps all it was ever given, and one
 * that has memtables and tables, compacts them through the filter, and crashes.
 */

export type LogEntry =
  | {
      readonly kind: 'write';
      readonly version: number;
      readonly key: string;
      /** 0: none. */
      readonly eventTime: number;
      readonly tombstone: boolean;
    }
  | {
      readonly kind: 'rules';
      readonly version: number;
      readonly revision: number;
      readonly rules: readonly RetentionRule[];
    }
  | ({ readonly kind: 'watermark' } & Watermark);

export interface Stored {
  readonly key: string;
  readonly time: number;
  readonly version: number;
  readonly tombstone: boolean;
}

export abstract class Replica {
  retention = Retention.initial;

  abstract put(stored: Stored): void;
  /** Newest first. */
  abstract series(key: string): Stored[];

  apply(entry: LogEntry): void {
    if (entry.kind === 'rules') {
      this.retention = this.retention.withRules(entry.revision, entry.rules, entry.version);
    } else if (entry.kind === 'watermark') {
      this.retention = this.retention.withWatermark(entry);
    } else {
      const { key, version, tombstone } = entry;
      this.put({ key, time: this.#timeOf(entry), version, tombstone });
    }
  }

  visible(key: string): Stored[] {
    const filter = new SeriesFilter();
    filter.reset(this.retention.of(utf8(key)));
    return this.series(key).filter(({ time, version, tombstone }) => {
      const wasExhausted = filter.isExhausted;
      const isSeen = filter.sees(time, version, tombstone);
      if (wasExhausted && isSeen) throw new Error('seen behind the end');
      return isSeen;
    });
  }

  /** The rule of node/retention/README.md for writes with an event time. */
  #timeOf({ key, eventTime, version }: LogEntry & { kind: 'write' }): number {
    if (eventTime === 0) return version;
    const { tombstoneCutoff } = this.retention.of(utf8(key));
    if (eventTime >= tombstoneCutoff) return eventTime;
    const [current] = this.series(key);
    const isGone = current === undefined || (current.tombstone && current.time < tombstoneCutoff);
    return isGone ? tombstoneCutoff : eventTime;
  }
}

export class HoardingReplica extends Replica {
  readonly #stored = new Map<string, Stored>();

  put(stored: Stored): void {
    this.#stored.set(idOf(stored), stored);
  }

  series(key: string): Stored[] {
    return newestFirst([...this.#stored.values()].filter((stored) => stored.key === key));
  }
}

type Table = ReadonlyMap<string, Stored>;

interface Memtable {
  readonly entries: Map<string, Stored>;
  /** In force at its first write. */
  oldest: Retention | undefined;
  /** As of its freeze. */
  appliedCount: number;
  retention: Retention;
}

export class CompactingReplica extends Replica {
  dropped = 0;
  readonly #log: readonly LogEntry[];
  #appliedCount = 0;
  /** Oldest first; the last one is active. */
  #memtables: Memtable[] = [newMemtable()];
  /** Newest first. */
  #tables: Table[] = [];
  #flushed = { appliedCount: 0, retention: Retention.initial };
  #job: { readonly inputs: readonly Table[]; readonly output: Table } | undefined;

  constructor(log: readonly LogEntry[]) {
    super();
    this.#log = log;
  }

  catchUp(): void {
    while (this.#appliedCount < this.#log.length) {
      this.apply(this.#log[this.#appliedCount] as LogEntry);
      this.#appliedCount += 1;
    }
  }

  put(stored: Stored): void {
    const active = this.#memtables.at(-1) as Memtable;
    active.oldest ??= this.retention;
    active.entries.set(idOf(stored), stored);
  }

  series(key: string): Stored[] {
    const memtables = this.#memtables.map(({ entries }) => entries).reverse();
    const merged = merge([...memtables, ...this.#tables]);
    return newestFirst([...merged.values()].filter((stored) => stored.key === key));
  }

  freeze(): void {
    const active = this.#memtables.at(-1) as Memtable;
    active.appliedCount = this.#appliedCount;
    active.retention = this.retention;
    this.#memtables.push(newMemtable());
  }

  flush(): void {
    if (this.#memtables.length < 2) this.freeze();
    const { entries, appliedCount, retention } = this.#memtables.shift() as Memtable;
    if (entries.size > 0) this.#tables.unshift(entries);
    this.#flushed = { appliedCount, retention };
  }

  /** Starts to compact `count` neighbouring tables; what comes of it counts with `finishCompaction`. */
  startCompaction(first: number, count: number): void {
    if (this.#job !== undefined || this.#tables.length === 0) return;
    const start = first % this.#tables.length;
    const inputs = this.#tables.slice(start, start + count);
    const others = this.#tables.filter((table) => !inputs.includes(table));
    this.#job = { inputs, output: this.#compacted(merge(inputs), others) };
  }

  finishCompaction(): void {
    if (this.#job === undefined) return;
    const { inputs, output } = this.#job;
    const at = this.#tables.indexOf(inputs[0] as Table);
    this.#tables.splice(at, inputs.length, ...(output.size > 0 ? [output] : []));
    this.#job = undefined;
  }

  crash(): void {
    this.#memtables = [newMemtable()];
    this.#job = undefined;
    this.#appliedCount = this.#flushed.appliedCount;
    this.retention = this.#flushed.retention;
    this.catchUp();
  }

  #compacted(entries: Table, others: readonly Table[]): Table {
    const oldest = this.#memtables.find((memtable) => memtable.oldest !== undefined)?.oldest;
    const filter = createCompactionFilter(
      stateOf(this.retention),
      stateOf(oldest ?? this.retention),
    );
    const isAlone = ({ key }: Stored) =>
      others.every((table) => [...table.values()].every((other) => other.key !== key));
    const sorted = [...entries.values()]
      .map((stored) => ({ stored, key: engineKeyOf(stored), value: engineValueOf(stored) }))
      .sort((a, b) => compareBytes(a.key, b.key));
    const kept = sorted.filter(({ stored, key, value }) => {
      const verdict = filter.judge(key, 0, key.length, value, 0, value.length);
      return verdict === 'keep' || (verdict === 'drop-if-alone' && !isAlone(stored));
    });
    this.dropped += sorted.length - kept.length;
    return new Map(kept.map(({ stored }) => [idOf(stored), stored]));
  }
}

export function engineKeyOf({ key, time }: Stored): Uint8Array {
  const bytes = utf8(key);
  return engineKeyAt(slotOf(bytes, 0, bytes.length), Space.userValues, bytes, time);
}

export function engineValueOf({ version, time, tombstone }: Stored): Uint8Array {
  const target = new Uint8Array(64);
  return target.slice(0, writeValueHeader(target, version, time, tombstone, 0, target, 0, 0));
}

function stateOf(retention: Retention): Uint8Array {
  return encodeFilterState([{ firstSlot: 0, slotCount: 256, retention }]);
}

function newMemtable(): Memtable {
  return {
    entries: new Map(),
    oldest: undefined,
    appliedCount: 0,
    retention: Retention.initial,
  };
}

/** Of entries of the same key and time the first counts. */
function merge(newestFirst: readonly Table[]): Table {
  return new Map(newestFirst.toReversed().flatMap((table) => [...table]));
}

function newestFirst(series: Stored[]): Stored[] {
  return series.sort((a, b) => b.time - a.time);
}

function idOf({ key, time }: Stored): string {
  return `${key} ${time}`;
}
