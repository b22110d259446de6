import { describe, expect, it } from 'vitest';
import { PeerMemory } from '../../../node/membership/peer-memory.ts';
import { ClusterLink } from '../../../node/transport/cluster-link.ts';
import type { Transport } from '../../../node/transport/transport.ts';
import { cluster, encode } from '../../../protos/index.ts';
import { FakeEnv } from '../fake-env.ts';

const OWN = '00'.repeat(8);
const PEER = '11'.repeat(8);

/** A link of a member of cluster `c`; `reachable` says at which addresses somebody is. */
async function fixture() {
  const { env, vfs } = new FakeEnv();
  const connected = new Set<string>();
  const reachable = new Set<string>();
  const sent: string[] = [];
  const heard: string[] = [];
  const connectedTo: string[] = [];
  const transport: Transport = {
    onClosed: undefined,
    onOpened: undefined,
    onRefused: undefined,
    connect: (address) => void connected.add(address),
    disconnect: (address) => void connected.delete(address),
    send: (address) => {
      if (!connected.has(address) || !reachable.has(address)) return false;
      sent.push(address);
      return true;
    },
    close: async () => {},
  };
  const link = new ClusterLink({
    env,
    own: { node: OWN, startCounter: 1 },
    secret: 's',
    transport,
    memory: await PeerMemory.open(vfs, '/data', env.events),
    onHello: () => {},
    onRefused: () => {},
  });
  link.attach('c', {
    raft: () => void heard.push('raft'),
    heartbeat: () => void heard.push('heartbeat'),
    rpc: () => {},
    messages: () => {},
    disconnected: () => {},
    connected: (peer) => void connectedTo.push(peer),
    heard: () => {},
  });
  const beat = (mqttAddress: string) =>
    link.door.receive(
      PEER,
      `c/heartbeat/${PEER}`,
      encode(cluster.Heartbeat, { format: 1, node: PEER, mqttAddress }),
    );
  const send = () => {
    link.sendHeartbeat([PEER], new Uint8Array(1));
    return sent.at(-1);
  };
  return { link, transport, connected, connectedTo, reachable, send, beat, heard };
}

describe('where a node is reached', () => {
  it('is where it says, as soon as it can be reached there', async () => {
    const { link, connected, reachable, send, beat } = await fixture();
    link.learnAddress(PEER, 'old:1');
    reachable.add('old:1');
    expect(send()).toBe('old:1');
    beat('new:1');
    expect([...connected]).toEqual(['old:1', 'new:1']);
    expect(send()).toBe('old:1');
    link.keepOnly([PEER]);
    expect([...connected]).toEqual(['old:1', 'new:1']);
    reachable.add('new:1');
    expect(send()).toBe('new:1');
    link.keepOnly([PEER]);
    expect([...connected]).toEqual(['new:1']);
    beat('');
    expect(send()).toBe('new:1');
  });

  it('is forgotten with the node; so is where nobody was found', async () => {
    const { link, connected } = await fixture();
    link.connect('listed:1');
    link.learnAddress(PEER, 'peer:1');
    link.learnAddress(OWN, 'own:1');
    link.keepOnly([]);
    expect([...connected]).toEqual([]);
    expect(link.knows(PEER)).toBe(false);
  });

  it('ends calls when the connection that they left on closes, and only that', async () => {
    const { link, transport, reachable, send } = await fixture();
    link.learnAddress(PEER, 'works:1');
    link.learnAddress(PEER, 'never:1');
    reachable.add('works:1');
    send();
    let isOver = false;
    void link.rpc.call(PEER, 'consensus', { settingsRequest: {} }, 1_000).then(() => {
      isOver = true;
    });
    transport.onClosed?.('never:1');
    await Promise.resolve();
    expect(isOver).toBe(false);
    transport.onClosed?.('works:1');
    await Promise.resolve();
    expect(isOver).toBe(true);
  });
});

it('a connection that is opened is told with the node that is known to be there', async () => {
  const { link, transport, connectedTo } = await fixture();
  link.learnAddress(PEER, 'here:1');
  transport.onOpened?.('elsewhere:1');
  expect(connectedTo).toEqual([]);
  transport.onOpened?.('here:1');
  expect(connectedTo).toEqual([PEER]);
});

it('a message for the node that was at our address before is not for us', async () => {
  const { link, heard } = await fixture();
  const envelope = encode(cluster.RpcEnvelope, { format: 1, fromNode: PEER });
  link.door.receive(PEER, `c/node/${'22'.repeat(8)}/raft`, envelope);
  expect(heard).toEqual([]);
  link.door.receive(PEER, `c/node/${OWN}/raft`, envelope);
  expect(heard).toEqual(['raft']);
});
