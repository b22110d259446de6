import { describe, expect, it } from 'vitest';
import type { StorageEngine } from '../../../lsm/engine.ts';
import type { Log } from '../../../lsm/log/log.ts';
import type { GroupState } from '../../../lsm/log/types.ts';
import type { ReplicaId } from '../../../node/raft/types.ts';
import { withPosition } from '../../../node/shard/group-position.ts';
import { recoverReplicas } from '../../../node/shard/recovery.ts';
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
