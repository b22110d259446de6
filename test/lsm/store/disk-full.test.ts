import { expect, it } from 'vitest';
import type { EngineEvent } from '../../../lsm/engine.ts';
import type { Store } from '../../../lsm/store/store.ts';
import { answered } from '../proofs/faults.ts';
import { CrashableMemVfs, contentOf, openSmall, put, utf8 } from './store-support.ts';

// With a `pause`, as DssLevel has one: what a full disk refused is tried again by itself.

/** Pauses that last until the test ends them. */
class Pauses {
  #end: (() => void)[] = [];
  readonly pause = (milliseconds: number) =>
    milliseconds < 1000 ? Promise.resolve() : new Promise<void>((end) => void this.#end.push(end));

  get count(): number {
    return this.#end.length;
  }

  over(): void {
    for (const end of this.#end.splice(0)) end();
  }
}

const full = { code: 'DISK_FULL' };
const everything = { lower: new Uint8Array(0) };

/** Puts until so many were refused. */
async function fill(store: Store, content: Map<string, string>, refusals: number): Promise<void> {
  let refused = 0;
  for (let i = content.size; refused < refusals; i++) {
    expect(i).toBeLessThan(10_000);
    const [key, value] = [`key ${i}`, `${i}`];
    await answered(put(store, key, value), `put ${i}`).then(
      () => content.set(key, value),
      (error) => {
        expect(error).toMatchObject(full);
        refused++;
      },
    );
  }
}

/** Tables have no room; with `isLogToo` the log has none either when it has grown to some size. */
async function onFullDisk(isLogToo: boolean) {
  const vfs = new CrashableMemVfs();
  const pauses = new Pauses();
  const events: EngineEvent[] = [];
  const onEvent = (event: EngineEvent) => void events.push(event);
  const tuning = { pause: pauses.pause, onEvent, memtableBytes: 100_000 };
  const store = await openSmall(vfs, tuning);
  const content = new Map<string, string>();
  if (isLogToo) vfs.bytesMax = 120_000;
  else {
    vfs.onOperation = ({ kind, path }) => {
      if (kind !== 'write' || path.endsWith('.wal')) return;
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    };
  }
  await fill(store, content, 20);
  const makeRoom = () => {
    vfs.bytesMax = Number.POSITIVE_INFINITY;
    vfs.onOperation = undefined;
  };
  return { vfs, store, pauses, events, content, tuning, makeRoom };
}

const kindsOfFullness: [string, boolean][] = [
  ['for tables', false],
  ['for tables and the log', true],
];

it.each(kindsOfFullness)('no room %s: all that would wait is refused', async (_, isLogToo) => {
  const { store, content, events, pauses } = await onFullDisk(isLogToo);
  const calls: [string, () => Promise<unknown>][] = [
    ['clear', () => store.clear(everything)],
    ['flush', () => store.flush()],
    ['compact', () => store.compact()],
    ['checkpoint', () => store.checkpoint('/copy')],
    ['clear', () => store.clear(everything)],
  ];
  for (const [name, call] of calls) {
    await expect(answered(call(), name), name).rejects.toMatchObject(full);
  }
  expect(await contentOf(store)).toEqual(content);
  expect(events.filter(({ kind }) => kind === 'background-error')).toEqual([]);
  expect(pauses.count).toBe(1);
  await answered(store.close(), 'close');
});

it.each(kindsOfFullness)(
  'no room %s: goes on by itself when there is some',
  async (_, isLogToo) => {
    const { vfs, store, content, events, pauses, makeRoom } = await onFullDisk(isLogToo);
    await expect(answered(store.clear(everything), 'clear')).rejects.toMatchObject(full);
    makeRoom();
    pauses.over();
    await answered(store.flush(), 'flush');
    expect(events.map(({ kind }) => kind)).toContain('disk-has-room');
    expect(await contentOf(store)).toEqual(content);
    await answered(put(store, 'new', 'new', true), 'put');
    content.set('new', 'new');
    const lost = vfs.crashClone({ unsyncedKeepRatio: 0, random: () => 0 });
    expect(await contentOf(await openSmall(lost))).toEqual(content);
    await answered(store.clear(everything), 'clear');
    expect((await contentOf(store)).size).toBe(0);
    await answered(store.close(), 'close');
  },
);

it.each(kindsOfFullness)(
  'no room %s: closes, and opens with all there was',
  async (_, isLogToo) => {
    const { vfs, store, content, tuning, makeRoom } = await onFullDisk(isLogToo);
    await expect(answered(store.clear(everything), 'clear')).rejects.toMatchObject(full);
    await answered(store.close(), 'close');
    // Also with memtables so small that what is in the log does not fit into them.
    const again = await answered(openSmall(vfs, { ...tuning, memtableBytes: 5000 }), 'open');
    expect(await contentOf(again)).toEqual(content);
    makeRoom();
    await answered(again.flush(), 'flush');
    await again.put(utf8('new'), utf8('new'));
    await answered(again.close(), 'close');
    expect((await contentOf(await openSmall(vfs))).size).toBe(content.size + 1);
  },
);

it('what is asked for again and again on a full disk takes no more memory', async () => {
  const { store } = await onFullDisk(false);
  await expect(store.flush()).rejects.toMatchObject(full);
  const { frozenMemtables } = store.statistics();
  for (let i = 0; i < 5; i++) {
    await expect(store.clear(everything)).rejects.toMatchObject(full);
    await expect(store.flush()).rejects.toMatchObject(full);
  }
  expect(store.statistics().frozenMemtables).toBe(frozenMemtables);
  await store.close();
});

it('the log of a store with small memtables is small when all is in tables', async () => {
  const MIB = 1024 * 1024;
  const vfs = new CrashableMemVfs();
  const store = await openSmall(vfs, { memtableBytes: MIB, logFileBytes: undefined });
  for (let i = 0; i < 60; i++) await put(store, `${i}`, 'x'.repeat(100_000));
  await store.flush();
  await put(store, 'last', 'x');
  expect(store.statistics().logBytes).toBeLessThanOrEqual(2 * MIB);
  await store.close();
});
