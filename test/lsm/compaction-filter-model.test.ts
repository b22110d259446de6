import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { EngineSnapshot } from '../../lsm/engine.ts';
import type { DbOptions } from '../../lsm/options.ts';
import type { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { seeded } from '../support/random.ts';
import { contentOf, hex, keyAt, put, seriesKey, text, utf8 } from './engine-support.ts';
import { type FilteredDb, openFiltered } from './filtered-db.ts';
import { timeOf } from './rule-filter.ts';

const write = fc.record({
  series: fc.nat(5),
  /** After the cutoff in force: what a host takes obeys its state. */
  age: fc.nat(25),
  value: fc.constantFrom('tombstone', 'kept', 'history'),
});
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      writes: fc.array(write, { minLength: 1, maxLength: 40 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('idle' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('raise' as const),
      by: fc.integer({ min: 1, max: 15 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('rewrite' as const), choice: fc.nat(7) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('full' as const), isAwaited: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      operation: fc.nat(120),
      seed: fc.nat(),
    }),
  },
);

type Sizes = Partial<DbOptions>;
/** With these a series fills several tables of a level. */
const MANY_TABLES: Sizes = { tableBytes: 120, blockSizeBytes: 60 };

/** Every value that was written last under its key, whatever compactions have dropped. */
type Model = Map<string, string>;

class Pair {
  opened: FilteredDb;
  model: Model = new Map();
  /** Before the last time that it was opened. */
  droppedEntries = 0;
  readonly #sizes: Sizes;
  readonly #held: { snapshot: EngineSnapshot; content: Map<string, string> }[] = [];
  /** The model at each position that was noted. */
  readonly #at = new Map<string, Model>();
  #writes = 0;

  constructor(opened: FilteredDb, sizes: Sizes) {
    this.opened = opened;
    this.#sizes = sizes;
  }

  get cutoff(): number {
    return this.opened.host.cutoff ?? 0;
  }

  async put(writes: readonly { series: number; age: number; value: string }[]): Promise<void> {
    const { opened } = this;
    for (const { series, age, value } of writes) {
      const key = keyAt(seriesKey(series % 3, `d${series}`), this.cutoff + age);
      const stored = value === 'tombstone' ? value : `${value} ${++this.#writes}`;
      put(opened.db, key, utf8(stored));
      this.model.set(hex(key), stored);
    }
    opened.position++;
    this.#at.set(`${opened.position}`, new Map(this.model));
    await opened.db.waitForRoom();
  }

  async snapshot(): Promise<void> {
    const snapshot = this.opened.db.snapshot();
    this.#held.push({ snapshot, content: await contentOf(snapshot) });
  }

  /** Brings everything together, now or while other things happen. */
  async full(isAwaited: boolean): Promise<void> {
    const { db } = this.opened;
    if (!isAwaited) {
      db.compactFully().catch((error) => expect(error.code).toBe('ENGINE_CLOSED'));
      return;
    }
    await db.flush();
    await db.compactFully();
    const { droppedEntries } = db.statistics();
    await db.compactFully();
    expect(db.statistics().droppedEntries).toBe(droppedEntries);
  }

  /** Loses power at an operation of the file system in a full compaction, or behind it. */
  async crash(operation: number, seed: number): Promise<void> {
    const { db, vfs } = this.opened;
    const random = seeded(seed);
    let image: CrashableMemVfs | undefined;
    let operations = 0;
    const cut = () => vfs.crashClone({ unsyncedKeepRatio: random(), random });
    vfs.onOperation = () => {
      if (operations++ === operation) image = cut();
    };
    await db.compactFully();
    vfs.onOperation = undefined;
    await this.reopen(image ?? cut());
  }

  async reopen(vfs = this.opened.vfs): Promise<void> {
    await this.checkSnapshots();
    const { db, position, host } = this.opened;
    await db.close();
    this.droppedEntries += db.statistics().droppedEntries;
    this.opened = await openFiltered(vfs, { ...this.#sizes, cutoff: host.cutoff ?? 0 });
    const positions = this.opened.db.flushedPositions();
    this.model = new Map(positions && this.#at.get(text(positions)));
    this.opened.position = position;
    this.#at.set(`${position}`, new Map(this.model));
  }

  async checkSnapshots(): Promise<void> {
    for (const { snapshot, content } of this.#held.splice(0)) {
      expect(await contentOf(snapshot)).toEqual(content);
      snapshot.close();
    }
  }

  /** Kept values are there; what is not in the model is not there; what a dropped tombstone hid is gone. */
  async check(): Promise<void> {
    const snapshot = this.opened.db.snapshot();
    const content = await contentOf(snapshot);
    snapshot.close();
    for (const key of content.keys()) expect(this.model.has(key)).toBe(true);
    for (const [key, value] of this.model) {
      if (timeOfHex(key) >= this.cutoff) expect(content.get(key)).toBe(value);
      if (value === 'tombstone' && content.get(key) !== value)
        this.#expectNothingBelow(key, content);
    }
    for (const [series, key] of this.#newestKeys()) {
      const value = this.model.get(key) as string;
      const newest = [...content.keys()].filter((other) => seriesOf(other) === series).sort()[0];
      const found = newest && content.get(newest);
      if (value.startsWith('kept')) expect(found).toBe(value);
      if (value === 'tombstone') expect([undefined, value]).toContain(found);
    }
  }

  #expectNothingBelow(tombstone: string, content: ReadonlyMap<string, string>): void {
    const hidden = [...content.keys()].filter(
      (key) => seriesOf(key) === seriesOf(tombstone) && key >= tombstone,
    );
    expect(hidden).toEqual([]);
  }

  #newestKeys(): Map<string, string> {
    const newest = new Map<string, string>();
    for (const key of [...this.model.keys()].sort().reverse()) newest.set(seriesOf(key), key);
    return newest;
  }
}

const seriesOf = (key: string) => key.slice(0, -16);
const timeOfHex = (key: string) => timeOf(Uint8Array.from(Buffer.from(key, 'hex')));

it('whatever is flushed, compacted, rewritten and reopened, only what the filter drops goes', async () => {
  let droppedEntries = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { minLength: 20, maxLength: 60, size: 'max' }),
      fc.constantFrom({}, MANY_TABLES),
      async (commands, sizes) => {
        const pair = new Pair(await openFiltered(undefined, { ...sizes, cutoff: 0 }), sizes);
        for (const command of commands) {
          const { db, host } = pair.opened;
          if (command.kind === 'put') await pair.put(command.writes);
          else if (command.kind === 'flush') await db.flush();
          else if (command.kind === 'idle') await db.compactionsIdle();
          else if (command.kind === 'raise') host.cutoff = pair.cutoff + command.by;
          else if (command.kind === 'rewrite') {
            await db.compactWhere(({ fileNumber }) => fileNumber % 8 !== command.choice);
          } else if (command.kind === 'snapshot') await pair.snapshot();
          else if (command.kind === 'full') await pair.full(command.isAwaited);
          else {
            if (command.kind === 'crash') await pair.crash(command.operation, command.seed);
            else await pair.reopen();
          }
          await pair.check();
        }
        await pair.checkSnapshots();
        await pair.opened.db.close();
        droppedEntries += pair.droppedEntries + pair.opened.db.statistics().droppedEntries;
      },
    ),
    { numRuns: 50, interruptAfterTimeLimit: 20_000 },
  );
  expect(droppedEntries).toBeGreaterThan(300);
});
