import { describe, expect, it } from 'vitest';
import { rowToWire } from '../../../node/dataplane/map-codec.ts';
import { Reads } from '../../../node/dataplane/reads.ts';
import { ShardMap } from '../../../node/dataplane/shard-map.ts';
import { createGenesis } from '../../../node/membership/genesis.ts';
import { Retention } from '../../../node/retention/retention.ts';
import type { ShardHost } from '../../../node/shard/host.ts';
import type { RpcBody, RpcHub } from '../../../node/transport/rpc.ts';
import { cluster, decode, encode } from '../../../protos/index.ts';
import { FakeEnv, settled } from '../fake-env.ts';
import { openEngine, utf8 } from '../support.ts';

const GROUP = 1;
const { ReadStatus } = cluster;
const KEY = utf8('k');
const FOUND: cluster.ReadReply.$Properties = {
  status: ReadStatus.READ_OK,
  items: [{ key: KEY, value: utf8('v'), version: 7, time: 7, deleted: false, expiresAt: 0 }],
};
const NOT_HERE = { status: ReadStatus.READ_NOT_HERE };
const UNAVAILABLE = { status: ReadStatus.READ_UNAVAILABLE };

function mapOf(members: readonly string[]): ShardMap {
  const nodes = ['a', 'b', 'c'].map((node) => ({ node, name: node, mqttAddress: '' }));
  const genesis = { clusterId: 'x', nowMs: 1, replicationFactor: 3, shardCount: 1, nodes };
  return new ShardMap(createGenesis(genesis), {
    has: (node) => members.includes(node),
    others: () => members.filter((node) => node !== 'self'),
  });
}

/** The reads of the node `self`, in a cluster of these nodes, which answer as told; others not at all. */
async function fixture(answers: Record<string, cluster.ReadReply.$Properties>, members: string[]) {
  const world = new FakeEnv();
  const map = mapOf(['self', ...members]);
  const asked: string[] = [];
  const confirmations: ((index: number | undefined) => void)[] = [];
  const replica = {
    identity: { group: GROUP, firstSlot: 0, slotCount: 256 },
    state: { appliedIndex: 5, highestVersion: 9, retention: Retention.initial },
    readIndex: () => new Promise((resolve) => confirmations.push(resolve)),
    whenApplied: () => Promise.resolve(true),
  };
  const local: { replica: typeof replica | undefined } = { replica: undefined };
  const rpc = {
    call: async (node: string): Promise<RpcBody | undefined> => {
      asked.push(node);
      const readReply = answers[node];
      return readReply && { readReply };
    },
  };
  const reads = new Reads({
    own: 'self',
    env: world.env,
    host: { replica: () => local.replica, touch: () => {} } as unknown as ShardHost,
    engine: await openEngine(),
    map,
    rpc: rpc as unknown as RpcHub,
  });
  const serve = async (eventual: boolean) => {
    const request = encode(cluster.ReadRequest, { group: GROUP, get: { key: KEY }, eventual });
    const arrived = decode(cluster.ReadRequest, request);
    return (await reads.serve(arrived as NonNullable<cluster.Rpc['readRequest']>)).readReply;
  };
  return { world, map, reads, asked, answers, local, replica, confirmations, serve };
}

describe('a read of a shard that has no replica here', () => {
  it('goes where a refusal says that the leader is', async () => {
    const better = mapOf([]);
    better.report(GROUP, { node: 'd', term: 4 });
    const refusal = { ...NOT_HERE, ...rowToWire(better.find(GROUP)) };
    const answers = { a: refusal, b: refusal, c: refusal, d: FOUND };
    const { reads, asked } = await fixture(answers, ['a', 'b', 'c', 'd', 'e']);
    expect(await reads.get(KEY)).toMatchObject({ kind: 'found', version: 7 });
    expect(asked).toHaveLength(2);
    expect(asked[1]).toBe('d');
  });

  it('goes to every other member when none that the map names has it', async () => {
    const answers = { a: NOT_HERE, d: NOT_HERE, e: FOUND };
    const { reads, asked } = await fixture(answers, ['a', 'b', 'c', 'd', 'e']);
    expect(await reads.get(KEY)).toMatchObject({ kind: 'found' });
    expect(asked.slice(0, 3).sort()).toEqual(['a', 'b', 'c']);
    expect(asked.slice(3)).toEqual(['d', 'e']);
  });

  it('does not, while the replicas are where they should be and only their leader is missing', async () => {
    const answers: Record<string, cluster.ReadReply.$Properties> = { a: UNAVAILABLE, d: NOT_HERE };
    const { world, reads, asked } = await fixture(answers, ['a', 'b', 'c', 'd']);
    const reading = reads.get(KEY);
    await settled();
    expect([...asked].sort()).toEqual(['a', 'b', 'c']);
    answers.b = FOUND;
    world.pass(100);
    expect(await reading).toMatchObject({ kind: 'found' });
  });

  it('asks nobody who has left', async () => {
    const { reads, asked } = await fixture({ c: FOUND }, ['c', 'd']);
    expect(await reads.get(KEY)).toMatchObject({ kind: 'found' });
    expect(asked).toEqual(['c']);
  });
});

describe('a read that another node asks for', () => {
  it('is refused, with what is known of the group, where there is no replica', async () => {
    const { map, serve } = await fixture({}, ['a', 'b', 'c', 'd']);
    map.report(GROUP, { node: 'd', term: 4 });
    const reply = await serve(true);
    expect(reply?.status).toBe(ReadStatus.READ_NOT_HERE);
    expect(reply?.row).toMatchObject({ leaderNode: 'd', leaderTerm: 4 });
  });

  it('is refused where nothing is applied yet, though what there is would do', async () => {
    const { local, replica, serve } = await fixture({}, []);
    local.replica = { ...replica, state: { ...replica.state, appliedIndex: 0 } };
    expect((await serve(true))?.status).toBe(ReadStatus.READ_NOT_HERE);
  });

  it.each(['is taken away', 'comes back as another'])(
    'is refused if the replica %s while the leader confirms it',
    async (what) => {
      const { local, replica, confirmations, serve } = await fixture({}, []);
      local.replica = replica;
      const serving = serve(false);
      await settled();
      local.replica = what === 'is taken away' ? undefined : { ...replica };
      confirmations[0]?.(5);
      expect((await serving)?.status).toBe(ReadStatus.READ_NOT_HERE);
    },
  );

  it('is answered by a replica that stays', async () => {
    const { local, replica, confirmations, serve } = await fixture({}, []);
    local.replica = replica;
    const serving = serve(false);
    await settled();
    confirmations[0]?.(5);
    expect((await serving)?.status).toBe(ReadStatus.READ_OK);
    expect((await serve(true))?.status).toBe(ReadStatus.READ_OK);
  });
});
