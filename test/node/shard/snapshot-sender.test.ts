import { describe, expect, it } from 'vitest';
import type { StorageEngine } from '../../../lsm/engine.ts';
import { LsmError } from '../../../lsm/errors.ts';
import type { ReplicaId } from '../../../node/raft/types.ts';
import type { Replica } from '../../../node/shard/replica.ts';
import { buildReplica, newcomer } from '../../../node/shard/replica-builder.ts';
import { SnapshotSender } from '../../../node/shard/snapshot-sender.ts';
import { cluster } from '../../../protos/index.ts';
import { FakeEnv, settled } from '../fake-env.ts';
import { openEngine } from '../support.ts';

const SHARD = { group: 3, firstSlot: 8, slotCount: 8 };
const TO = 2 as ReplicaId;
const TERM = 4;

describe('A snapshot that cannot be read', () => {
  it('has another lead where tables are damaged: until then nobody can do without this replica', async () => {
    const damage = new LsmError('CORRUPTION', 'a table is damaged');
    expect(await sendFrom(damage)).toEqual({ handOvers: 1, ends: 1 });
  });

  it('is tried again where it failed for another reason', async () => {
    expect(await sendFrom(new Error('EIO'))).toEqual({ handOvers: 0, ends: 1 });
  });
});

/** Sends the state of a leader whose tables answer with this error. */
async function sendFrom(failure: Error) {
  const { env } = new FakeEnv();
  const engine = await openEngine();
  const found = { ...newcomer(SHARD, 1 as ReplicaId, 0 as ReplicaId), lastIndex: 0, terms: [] };
  const follower = buildReplica({ env, engine, found, position: undefined });
  const heard = { handOvers: 0, ends: 0 };
  const raft = {
    ...{ term: TERM, role: 'leader', configurations: follower.raft.configurations },
    pinSnapshot: () => {},
    snapshotFinished: () => void heard.ends++,
  };
  const leader: Pick<Replica, 'identity' | 'phase' | 'state' | 'snapshotIndex'> & object = {
    ...{ identity: follower.identity, phase: 'running', state: follower.state, snapshotIndex: 0 },
    ...{ raft, nodeOf: () => 'b', handOver: () => heard.handOvers++ > 0 },
  };
  const snapshot = {
    // biome-ignore lint/correctness/useYield: it fails before there is anything
    exportRange: async function* () {
      throw failure;
    },
    close: () => {},
  };
  const wanted = { snapshotReply: { status: cluster.SnapshotStatus.SNAPSHOT_WANTED } };
  const sender = new SnapshotSender({
    env,
    engine: { snapshot: () => snapshot } as unknown as StorageEngine,
    call: async () => wanted as never,
    bytesPerSecond: () => 1,
    onEnd: () => {},
  });
  sender.send(leader as Replica, TO, TERM);
  await settled();
  return heard;
}
