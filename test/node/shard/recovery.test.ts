import { describe, expect, it } from 'vitest';
import type { StorageEngine } from '../../../lsm/engine.ts';
import { LsmError } from '../../../lsm/errors.ts';
import type { Log } from '../../../lsm/log/log.ts';
import type { GroupState } from '../../../lsm/log/types.ts';
import type { ReplicaId } from '../../../node/raft/types.ts';
import {
  decodeStored,
  encodeMembers,
  encodeStored,
  NO_MEMBERS,
} from '../../../node/shard/configuration.ts';
import { withPosition } from '../../../node/shard/group-position.ts';
import { distrustRebuilt, recoverReplicas } from '../../../node/shard/recovery.ts';
import { newcomer } from '../../../node/shard/replica-builder.ts';
import { FakeEnv } from '../fake-env.ts';

const SHARD = { group: 3, firstSlot: 8, slotCount: 8 };
const TERM = 4;

describe('A start whose tables stand at an installed snapshot', () => {
  it('begins the log anew after it, if a crash has kept that from happening', () => {
    const { logs, replicas } = recover({ logStart: 10, lastIndex: 20 }, { snapshotAt: 52 });
    expect(logs.map(({ logStart }) => logStart)).toEqual([{ index: 52, term: TERM }]);
    expect(replicas.map(({ raft }) => raft.lastIndex)).toEqual([52]);
  });

  it('keeps a log that goes on from it', () => {
    const { logs, replicas } = recover({ logStart: 52, lastIndex: 66 }, { snapshotAt: 52 });
    expect(logs).toEqual([]);
    expect(replicas.map(({ raft }) => raft.lastIndex)).toEqual([66]);
  });

  it('keeps a log that begins later, and trusts nothing: later tables are lost', () => {
    const { logs, suspects } = recover({ logStart: 60, lastIndex: 66 }, { snapshotAt: 52 });
    expect(logs).toEqual([]);
    expect(suspects).toMatchObject([{ reason: 'its tables end before its log begins' }]);
  });
});

describe('A start whose engine was rebuilt', () => {
  it('distrusts replicas of groups whose others decide, durably, and only then settles it', async () => {
    const { done, now } = await rebuilt({ 1: ['a', 'b', 'c'], 2: ['a'], 3: ['a', 'b'] });
    const suspects = now.map((found) => decodeStored(found.configuration).suspect !== undefined);
    expect(suspects).toEqual([true, false, false]);
    expect(done).toEqual(['suspect 1', 'round', 'accepted']);
  });

  it('does it again at the next one where there is no room to settle it', async () => {
    const full = new LsmError('DISK_FULL', 'no room');
    const { done } = await rebuilt({ 1: ['a', 'b', 'c'] }, () => Promise.reject(full));
    expect(done).toEqual(['suspect 1', 'round']);
    const broken = new LsmError('ENGINE_FAILED', 'broken');
    await expect(rebuilt({}, () => Promise.reject(broken))).rejects.toThrow('broken');
  });

  it('leaves all as it is with a sound one', async () => {
    const { done, now, before } = await rebuilt({ 1: ['a', 'b', 'c'] }, undefined, false);
    expect(done).toEqual([]);
    expect(now).toBe(before);
  });
});

/** Groups by the nodes that vote in them; this one's replica is the first. */
async function rebuilt(
  groups: Readonly<Record<number, readonly string[]>>,
  settle?: () => Promise<void>,
  isRebuilt = true,
) {
  const done: string[] = [];
  const before = Object.entries(groups).map(([name, nodes]) => {
    const group = Number(name);
    const voters = nodes.map((node, i) => ({ replicaId: i + 1, node }));
    const data = encodeMembers({ ...NO_MEMBERS, voters, nextReplicaId: voters.length + 1 });
    const layout = { firstSlot: 0, slotCount: 8, removed: false };
    const configurations = [{ index: 1, term: 1, data }];
    return {
      ...newcomer({ ...SHARD, group }, 1, 0),
      configuration: encodeStored({ ...layout, configurations }),
      lastIndex: 0,
      terms: [],
    };
  });
  const log = {
    setConfiguration: (group: number) => void done.push(`suspect ${group}`),
    stage: () => {},
    commitRound: async () => void done.push('round'),
  };
  const acceptRebuilt = settle ?? (async () => void done.push('accepted'));
  const now = await distrustRebuilt({
    log: log as unknown as Log,
    engine: { isRebuilt, acceptRebuilt } as unknown as StorageEngine,
    loggedGroups: before,
  });
  return { done, now, before };
}

/** Puts together one replica, and tells which logs were begun anew. */
function recover(
  log: { readonly logStart: number; readonly lastIndex: number },
  { snapshotAt }: { readonly snapshotAt: number },
) {
  const { env } = new FakeEnv();
  const state = newcomer(SHARD, 1 as ReplicaId, 0 as ReplicaId);
  const found = {
    ...state,
    hardState: { term: TERM, vote: 0, commit: log.logStart },
    logStart: { index: log.logStart, term: TERM },
    lastIndex: log.lastIndex,
    terms: [{ firstIndex: log.logStart + 1, term: TERM }],
  };
  const position = {
    ...{ group: SHARD.group, replicaId: 1, appliedIndex: snapshotAt, appliedTerm: TERM },
    ...{ snapshotIndex: snapshotAt, configuration: { ...SHARD, configurations: [] } },
  };
  const engine = {
    flushedPositions: () => withPosition(undefined, SHARD.group, position),
    interruptedReplacements: () => [],
    statistics: () => ({ tableCount: 1 }),
  };
  const logs: GroupState[] = [];
  const recovered = recoverReplicas({
    env,
    engine: engine as unknown as StorageEngine,
    log: { addGroup: (group: GroupState) => void logs.push(group) } as unknown as Log,
    loggedGroups: [found],
  });
  return { logs, ...recovered };
}
