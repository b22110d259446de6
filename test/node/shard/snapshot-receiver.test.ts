import { describe, expect, it } from 'vitest';
import { Db } from '../../../lsm/db.ts';
import type { StorageEngine } from '../../../lsm/engine.ts';
import { chunksOf, RangeChanges, rangeOf } from '../../../node/shard/range-changes.ts';
import type { Replica } from '../../../node/shard/replica.ts';
import { buildReplica, newcomer } from '../../../node/shard/replica-builder.ts';
import { SnapshotReceiver } from '../../../node/shard/snapshot-receiver.ts';
import { cluster, encode, kv } from '../../../protos/index.ts';
import { contentOf } from '../../lsm/engine-support.ts';
import { utf8 } from '../../support/text.ts';
import { FakeEnv } from '../fake-env.ts';
import { holdBack } from './local-node.ts';

const { SnapshotStatus } = cluster;
const GROUP = 3;
const SHARD = { group: GROUP, firstSlot: 8, slotCount: 8 };
const RANGE = rangeOf(SHARD);

describe('A snapshot that comes in', () => {
  it('is not put together from two transfers: the same state may be cut in other places', async () => {
    const { receiver, engine } = await open();
    const keys = Array.from({ length: 9 }, (_, i) => `key ${i}`);
    // What the first transfer still had, compaction has dropped before the second.
    const first = await chunks(['a', 'b', 'c', ...keys]);
    const second = await chunks(keys);

    await begin(receiver, { transfer: 1 });
    for (const number of [0, 1, 2]) await send(receiver, first, 1, number);
    expect(await begin(receiver, { transfer: 2 })).toBe(SnapshotStatus.SNAPSHOT_BUSY);
    expect(await begin(receiver, { transfer: 2 })).toBe(SnapshotStatus.SNAPSHOT_WANTED);
    for (const number of second.keys()) await send(receiver, second, 2, number);

    expect(await last(receiver, 2, second.length)).toBe(SnapshotStatus.SNAPSHOT_INSTALLED);
    expect(await keysOf(engine)).toEqual(keys);
  });

  it('takes no block of another transfer', async () => {
    const { receiver } = await open();
    const blocks = await chunks(['a', 'b']);
    await begin(receiver, { transfer: 2 });
    expect(await send(receiver, blocks, 1, 0)).toBe(SnapshotStatus.SNAPSHOT_REFUSED);
    expect(await send(receiver, blocks, 2, 0)).toBe(SnapshotStatus.SNAPSHOT_WANTED);
  });

  it('gives way at once to that of a later leader, and not to that of an earlier one', async () => {
    const { receiver } = await open();
    await begin(receiver, { transfer: 5, term: 3 });
    expect(await begin(receiver, { transfer: 9, term: 2, fromReplica: 2 })).toBe(
      SnapshotStatus.SNAPSHOT_BUSY,
    );
    expect(await begin(receiver, { transfer: 5, term: 3 })).toBe(SnapshotStatus.SNAPSHOT_WANTED);
    await begin(receiver, { transfer: 1, term: 4, fromReplica: 2 });
    expect(await begin(receiver, { transfer: 1, term: 4, fromReplica: 2 })).toBe(
      SnapshotStatus.SNAPSHOT_WANTED,
    );
    expect(await begin(receiver, { transfer: 5, term: 3 })).toBe(SnapshotStatus.SNAPSHOT_BUSY);
  });

  it('is given up when a later leader would append: the earlier one sends nothing more', async () => {
    const { receiver, replica } = await open();
    await begin(receiver, { transfer: 1, term: 3 });
    receiver.leaderAppends(replica, 3);
    expect(await begin(receiver, { transfer: 1, term: 3 })).toBe(SnapshotStatus.SNAPSHOT_WANTED);
    receiver.leaderAppends(replica, 4);
    await expect.poll(() => replica.phase).toBe('running');
    expect(await begin(receiver, { transfer: 1, term: 4 })).toBe(SnapshotStatus.SNAPSHOT_WANTED);
  });

  it('is given up when its own leader would append and has long sent no more of it', async () => {
    const { receiver, replica, fake } = await open();
    await begin(receiver, { transfer: 1, term: 3 });
    fake.pass(900);
    receiver.leaderAppends(replica, 3);
    expect(await begin(receiver, { transfer: 1, term: 3 })).toBe(SnapshotStatus.SNAPSHOT_WANTED);
    fake.pass(1_100);
    receiver.leaderAppends(replica, 2);
    expect(replica.phase).toBe('installing');
    receiver.leaderAppends(replica, 3);
    await expect.poll(() => replica.phase).toBe('running');
  });

  it('is not said to be installed before it is durable, whoever asks', async () => {
    const { receiver, replica, fake } = await open();
    const blocks = await chunks(['a']);
    await begin(receiver, { transfer: 1 });
    await send(receiver, blocks, 1, 0);
    const isRestored = () => replica.state.appliedIndex === 100;
    const manifest = holdBack(fake, ({ kind }) => kind === 'sync' && isRestored());
    const installing = last(receiver, 1, 1);
    await manifest.reached;
    expect(await begin(receiver, { transfer: 2, fromReplica: 2 })).toBe(
      SnapshotStatus.SNAPSHOT_BUSY,
    );
    manifest.release();
    expect(await installing).toBe(SnapshotStatus.SNAPSHOT_INSTALLED);
    expect(await begin(receiver, { transfer: 2, fromReplica: 2 })).toBe(
      SnapshotStatus.SNAPSHOT_INSTALLED,
    );
  });

  it('can be given up while a slow disk still writes, and another one begins', async () => {
    const { receiver, replica, fake } = await open();
    const blocks = await chunks(['a']);
    await begin(receiver, { transfer: 1 });
    const disk = holdBack(fake, ({ kind, path }) => kind === 'write' && path.endsWith('.sst'));
    const added = send(receiver, blocks, 1, 0);
    await disk.reached;
    fake.pass(60_000);
    const expired = receiver.expire();
    disk.release();
    await Promise.all([added, expired]);
    expect(replica.phase).toBe('running');
    expect(await begin(receiver, { transfer: 2 })).toBe(SnapshotStatus.SNAPSHOT_WANTED);
  });

  it('is one of several, of as many groups as the engine can change at a time', async () => {
    const { receiver, engine, others } = await open();
    const groups = [GROUP, ...others.keys()];
    expect(groups).toHaveLength(engine.replacementsMax + 1);
    const last = groups.pop() as number;
    const { SNAPSHOT_WANTED, SNAPSHOT_BUSY } = SnapshotStatus;
    for (const group of groups) {
      expect(await begin(receiver, { transfer: 1, group })).toBe(SNAPSHOT_WANTED);
    }
    expect(await begin(receiver, { transfer: 1, group: last })).toBe(SNAPSHOT_BUSY);
    const done = { toReplica: 4, transfer: 1, number: 0, blocks: [], last: true };
    const ends = groups.map((group) =>
      receiver.blocks(new cluster.SnapshotBlocks({ group, ...done })),
    );
    const { SNAPSHOT_INSTALLED } = SnapshotStatus;
    for (const { status } of await Promise.all(ends)) expect(status).toBe(SNAPSHOT_INSTALLED);
    expect(await begin(receiver, { transfer: 1, group: last })).toBe(SNAPSHOT_WANTED);
    // An answer was lost, and meanwhile others came to their end.
    for (const group of groups) {
      const again = await receiver.blocks(new cluster.SnapshotBlocks({ group, ...done }));
      expect(again.status).toBe(SNAPSHOT_INSTALLED);
    }
  });

  it('is refused where the disk is full, and comes again', async () => {
    const { receiver, engine, fake, fatal } = await open();
    const blocks = await chunks(['a', 'b']);
    fake.vfs.onOperation = ({ kind, path }) => {
      if (kind === 'write' && path.endsWith('.sst')) {
        throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
      }
      return undefined;
    };
    const transfer = async (number: number) => {
      await begin(receiver, { transfer: number });
      for (const at of blocks.keys()) await send(receiver, blocks, number, at);
      return last(receiver, number, blocks.length);
    };
    expect(await transfer(1)).toBe(SnapshotStatus.SNAPSHOT_REFUSED);
    expect(fatal).toEqual([]);
    fake.vfs.onOperation = undefined;
    expect(await transfer(2)).toBe(SnapshotStatus.SNAPSHOT_INSTALLED);
    expect(await keysOf(engine)).toEqual(['a', 'b']);
  });

  it('leaves a replica that cannot be trusted, if what it held is gone when it is given up', async () => {
    const opened = await open({ appliedIndex: 7, appliedTerm: 1, replicaId: 4 });
    const { receiver, replica, emptied } = opened;
    await begin(receiver, { transfer: 1 });
    opened.interrupted.push(RANGE);
    await receiver.abandon(replica);
    expect(emptied).toEqual([replica]);
  });

  it('leaves a new replica as it was: it held nothing', async () => {
    const { receiver, replica, emptied, interrupted } = await open();
    await begin(receiver, { transfer: 1 });
    interrupted.push(RANGE);
    await receiver.abandon(replica);
    expect(emptied).toEqual([]);
    expect(replica.phase).toBe('running');
  });
});

async function open(position?: kv.GroupPosition.$Properties) {
  const fake = new FakeEnv();
  const { env } = fake;
  const db = await Db.open({
    vfs: env.vfs,
    directory: '/db',
    offload: env.offload,
    notePositions: () => encode(kv.GroupPositions, { format: 1, groups: [] }),
    onEvent: () => {},
    tableBytes: 1,
  });
  const interrupted: (typeof RANGE)[] = [];
  db.interruptedReplacements = () => interrupted;
  const engine: StorageEngine = db;
  const state = newcomer(SHARD, 4, 0);
  const { appliedIndex = 0, appliedTerm = 0 } = position ?? {};
  const found = {
    ...state,
    hardState: { term: appliedTerm, vote: 0, commit: appliedIndex },
    logStart: { index: appliedIndex, term: appliedTerm },
    lastIndex: appliedIndex,
    terms: [],
  };
  const replica = buildReplica({ env, engine, found, position: position as kv.GroupPosition });
  const others = new Map(
    Array.from({ length: db.replacementsMax }, (_, i) => {
      const shard = { group: 10 + i, firstSlot: 32 + i, slotCount: 1 };
      const other = { ...newcomer(shard, 4, 0), lastIndex: 0, terms: [] };
      return [shard.group, buildReplica({ env, engine, found: other, position: undefined })];
    }),
  );
  const emptied: Replica[] = [];
  const fatal: unknown[] = [];
  const receiver = new SnapshotReceiver({
    env,
    engine,
    ranges: new RangeChanges(engine),
    replicaFor: (group, replicaId) =>
      replicaId === 4 ? (others.get(group) ?? replica) : undefined,
    whenIdle: async () => {},
    persist: async () => {},
    restart: async () => {},
    onEmptied: (each) => emptied.push(each),
    onFatal: (error) => fatal.push(error),
  });
  return { fake, engine, replica, others, receiver, emptied, fatal, interrupted };
}

async function begin(
  receiver: SnapshotReceiver,
  changes: { transfer: number; term?: number; fromReplica?: number; group?: number },
): Promise<cluster.SnapshotStatus | undefined> {
  const position = new kv.GroupPosition({ group: GROUP, appliedIndex: 100, appliedTerm: 2 });
  const shared = { group: GROUP, fromReplica: 1, toReplica: 4, term: 2, position };
  const { status } = await receiver.begin(new cluster.SnapshotBegin({ ...shared, ...changes }));
  return status;
}

async function send(
  receiver: SnapshotReceiver,
  chunks: readonly Uint8Array[][],
  transfer: number,
  number: number,
): Promise<cluster.SnapshotStatus | undefined> {
  const blocks = chunks[number] as Uint8Array[];
  const message = { group: GROUP, toReplica: 4, transfer, number, blocks, last: false };
  return (await receiver.blocks(new cluster.SnapshotBlocks(message))).status;
}

async function last(receiver: SnapshotReceiver, transfer: number, number: number) {
  const message = { group: GROUP, toReplica: 4, transfer, number, blocks: [], last: true };
  return (await receiver.blocks(new cluster.SnapshotBlocks(message))).status;
}

/** What the group holds elsewhere: each of these keys with a value that fills a block. */
async function chunks(keys: readonly string[]): Promise<Uint8Array[][]> {
  const { env } = new FakeEnv();
  const db = await Db.open({
    vfs: env.vfs,
    directory: '/db',
    offload: env.offload,
    notePositions: () => utf8(''),
    onEvent: () => {},
    codec: 'none',
  });
  for (const key of keys) {
    const bytes = Uint8Array.of(SHARD.firstSlot, ...utf8(key));
    db.put(bytes, 0, bytes.length, new Uint8Array(64 * 1024), 0, 64 * 1024);
  }
  const found: Uint8Array[][] = [];
  for await (const chunk of chunksOf(db.snapshot(), RANGE, 1)) found.push(chunk);
  expect(found).toHaveLength(keys.length);
  return found;
}

async function keysOf(engine: StorageEngine): Promise<string[]> {
  const content = await contentOf(engine.snapshot() as ReturnType<Db['snapshot']>);
  return [...content.keys()].map((hex) => Buffer.from(hex.slice(2), 'hex').toString());
}
