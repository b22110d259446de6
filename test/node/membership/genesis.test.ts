import { describe, expect, it } from 'vitest';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { createGenesis, readGenesis, writeGenesis } from '../../../node/membership/genesis.ts';
import { startIdentity, writeIdentity } from '../../../node/membership/identity.ts';
import { FakeEnv } from '../fake-env.ts';

function genesisOf(nodeCount: number, shardCount = 64, replicationFactor = 3) {
  const { env } = new FakeEnv(nodeCount);
  const nodes = Array.from({ length: nodeCount }, (_, i) => ({
    node: Buffer.from(env.random.bytes(8)).toString('hex'),
    name: `n${i + 1}`,
    mqttAddress: `10.0.0.${i + 1}:1883`,
  }));
  return createGenesis({ clusterId: 'c', nowMs: 5, replicationFactor, shardCount, nodes });
}

describe('a genesis', () => {
  it.each([1, 2, 3, 4, 5, 7, 10])(
    'of %i nodes gives every group its voters: an odd number of different nodes',
    (count) => {
      const { groups, nodes } = genesisOf(count);
      const [meta, ...shards] = groups;
      expect(meta).toMatchObject({ group: 0, slotCount: 0 });
      expect(meta?.voters).toHaveLength(count < 3 ? 1 : count < 5 ? 3 : 5);
      expect(meta?.learners).toHaveLength(count === 2 ? 1 : 0);
      const perNode = new Map(nodes.map(({ node }) => [node, 0]));
      let nextSlot = 0;
      for (const [i, { group, firstSlot, slotCount, voters }] of shards.entries()) {
        expect(group).toBe(i + 1);
        expect(firstSlot).toBe(nextSlot);
        nextSlot += slotCount;
        expect(voters).toHaveLength(count < 3 ? 1 : 3);
        expect(voters.map(({ replicaId }) => replicaId)).toEqual(
          voters.map((_, ordinal) => ordinal + 1),
        );
        const holders = new Set(voters.map(({ node }) => node));
        expect(holders.size).toBe(voters.length);
        for (const node of holders) perNode.set(node, (perNode.get(node) as number) + 1);
      }
      expect(nextSlot).toBe(256);
      const mean = shards.reduce((sum, { voters }) => sum + voters.length, 0) / count;
      if (count >= 3)
        expect(Math.max(...perNode.values())).toBeLessThanOrEqual(Math.ceil(mean * 1.16));
    },
  );

  it('is read as it was written', async () => {
    const vfs = new CrashableMemVfs();
    await vfs.makeDirectory('/data');
    expect(await readGenesis(vfs, '/data')).toBeUndefined();
    const genesis = genesisOf(5);
    await writeGenesis(vfs, '/data', genesis);
    const after = vfs.crashClone({ unsyncedKeepRatio: 0, random: () => 0.5 });
    expect(await readGenesis(after, '/data')).toEqual(genesis);
  });
});

describe('an identity', () => {
  it('is drawn once and counts the starts, durably', async () => {
    const { env, vfs } = new FakeEnv();
    const first = await startIdentity(vfs, '/data', 'n1', env.random);
    expect(first).toMatchObject({ name: 'n1', startCounter: 1, initialized: false });
    expect(first.node).toMatch(/^[0-9a-f]{16}$/);
    const afterCut = vfs.crashClone({ unsyncedKeepRatio: 0, random: () => 0.5 });
    const second = await startIdentity(afterCut, '/data', 'n1', env.random);
    expect(second).toEqual({ ...first, startCounter: 2 });
  });

  it('keeps why it is not trusted', async () => {
    const { env, vfs } = new FakeEnv();
    const first = await startIdentity(vfs, '/data', 'n1', env.random);
    await writeIdentity(vfs, '/data', { ...first, distrust: 'a reason' });
    expect((await startIdentity(vfs, '/data', 'n1', env.random)).distrust).toBe('a reason');
  });
});
