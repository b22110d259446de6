import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AedesSessions } from '../../../broker/aedes.ts';
import type { SessionOwner } from '../../../broker/sessions.ts';
import { FakePeerNetwork } from '../../support/fake-peers.ts';
import { MemoryMessageStore } from '../../support/memory-message-store.ts';
import { type ConnectOptions, connect, subscribe } from '../../support/mqtt-frames.ts';
import { connect5 } from '../../support/mqtt5-frames.ts';
import { type Harness, settle, startBroker } from '../harness.ts';

/** Two nodes over one store. */
async function cluster() {
  const network = new FakePeerNetwork();
  const store = new MemoryMessageStore();
  const start = (node: string): Promise<Harness> =>
    startBroker({
      host: { node, startCounter: 1 },
      createPeers: network.join(node),
      createStore: (events) => store.join(events),
    });
  return { one: await start('n1'), two: await start('n2'), network, store };
}

/** Claims of a node take until they are let go. */
function holdClaims(network: FakePeerNetwork, node: string): () => void {
  let letGo = () => {};
  network.claimsHeld.set(node, new Promise((resolve) => (letGo = resolve)));
  return letGo;
}

const PERSISTENT: ConnectOptions = { clientId: 'device', clean: false };

describe('A client that connects again while its session is being looked for', () => {
  it('at the same node: goes on with the later connection alone', async () => {
    const { one, network } = await cluster();
    const letGo = holdClaims(network, 'n1');
    const first = one.open();
    first.send(connect(PERSISTENT));
    await settle();
    network.claimsHeld.clear();
    const second = await one.connect(PERSISTENT);
    letGo();
    await first.untilClosed();
    await settle();
    expect(first.received).toEqual([]);
    expect(second.closed).toBe(false);
  });

  it('at another node: goes on there, and is told so by nothing but the end of the first', async () => {
    const { one, two, network, store } = await cluster();
    const letGo = holdClaims(network, 'n1');
    const first = one.open5();
    first.send(connect5({ clientId: 'device', clean: false }));
    await settle();
    const second = await two.connect(PERSISTENT);
    letGo();
    await first.untilClosed();
    await settle();
    expect(first.received).toEqual([]);
    expect(second.closed).toBe(false);
    expect(store.session('device')?.host?.node).toBe('n2');
  });
});

describe('A subscription', () => {
  it('that the session layer asks for after the connection has ended does not begin', async () => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    class Sessions extends AedesSessions {
      override attach(stream: Duplex, owner: SessionOwner): void {
        super.attach(stream, {
          mayGrant: (filter) => held.then(() => owner.mayGrant(filter)),
          published: (message) => owner.published(message),
          received: (packetId) => owner.received(packetId),
          released: (packetId) => owner.released(packetId),
        });
      }
    }
    const network = new FakePeerNetwork();
    const node = await startBroker({
      createPeers: network.join('n1'),
      createSessions: (events) => new Sessions('n1', events),
    });
    const client = await node.connect({ clientId: 'device' });
    client.send(subscribe(1, ['a', 1]));
    await settle();
    client.cut();
    await settle();
    letGo();
    await settle();
    expect(network.nodes.get('n1')?.interest).toEqual([]);
  });
});
