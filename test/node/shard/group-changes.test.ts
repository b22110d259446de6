import { describe, expect, it } from 'vitest';
import { Log } from '../../../lsm/log/log.ts';
import { EntryKind, type Message } from '../../../node/raft/types.ts';
import { encodeMembers, NO_MEMBERS } from '../../../node/shard/configuration.ts';
import { decodePositions, withPosition } from '../../../node/shard/group-position.ts';
import { tombstone } from '../../../node/shard/replica-builder.ts';
import { cluster, kv } from '../../../protos/index.ts';
import { contentOf } from '../../lsm/engine-support.ts';
import { FakeEnv } from '../fake-env.ts';
import { firstState, holdBack, type LocalNode, OWN, openNode, storedOf } from './local-node.ts';

const MEMBERS = {
  voters: [
    { replicaId: 1, node: OWN },
    { replicaId: 2, node: 'second' },
    { replicaId: 3, node: 'third' },
  ],
  nextReplicaId: 4,
};

describe('A replica that is removed', () => {
  it('may be on its way out while its entries are read', async () => {
    const entries = [2, 3].map((index) => ({
      ...{ index, term: 1, kind: EntryKind.empty },
      data: new Uint8Array(0),
    }));
    const hardState = { term: 1, vote: 0, commit: 3 };
    const state = firstState(1, 1, MEMBERS, { hardState });
    const node = await openNode(new FakeEnv(), [state], new Map([[1, entries]]));
    const reads = holdBack(node.fake, ({ kind, path }) => kind === 'read' && /^.log/.test(path));
    node.fake.turn();
    await reads.reached;
    learn(node, [{ replicaId: 2, node: 'second' }]);
    await node.settle();
    reads.release();
    await node.settle();
    expect(node.groups.host.replica(1)).toBeUndefined();
    expect(node.fatal).toEqual([]);
  });

  it('leaves when there is room, if the disk is full', async () => {
    const node = await openNode(new FakeEnv(), [firstState(1, 1, MEMBERS)]);
    await fill(node);
    node.fake.vfs.onOperation = ({ kind, path }) => {
      if (kind !== 'write' || !path.endsWith('.sst')) return undefined;
      throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
    };
    learn(node, [{ replicaId: 2, node: 'second' }]);
    await node.settle();
    expect(await slotsIn(node)).toEqual([8, 16]);
    node.fake.vfs.onOperation = undefined;
    node.fake.pass(5_000);
    await node.settle();
    expect(await slotsIn(node)).toEqual([16]);
    expect(node.fatal).toEqual([]);
  });

  it('leaves nothing behind if it was not trusted', async () => {
    const node = await openNode(new FakeEnv(), [firstState(1, 1, MEMBERS)]);
    await fill(node);
    expect(node.groups.distrust(1, 'a test says so')).toBe(true);
    await node.settle();
    learn(node, [{ replicaId: 2, node: 'second' }]);
    await node.settle();
    expect(node.groups.suspects()).toEqual([]);
    expect(await slotsIn(node)).toEqual([16]);
    expect(decodePositions(node.engine.flushedPositions()).has(1)).toBe(false);
  });
});

describe('A replica whose removal was cut off by a crash', () => {
  it('leaves nothing behind either, though it was not known how far its tables go', async () => {
    const fake = new FakeEnv();
    const before = await openNode(fake, [firstState(1, 1, MEMBERS)]);
    await fill(before);
    await before.engine.flush();
    const replacement = before.engine.replaceRange({ lower: Uint8Array.of(0xff, 1) });
    await replacement.commit((flushed) => withPosition(flushed, 1, undefined));
    before.log.addGroup(tombstone(1, 1, 0));
    await before.log.commitRound();
    await close(before);
    const node = await openNode(fake);
    await node.settle();
    expect(await slotsIn(node)).toEqual([16]);
    expect(node.fatal).toEqual([]);
  });
});

describe('A new replica', () => {
  it('begins when a candidate counts on it: the leader that has added it may be gone', async () => {
    const node = await openNode(new FakeEnv());
    const ballot = { from: 2, to: 4, term: 7, lastIndex: 9, lastTerm: 6 } as const;
    receive(node, 'second', { kind: 'vote-request', transfer: false, ...ballot });
    await node.settle();
    const answers = node.sent.map(({ message: { message } }) => message);
    expect(answers).toMatchObject([{ kind: 'vote-response', from: 4, term: 7, reject: false }]);
  });

  it('does not begin while the traces of the one before are removed', async () => {
    const fake = new FakeEnv();
    const before = await openNode(fake, [firstState(1, 1, MEMBERS)]);
    await fill(before);
    // As a crash leaves it between the two steps of a removal.
    before.log.addGroup(tombstone(1, 1, 0));
    await before.log.commitRound();
    await close(before);
    const disk = holdBack(fake, ({ kind, path }) => kind === 'write' && path.endsWith('.sst'));
    const node = await openNode(fake);
    await disk.reached;
    expect(await isAnswered(node, 4)).toBe(false);
    disk.release();
    await node.settle();
    expect(await slotsIn(node)).toEqual([16]);
    expect(await isAnswered(node, 4)).toBe(true);
    expect(node.fatal).toEqual([]);
  });

  it('does not begin while a snapshot for the one before is being installed', async () => {
    const node = await openNode(new FakeEnv(), [firstState(1, 1, MEMBERS)]);
    const { fake, groups } = node;
    await node.settle();
    const position = new kv.GroupPosition({ group: 1, appliedIndex: 100, appliedTerm: 2 });
    const begin = { group: 1, fromReplica: 2, toReplica: 1, term: 2, transfer: 1, position };
    await groups.beginSnapshot(new cluster.SnapshotBegin(begin));
    const disk = holdBack(fake, ({ kind, path }) => kind === 'sync' && path.startsWith('/db'));
    const last = { group: 1, toReplica: 1, transfer: 1, number: 0, blocks: [], last: true };
    const installing = groups.takeBlocks(new cluster.SnapshotBlocks(last));
    await disk.reached;
    groups.distrust(1, 'a test says so');
    expect(await isAnswered(node, 4)).toBe(false);
    disk.release();
    await node.settle();
    await installing;
    expect(await isAnswered(node, 4)).toBe(true);
    expect(await loggedReplicaOf(node, 1)).toBe(4);
  });
});

describe('A replica that is not trusted', () => {
  it('is told to be lost until its group has agreed to the one in its place', async () => {
    const fake = new FakeEnv();
    const before = await openNode(fake, [firstState(1, 1, MEMBERS)]);
    before.groups.distrust(1, 'a test says so');
    await before.settle();
    expect(await isAnswered(before, 4, 2)).toBe(true);
    expect(before.groups.suspects()).toEqual([]);
    expect(before.groups.lost()).toEqual([{ group: 1, replicaId: 1 }]);

    await close(before);
    const node = await openNode(fake);
    expect(node.groups.lost()).toEqual([{ group: 1, replicaId: 1 }]);
    learn(node, MEMBERS.voters);
    expect(node.groups.lost()).toEqual([{ group: 1, replicaId: 1 }]);
    learn(node, [{ replicaId: 4, node: OWN }, ...MEMBERS.voters.slice(1)], 5);
    expect(node.groups.lost()).toEqual([]);
  });

  it('is told to be lost when the one in its place is gone, too', async () => {
    const fake = new FakeEnv();
    const before = await openNode(fake, [firstState(1, 1, MEMBERS)]);
    before.groups.distrust(1, 'a test says so');
    await before.settle();
    expect(await isAnswered(before, 4, 2)).toBe(true);
    // The configuration that named it is cut off, and others follow.
    learn(before, MEMBERS.voters, 6);
    await before.settle();
    expect(before.groups.host.replica(1)).toBeUndefined();
    expect(before.groups.lost()).toEqual([{ group: 1, replicaId: 1 }]);

    await close(before);
    const node = await openNode(fake);
    expect(node.groups.lost()).toEqual([{ group: 1, replicaId: 1 }]);
    await node.settle();
    expect(await isAnswered(node, 7)).toBe(true);
    expect(node.groups.lost()).toEqual([{ group: 1, replicaId: 1 }]);
    learn(node, [{ replicaId: 7, node: OWN }, ...MEMBERS.voters.slice(1)], 8);
    expect(node.groups.lost()).toEqual([]);
  });

  it('stays trusted where those who are well could not decide without it', async () => {
    const node = await openNode(new FakeEnv(), [firstState(1, 1, MEMBERS)]);
    node.notWell.add(3);
    expect(node.groups.distrust(1, 'a test says so')).toBe(false);
    node.notWell.clear();
    expect(node.groups.distrust(1, 'a test says so')).toBe(true);
  });

  it('stays trusted while another one is being replaced', async () => {
    const members = {
      voters: [...MEMBERS.voters.slice(0, 2), { replicaId: 4, node: 'third' }],
      outgoing: MEMBERS.voters,
      nextReplicaId: 5,
    };
    const node = await openNode(new FakeEnv(), [firstState(1, 1, members)]);
    expect(node.groups.distrust(1, 'a test says so')).toBe(false);
  });
});

describe('A sender', () => {
  it('is heard although a configuration that may be cut off leaves it out', async () => {
    const without = encodeMembers({
      ...NO_MEMBERS,
      ...MEMBERS,
      voters: MEMBERS.voters.slice(0, 2),
    });
    const entry = { index: 2, term: 1, kind: EntryKind.configuration, data: without };
    const known = [
      { index: 1, term: 1, data: encodeMembers({ ...NO_MEMBERS, ...MEMBERS }) },
      entry,
    ];
    const state = firstState(1, 1, {}, { configuration: storedOf(1, known) });
    const node = await openNode(new FakeEnv(), [state], new Map([[1, [entry]]]));
    const ballot = { from: 3, to: 1, term: 7, lastIndex: 9, lastTerm: 6 } as const;
    receive(node, 'third', { kind: 'vote-request', transfer: false, ...ballot });
    await node.settle();
    const answers = node.sent.map(({ message: { message } }) => message);
    expect(answers).toMatchObject([{ kind: 'vote-response', to: 3, reject: false }]);
  });
});

/** As a process ends that is killed. */
async function close({ groups, log, engine }: LocalNode): Promise<void> {
  groups.stop();
  await log.close();
  await engine.close();
}

/** Whether there is a replica with this id. */
async function isAnswered(node: LocalNode, to: number, term = 7): Promise<boolean> {
  const before = node.sent.length;
  const beat = { from: 2, to, term, commit: 0, releasedIndex: 0, context: 1 };
  receive(node, 'second', { kind: 'heartbeat-request', ...beat });
  await node.settle();
  return node.sent.slice(before).some(({ message: { message } }) => message.from === to);
}

/** Which replica of a group the node would have after a restart. */
async function loggedReplicaOf({ fake, log, groups }: LocalNode, group: number) {
  groups.stop();
  await log.close();
  const vfs = fake.vfs.processCrashClone();
  const options = { vfs, directory: '/log', newLogId: () => new Uint8Array(8) };
  const opened = await Log.open(options);
  return opened.groups.find((each) => each.group === group)?.replicaId;
}

function receive(node: LocalNode, from: string, message: Message): void {
  node.groups.host.receive(from, [{ group: 1, message }]);
}

/** A leader elsewhere tells who is in the group, for good. */
function learn(
  { groups }: LocalNode,
  replicas: readonly { readonly replicaId: number; readonly node: string }[],
  nextReplicaId = 4,
): void {
  const report = { group: 1, term: 5, committed: true, nextReplicaId, replicas: [...replicas] };
  groups.learn(new cluster.Lead(report));
}

/** One value in each of the two shards, in one table. */
async function fill({ engine }: LocalNode): Promise<void> {
  for (const slot of [8, 16]) {
    const key = Uint8Array.of(slot, 1, 2, 3);
    engine.put(key, 0, key.length, key, 0, key.length);
  }
  await engine.flush();
}

async function slotsIn({ engine }: LocalNode): Promise<number[]> {
  const snapshot = engine.snapshot();
  const slots = [...(await contentOf(snapshot)).keys()].map((key) =>
    Number.parseInt(key.slice(0, 2), 16),
  );
  snapshot.close();
  return slots;
}
