import { describe, expect, it } from 'vitest';
import type { StorageEngine } from '../../../lsm/engine.ts';
import { LsmError } from '../../../lsm/errors.ts';
import type { ReplicaId } from '../../../node/raft/types.ts';
import type { Replica } from '../../../node/shard/replica.ts';
import { buildReplica, newcomer } from '../../../node/shard/replica-builder.ts';
import { SnapshotSender } from '../../../node/shard/snapshot-sender.ts';
import type { RpcBody, RpcMessage } from '../../../node/transport/rpc.ts';
import { cluster } from '../../../protos/index.ts';
import { FakeEnv, settled } from '../fake-env.ts';
import { openEngine } from '../support.ts';

const SHARD = { group: 3, firstSlot: 8, slotCount: 8 };
const TO = 2 as ReplicaId;
const TERM = 4;

const { SNAPSHOT_WANTED, SNAPSHOT_INSTALLED } = cluster.SnapshotStatus;

describe('A snapshot', () => {
  it('is known to be installed soon, though the answer that says so is lost', async () => {
    const answers = [SNAPSHOT_WANTED, undefined, SNAPSHOT_INSTALLED];
    const { asked, ended } = await send({ answers });
    expect(ended).toEqual([0]);
    expect(asked.map(({ blocks }) => blocks?.last)).toEqual([undefined, true, true]);
    for (const { timeoutMs } of asked) expect(timeoutMs).toBeLessThanOrEqual(5_000);
  });

  it('that damaged tables hide is left to another leader: until then nobody can do without this one', async () => {
    const failure = new LsmError('CORRUPTION', 'a table is damaged');
    const { handOvers, ended } = await send({ answers: [SNAPSHOT_WANTED], failure });
    expect({ handOvers, ended }).toEqual({ handOvers: 1, ended: [undefined] });
  });

  it('at a low rate comes in chunks of a second, so that nobody gives up between them', async () => {
    const blocks = Array.from({ length: 40 }, () => new Uint8Array(4_096));
    const bytesPerSecond = 32 * 1024;
    const answers = Array.from({ length: 10 }, () => SNAPSHOT_WANTED);
    const { asked } = await send({ answers, blocks, bytesPerSecond });
    const sizes = asked.flatMap(({ blocks }) => (blocks?.blocks?.length ? [blocks.blocks] : []));
    expect(sizes.length).toBeGreaterThan(0);
    for (const chunk of sizes) expect(chunk).toHaveLength(bytesPerSecond / 4_096);
  });

  it('that fails for another reason is tried again', async () => {
    const { handOvers, ended } = await send({
      answers: [SNAPSHOT_WANTED],
      failure: new Error('EIO'),
    });
    expect({ handOvers, ended }).toEqual({ handOvers: 0, ended: [undefined] });
  });
});

/** Sends the state of a leader that holds so many blocks; what fails is that its tables are read. */
async function send({
  answers,
  failure,
  blocks = [],
  bytesPerSecond = 1,
}: {
  readonly answers: readonly (cluster.SnapshotStatus | undefined)[];
  readonly failure?: Error;
  readonly blocks?: readonly Uint8Array[];
  readonly bytesPerSecond?: number;
}) {
  const fake = new FakeEnv();
  const { env } = fake;
  const engine = await openEngine();
  const found = { ...newcomer(SHARD, 1 as ReplicaId, 0 as ReplicaId), lastIndex: 0, terms: [] };
  const { identity, state, raft } = buildReplica({ env, engine, found, position: undefined });
  const heard = { handOvers: 0, ended: [] as (number | undefined)[] };
  const leader = {
    ...{ identity, state, phase: 'running', snapshotIndex: 0 },
    nodeOf: () => 'b',
    handOver: () => heard.handOvers++ > 0,
    raft: {
      ...{ term: TERM, role: 'leader', configurations: raft.configurations },
      pinSnapshot: () => {},
      snapshotFinished: (_to: ReplicaId, _term: number, index: number | undefined) =>
        void heard.ended.push(index),
    },
  };
  const snapshot = {
    exportRange: async function* () {
      if (failure !== undefined) throw failure;
      for (const bytes of blocks) yield { bytes };
    },
    close: () => {},
  };
  const asked: {
    readonly timeoutMs: number;
    readonly blocks: RpcBody['snapshotBlocks'] | undefined;
  }[] = [];
  const sender = new SnapshotSender({
    env,
    engine: { snapshot: () => snapshot } as unknown as StorageEngine,
    call: async (_node, { snapshotBlocks }, timeoutMs) => {
      const status = answers[asked.length];
      asked.push({ timeoutMs, blocks: snapshotBlocks });
      return status === undefined ? undefined : ({ snapshotReply: { status } } as RpcMessage);
    },
    bytesPerSecond: () => bytesPerSecond,
    onEnd: () => {},
  });
  sender.send(leader as unknown as Replica, TO, TERM);
  await settled();
  fake.pass(1_000);
  await settled();
  return { ...heard, asked };
}
