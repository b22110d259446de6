import { expect, it } from 'vitest';
import type { Db } from '../../../lsm/db.ts';
import { LsmError } from '../../../lsm/errors.ts';
import { crc32c } from '../../../lsm/hash/crc32c.ts';
import { EntryKind } from '../../../node/raft/types.ts';
import { slotOf } from '../../../node/ring/slots.ts';
import type { WriteObserver } from '../../../node/shard/apply-writes.ts';
import { readCurrent } from '../../../node/shard/current-values.ts';
import { decodeExpiryKey, Space } from '../../../node/shard/engine-key.ts';
import type { ApplyOutcome } from '../../../node/shard/state-machine.ts';
import { type WatchBatch, WatchFeed } from '../../../node/shard/watch-feed.ts';
import { WriteBatchBuilder, type WriteCondition } from '../../../node/shard/write-batch.ts';
import { encode, kv } from '../../../protos/index.ts';
import { scan } from '../../support/scan.ts';
import { openEngine, stateMachine, text, utf8, viewOf, writeEntry } from '../support.ts';

const NOBODY: WriteObserver = { wantsWrites: false, wantsReservedWrites: false, written: () => {} };
const HOUR = 3_600_000 * 4096;

interface Put {
  readonly key: string;
  readonly value: string;
  readonly time?: number;
  readonly ttlMs?: number;
  readonly condition?: WriteCondition;
}

async function shard(engine?: Db, observer = NOBODY) {
  const db = engine ?? (await openEngine());
  const machine = stateMachine(db);
  let index = 0;
  let batches = 0;
  const applyEntry = async (entry: Parameters<typeof machine.apply>[0]) => {
    for (let p = machine.prepare(entry, observer); p; p = machine.prepare(entry, observer)) await p;
    return machine.apply(entry, observer);
  };
  return {
    engine: db,
    machine,
    write: (baseVersion: number, ...puts: Put[]): Promise<ApplyOutcome> => {
      const builder = new WriteBatchBuilder();
      for (const { key, value, time = 0, ttlMs = 0, condition } of puts) {
        const bytes = utf8(key + value);
        const keyEnd = utf8(key).length;
        builder.add(bytes, 0, keyEnd, keyEnd, bytes.length, time, ttlMs, condition);
      }
      const bytes = builder.take();
      const number = ++batches;
      const origin = { node: 'aaaaaaaaaaaaaaaa', startCounter: 1, number };
      const batch = { ...origin, count: puts.length, crc: crc32c(bytes), bytes };
      return applyEntry(writeEntry(++index, batch, baseVersion));
    },
    record: (kind: number, data: Uint8Array) => applyEntry({ term: 1, index: ++index, kind, data }),
    read: async (key: string) => {
      const snapshot = db.snapshot();
      const bytes = utf8(key);
      const found = await readCurrent(snapshot, slotOf(bytes, 0, bytes.length), bytes);
      snapshot.close();
      return found && { ...found, key, value: text(found.value) };
    },
  };
}

function resultsOf(outcome: ApplyOutcome) {
  return outcome.kind === 'applied'
    ? outcome.sections.flatMap(({ results }) => results ?? [])
    : outcome;
}

it('a conditional write is decided by the value at its own version, within a batch too', async () => {
  const { write, read } = await shard();
  const ifNone = { kind: 'version', ifVersion: 0 } as const;
  const outcome = await write(
    100,
    { key: 'a', value: 'first', condition: ifNone },
    { key: 'a', value: 'second', condition: ifNone },
    { key: 'a', value: 'third', condition: { kind: 'version', ifVersion: 100 } },
    { key: 'a', value: '' },
    { key: 'a', value: 'fifth', condition: ifNone },
    { key: 'b', value: 'plain' },
  );
  expect(resultsOf(outcome)).toEqual([
    { ordinal: 0, won: true, version: 100, expiresAt: 0 },
    { ordinal: 1, won: false, version: 100, expiresAt: 0 },
    { ordinal: 2, won: true, version: 102, expiresAt: 0 },
    { ordinal: 4, won: true, version: 104, expiresAt: 0 },
  ]);
  expect(await read('a')).toMatchObject({ value: 'fifth', version: 104 });
  expect(await read('b')).toMatchObject({ value: 'plain', version: 105 });
});

it('a value has expired at the version that is its expiry, and not before', async () => {
  const { write, read, engine } = await shard();
  const put = { key: 'k', value: 'v', ttlMs: 2 };
  await write(1_000, put);
  const expiresAt = 1_000 + 2 * 4096;
  expect(await read('k')).toMatchObject({ expiresAt });
  const again = { key: 'k', value: 'w', condition: { kind: 'version', ifVersion: 0 } } as const;
  const end = { key: 'k', value: '', condition: { kind: 'expired', ifVersion: 1_000 } } as const;
  expect(resultsOf(await write(expiresAt - 2, again))).toMatchObject([
    { won: false, version: 1_000 },
  ]);
  await write(expiresAt - 1, end);
  expect(await read('k')).toMatchObject({ deleted: false });
  await write(expiresAt, end);
  expect(await read('k')).toMatchObject({ deleted: true, version: expiresAt });
  expect(resultsOf(await write(expiresAt + 1, again))).toMatchObject([{ won: true }]);
  const snapshot = engine.snapshot();
  const index = (await scan(snapshot)).filter(({ key }) => key[1] === Space.expiries);
  snapshot.close();
  expect(index.map(({ key }) => decodeExpiryKey(key))).toEqual([
    { expiresAt, key: utf8('k'), version: 1_000 },
  ]);
});

it('a rule’s ttl counts where a write has none of its own, and not for deletes', async () => {
  const { write, read, record, machine } = await shard();
  const rules = [{ prefix: 'short', ttlMs: 1_000 }];
  await record(
    EntryKind.rules,
    encode(kv.RulesRecord, { format: 1, version: 50, revision: 1, rules }),
  );
  expect(machine.highestVersion).toBe(50);
  await write(
    100,
    { key: 'short/a', value: 'v' },
    { key: 'short/b', value: 'v', ttlMs: 7 },
    { key: 'short/c', value: '' },
    { key: 'shorter', value: 'v' },
  );
  expect((await read('short/a'))?.expiresAt).toBe(100 + 1_000 * 4096);
  expect((await read('short/b'))?.expiresAt).toBe(101 + 7 * 4096);
  expect((await read('short/c'))?.expiresAt).toBeUndefined();
  expect((await read('shorter'))?.expiresAt).toBeUndefined();
});

it('a reading older than any tombstone that may be gone is current with the tombstone and without', async () => {
  for (const isDeleted of [true, false]) {
    const { write, read, record } = await shard();
    if (isDeleted) await write(HOUR, { key: 'k', value: 'v' }, { key: 'k', value: '' });
    const cutoffs = [{ prefix: '', time: 5 * HOUR }];
    const watermark = { format: 1, version: 9 * HOUR, cutoffs, expiryFloor: 0 };
    await record(EntryKind.watermark, encode(kv.WatermarkRecord, watermark));
    const late = (value: string, hours: number) => ({ key: 'k', value, time: hours * HOUR });
    await write(10 * HOUR, late('first', 0.5));
    expect(await read('k')).toMatchObject({ value: 'first', time: HOUR / 2, deleted: false });
    await write(11 * HOUR, late('earlier', 0.4), late('later', 2), late('in between', 1));
    expect(await read('k')).toMatchObject({ value: 'later', time: 2 * HOUR });
    await record(
      EntryKind.watermark,
      encode(kv.WatermarkRecord, { ...watermark, version: 12 * HOUR }),
    );
    await write(13 * HOUR, late('again', 2), late('still earlier', 0.1));
    expect(await read('k')).toMatchObject({ value: 'again', time: 2 * HOUR });
    await write(14 * HOUR, late('recent', 6));
    expect(await read('k')).toMatchObject({ value: 'recent', time: 6 * HOUR });
  }
});

it('a late delete holds against readings that are older still', async () => {
  const { write, read, record } = await shard();
  const cutoffs = [{ prefix: '', time: 5 * HOUR }];
  const watermark = { format: 1, version: 9 * HOUR, cutoffs, expiryFloor: 0 };
  await record(EntryKind.watermark, encode(kv.WatermarkRecord, watermark));
  const late = (value: string, hours: number) => ({ key: 'k', value, time: hours * HOUR });
  await write(10 * HOUR, late('of 3', 3), late('', 4));
  expect(await read('k')).toMatchObject({ deleted: true });
  await write(11 * HOUR, late('of 2', 2));
  expect(await read('k')).toMatchObject({ deleted: true });
  await write(12 * HOUR, late('of 4.5', 4.5));
  expect(await read('k')).toMatchObject({ value: 'of 4.5', deleted: false });
});

it('where the value that a condition speaks of cannot be read, the group stops instead of guessing', async () => {
  const engine = await openEngine();
  const { write, machine } = await shard(engine);
  await write(1, { key: 'k', value: 'v' });
  const snapshot = engine.snapshot.bind(engine);
  const damage = new LsmError('CORRUPTION', 'a block does not match its CRC');
  engine.snapshot = () => Object.assign(snapshot(), { first: () => Promise.reject(damage) });
  const condition = { kind: 'version', ifVersion: 0 } as const;
  expect(await write(2, { key: 'k', value: 'w', condition })).toMatchObject({ kind: 'halted' });
  expect(machine.appliedIndex).toBe(1);
});

it('after a watermark a reading of now depends on no other: a damaged table does not stop it', async () => {
  const engine = await openEngine();
  const observer = { wantsWrites: false, wantsReservedWrites: false, written: () => {} };
  const { write, record, read, machine } = await shard(engine, observer);
  await write(HOUR, { key: 'k', value: 'v' });
  const cutoffs = [{ prefix: '', time: 5 * HOUR }];
  const watermark = { format: 1, version: 9 * HOUR, cutoffs, expiryFloor: 0 };
  await record(EntryKind.watermark, encode(kv.WatermarkRecord, watermark));
  const snapshot = engine.snapshot.bind(engine);
  const damage = new LsmError('CORRUPTION', 'a block does not match its CRC');
  let lookUps = 0;
  engine.snapshot = () => {
    lookUps += 1;
    return Object.assign(snapshot(), { first: () => Promise.reject(damage) });
  };
  const of = (hours: number) => ({ key: 'k', value: `of ${hours}`, time: hours * HOUR });
  expect(await write(10 * HOUR, of(9), of(6))).toMatchObject({ kind: 'applied' });
  expect(lookUps).toBe(0);
  // Watchers would rather be told too often.
  observer.wantsWrites = true;
  expect(await write(11 * HOUR, of(8))).toMatchObject({ kind: 'applied' });
  expect(lookUps).toBe(1);
  const late = { ...of(2), key: 'other' };
  expect(await write(12 * HOUR, late, of(10))).toMatchObject({ kind: 'halted' });
  expect(machine.appliedIndex).toBe(4);
  engine.snapshot = snapshot;
  expect(await read('k')).toMatchObject({ value: 'of 9' });
});

it('keys that differ in a byte order mark at their start are different keys', async () => {
  const marked = '\uFEFFk';
  const feed = new WatchFeed();
  const { write, read, engine, machine } = await shard(undefined, feed);
  const told = new Map<string, string[]>();
  for (const filter of ['k', marked]) {
    const items: string[] = [];
    told.set(filter, items);
    const deliver = (batch: WatchBatch) =>
      void items.push(...batch.items.map(({ value }) => text(value)));
    const at = { snapshot: engine.snapshot(), appliedIndex: 0, tombstoneCutoff: 0 };
    await feed.open(
      { filter, after: 0, sink: { deliver, feedClosed: () => {} } },
      { ...viewOf(machine), ...at },
    ).done;
  }
  const ifNone = { kind: 'version', ifVersion: 0 } as const;
  await write(100, { key: marked, value: 'marked' });
  const outcome = await write(
    200,
    { key: marked, value: 'again', condition: ifNone },
    { key: 'k', value: 'plain', condition: ifNone },
  );
  expect(resultsOf(outcome)).toMatchObject([
    { won: false, version: 100 },
    { won: true, version: 201 },
  ]);
  expect(await read('k')).toMatchObject({ value: 'plain' });
  expect(await read(marked)).toMatchObject({ value: 'marked' });
  feed.entryApplied(machine.appliedIndex);
  expect([...told.values()]).toEqual([['plain'], ['marked']]);
});

it('settings replace those of the revision that they name, and no others', async () => {
  const { record, machine } = await shard();
  const retention = [{ prefix: 'a', versions: 3 }];
  const change = (expectedRevision: number) =>
    encode(kv.SettingsRecord, { format: 1, expectedRevision, settings: { retention } });
  await record(EntryKind.settings, change(0));
  const { settings } = machine;
  expect(settings).toMatchObject({ revision: 1, retention: [{ prefix: 'a', versions: 3 }] });
  await record(EntryKind.settings, change(0));
  expect(machine.settings).toBe(settings);
  await record(EntryKind.settings, Uint8Array.of(0xff, 0xff));
  expect(machine.settings).toBe(settings);
});
