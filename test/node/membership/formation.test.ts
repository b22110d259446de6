import { describe, expect, it } from 'vitest';
import { ClusterRecord } from '../../../node/membership/cluster-record.ts';
import { Formation } from '../../../node/membership/formation.ts';
import { createGenesis, encodeGenesis, type Genesis } from '../../../node/membership/genesis.ts';
import { startIdentity } from '../../../node/membership/identity.ts';
import { PeerMemory } from '../../../node/membership/peer-memory.ts';
import type { RpcBody, RpcHub, RpcMessage } from '../../../node/transport/rpc.ts';
import { FakeEnv, settled } from '../fake-env.ts';

/** A node that waits for the genesis of another. */
async function waiting() {
  const world = new FakeEnv();
  const { env, vfs } = world;
  const identity = await startIdentity(vfs, '/data', 'n2', env.random);
  const record = await ClusterRecord.open(vfs, '/data', env.events);
  const rpc = { newId: () => 1, post: () => {}, call: () => Promise.resolve(undefined) };
  const formation = new Formation({
    env,
    directory: '/data',
    identity,
    self: {
      ...{ node: identity.node, name: 'n2', mqttAddress: 'n2:1883', weight: 1, zone: '' },
      httpAddress: () => '',
    },
    entrance: { peers: ['n1', 'n2'].map((name) => ({ name, mqttAddress: `${name}:1883` })) },
    replicationFactor: 3,
    shardCount: 4,
    rpc: rpc as unknown as RpcHub,
    memory: await PeerMemory.open(vfs, '/data', env.events),
    record,
    learnAddress: () => {},
  });
  const genesisOf = (clusterId: string, name = 'n2', node = identity.node) =>
    createGenesis({
      clusterId,
      nowMs: 1,
      replicationFactor: 3,
      shardCount: 4,
      nodes: [
        { node: '11'.repeat(8), name: 'n1', mqttAddress: 'n1:1883' },
        { node, name, mqttAddress: 'n2:1883' },
      ],
    });
  const offer = (genesis: Genesis) =>
    new Promise<RpcBody['genesisReply']>((resolve) => {
      const message = { genesis: encodeGenesis(genesis) } as unknown as RpcMessage;
      formation.handle('11'.repeat(8), message, (body) => resolve(body.genesisReply));
    });
  return { world, formation, record, genesisOf, offer, identity };
}

describe('a node without a cluster', () => {
  it('accepts one genesis, and the same again', async () => {
    const { formation, record, genesisOf, offer } = await waiting();
    const joining = formation.enter();
    await settled();
    expect(await offer(genesisOf('first'))).toMatchObject({ accepted: true });
    expect((await joining).clusterId).toBe('first');
    expect(await offer(genesisOf('first'))).toMatchObject({ accepted: true });
    expect(await offer(genesisOf('second'))).toEqual({
      accepted: false,
      reason: 'this node belongs to cluster first',
    });
    expect(record.genesis?.clusterId).toBe('first');
  });

  it('accepts one of two that come at the same time', async () => {
    const { world, formation, genesisOf, offer } = await waiting();
    const joining = formation.enter();
    await settled();
    const replies = await Promise.all([offer(genesisOf('first')), offer(genesisOf('second'))]);
    expect(replies.map((reply) => reply?.accepted)).toEqual([true, false]);
    expect((await joining).clusterId).toBe('first');
    const again = await waiting();
    again.world.vfs.onOperation = undefined;
    expect(await world.vfs.readFile('/data/genesis')).toEqual(
      await world.vfs.readFile('/data/genesis.copy'),
    );
  });

  it('accepts none that does not name it', async () => {
    const { record, genesisOf, offer } = await waiting();
    const refusal = { accepted: false, reason: 'it does not name this node' };
    expect(await offer(genesisOf('c', 'n2', '99'.repeat(8)))).toEqual(refusal);
    expect(await offer(genesisOf('c', 'n3'))).toEqual(refusal);
    expect(record.genesis).toBeUndefined();
  });

  it('says that it is empty until it has one', async () => {
    const { formation, genesisOf, offer, identity } = await waiting();
    const hello = (node: string, name: string, clusterId: string) => {
      let answer: RpcBody['helloReply'];
      const message = { hello: { node, name, clusterId } } as unknown as RpcMessage;
      formation.handle(node, message, (body) => {
        answer = body.helloReply;
      });
      return answer;
    };
    expect(hello('77'.repeat(8), 'n1', '')).toMatchObject({
      node: identity.node,
      name: 'n2',
      empty: true,
      clusterId: '',
    });
    const joining = formation.enter();
    await settled();
    await offer(genesisOf('c'));
    await joining;
    expect(hello('11'.repeat(8), 'n1', 'c')).toMatchObject({ empty: false, clusterId: 'c' });
    expect(hello('77'.repeat(8), 'n1', '')?.refusalCode).toBe('NAME_TAKEN');
    expect(hello('77'.repeat(8), 'n9', '')).toMatchObject({ refusalCode: 'WRONG_CLUSTER' });
    expect(hello('11'.repeat(8), 'n1', 'other')?.refusalCode).toBe('WRONG_CLUSTER');
  });
});
