import { describe, expect, it } from 'vitest';
import type { Db } from '../../../lsm/db.ts';
import type { StateMachine } from '../../../node/shard/state-machine.ts';
import { type WatchBatch, WatchFeed } from '../../../node/shard/watch-feed.ts';
import { settled } from '../../support/settled.ts';
import { batchOf, openEngine, stateMachine, text, writeEntry } from '../support.ts';

/** A replica's state machine and its feed. */
class Shard {
  readonly feed = new WatchFeed();
  readonly #engine: Db;
  readonly #machine: StateMachine;
  #number = 0;

  constructor(engine: Db) {
    this.#engine = engine;
    this.#machine = stateMachine(engine);
  }

  get appliedIndex(): number {
    return this.#machine.appliedIndex;
  }

  put(...puts: readonly (readonly [string, string])[]): void {
    const index = this.appliedIndex + 1;
    const batch = batchOf(puts, { number: ++this.#number });
    this.#machine.apply(writeEntry(index, batch, index * 1_000), this.feed);
    this.feed.entryApplied(index);
  }

  watch(
    filter: string,
    options: { after?: number; hold?: (batch: WatchBatch) => Promise<void> | undefined } = {},
  ) {
    const batches: WatchBatch[] = [];
    const deliver = (batch: WatchBatch) => {
      batches.push(batch);
      return options.hold?.(batch);
    };
    const handle = this.feed.open(
      { filter, after: options.after ?? 0, sink: { deliver, feedClosed: () => {} } },
      {
        snapshot: this.#engine.snapshot(),
        appliedIndex: this.appliedIndex,
        highestVersion: this.#machine.highestVersion,
        tombstoneCutoff: 0,
        firstSlot: 0,
        slotCount: 256,
        pause: () => undefined,
      },
    );
    return { ...handle, batches };
  }
}

const told = (batches: readonly WatchBatch[]) =>
  batches.flatMap(({ items }) => items.map((item) => `${text(item.key)}=${text(item.value)}`));

/** Everything from index 0 on is covered, without a hole and without an overlap. */
function expectNoHole(batches: readonly WatchBatch[]): void {
  let covered: number | undefined;
  for (const { snapshot, snapshotDone, fromIndex, toIndex } of batches) {
    if (snapshot) {
      if (snapshotDone) covered = toIndex;
      continue;
    }
    expect(fromIndex).toBe(covered);
    expect(toIndex).toBeGreaterThan(fromIndex);
    covered = toIndex;
  }
}

describe('a watch', () => {
  it('begins with the current values and goes on with every change', async () => {
    const shard = new Shard(await openEngine());
    shard.put(['a/1', 'x'], ['b/1', 'y'], ['a/2', 'z']);
    shard.put(['a/2', '']);
    const { batches, done } = shard.watch('a/#');
    await done;
    expect(told(batches)).toEqual(['a/1=x']);
    expect(batches.at(-1)).toMatchObject({
      snapshot: true,
      snapshotDone: true,
      toIndex: 2,
      highestVersion: 2_000,
    });
    shard.put(['b/1', 'not ours']);
    shard.put(['a/1', 'x2'], ['b/1', 'q'], ['a/3', 'w']);
    shard.put(['a/1', '']);
    expect(told(batches.slice(1))).toEqual(['a/1=x2', 'a/3=w', 'a/1=']);
    expect(batches.at(-1)?.items[0]?.deleted).toBe(true);
    expectNoHole(batches);
  });

  it('holds back what changes while its snapshot is on its way, and misses none of it', async () => {
    const shard = new Shard(await openEngine());
    for (let i = 0; i < 600; i++) shard.put([`k${i}`, 'old']);
    let resume = () => {};
    const { batches, done } = shard.watch('#', {
      hold: () =>
        batches.length > 1
          ? undefined
          : new Promise((resolve) => {
              resume = resolve;
            }),
    });
    await settled();
    expect(batches).toHaveLength(1);
    shard.put(['k5', 'new'], ['later', 'v']);
    shard.put(['k6', 'newer']);
    resume();
    await done;
    const snapshot = batches.filter((batch) => batch.snapshot);
    expect(snapshot.flatMap(({ items }) => items)).toHaveLength(600);
    expect(told(snapshot)).toContain('k5=old');
    expect(told(batches.filter((batch) => !batch.snapshot))).toEqual([
      'k5=new',
      'later=v',
      'k6=newer',
    ]);
    shard.put(['k7', 'last']);
    expect(told(batches).at(-1)).toBe('k7=last');
    expectNoHole(batches);
  });

  it('that waits for long keeps the newest of each key', async () => {
    const shard = new Shard(await openEngine());
    shard.put(['a', '0']);
    let resume = () => {};
    const { batches, done } = shard.watch('#', {
      hold: ({ snapshot }) =>
        snapshot
          ? new Promise((resolve) => {
              resume = resolve;
            })
          : undefined,
    });
    await settled();
    for (let i = 1; i <= 25_000; i++) shard.put([i % 2 === 0 ? 'a' : 'b', `${i}`]);
    resume();
    await done;
    const changes = batches.filter((batch) => !batch.snapshot);
    const items = changes.flatMap((batch) => batch.items);
    expect(items.length).toBeLessThan(15_000);
    expect(told(changes).slice(-2).sort()).toEqual(['a=25000', 'b=24999']);
    const versions = items.map(({ version }) => version);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expectNoHole(batches);
  });

  it('sends no batch that is much larger than a message may be', async () => {
    const shard = new Shard(await openEngine());
    const big = 'x'.repeat(200_000);
    for (let i = 0; i < 12; i++) shard.put([`k${i}`, big]);
    const { batches, done } = shard.watch('#');
    for (let i = 0; i < 12; i++) shard.put([`late${i}`, big]);
    await done;
    expect(told(batches)).toHaveLength(24);
    for (const { items } of batches) {
      expect(items.reduce((sum, item) => sum + item.value.length, 0)).toBeLessThanOrEqual(600_000);
    }
    expect(batches.length).toBeGreaterThan(8);
    expectNoHole(batches);
  });

  it('that goes on after a version is told what is newer, deletions included', async () => {
    const shard = new Shard(await openEngine());
    shard.put(['a', '1']);
    shard.put(['b', '2']);
    shard.put(['a', ''], ['c', '3']);
    const { batches, done } = shard.watch('#', { after: 2_000 });
    await done;
    expect(told(batches).sort()).toEqual(['a=', 'c=3']);
  });

  it('of one key reads that key only', async () => {
    const shard = new Shard(await openEngine());
    shard.put(['plant1', 'here'], ['plant1/x', 'below'], ['plant10', 'beside']);
    const { batches, done } = shard.watch('plant1');
    await done;
    expect(told(batches)).toEqual(['plant1=here']);
    shard.put(['plant10', 'no'], ['plant1', 'yes']);
    expect(told(batches)).toEqual(['plant1=here', 'plant1=yes']);
  });

  it('hears of its end when it is open, though its first read ends the replica', async () => {
    const engine = await openEngine();
    const shard = new Shard(engine);
    const snapshot = engine.snapshot();
    const heard: string[] = [];
    const first = (): undefined => {
      shard.feed.closeAll();
    };
    const sink = { deliver: () => undefined, feedClosed: () => void heard.push('closed') };
    const handle = shard.feed.open(
      { filter: 'x', after: 0, sink },
      {
        snapshot: Object.assign(snapshot, { first }),
        ...{ appliedIndex: 0, highestVersion: 0, tombstoneCutoff: 0 },
        ...{ firstSlot: 0, slotCount: 256, pause: () => undefined },
      },
    );
    heard.push('open');
    await handle.done;
    expect(heard).toEqual(['open', 'closed']);
  });

  it('is told nothing after it is closed, in the middle of its snapshot too', async () => {
    const shard = new Shard(await openEngine());
    for (let i = 0; i < 600; i++) shard.put([`k${i}`, 'v']);
    const watch = shard.watch('#', {
      hold: () => {
        watch.close();
        return undefined;
      },
    });
    await watch.done;
    shard.put(['k1', 'w']);
    expect(watch.batches).toHaveLength(1);
    expect(shard.feed.wantsWrites).toBe(false);
  });
});
