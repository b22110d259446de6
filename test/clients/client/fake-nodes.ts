import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { AedesSessions } from '../../../broker/aedes.ts';
import { Broker, type BrokerOptions } from '../../../broker/broker.ts';
import type { BrokerEnv } from '../../../broker/env.ts';
import { FakeClusterDoor } from '../../broker/harness.ts';
import { FakeDataPlane } from '../../support/fake-data-plane.ts';
import { FakePeerNetwork } from '../../support/fake-peers.ts';
import { MemoryMessageStore } from '../../support/memory-message-store.ts';

/** The front of a node: a real broker that listens on a port, and a store in memory behind it. */
export interface FakeNode {
  readonly url: string;
  /** Cuts every connection; the node goes on listening. */
  cut(): void;
  /** Cuts every connection, and takes no more. */
  kill(): void;
}

export interface FakeCluster {
  readonly plane: FakeDataPlane;
  readonly nodes: readonly FakeNode[];
  readonly urls: readonly string[];
  close(): Promise<void>;
}

export interface FakeClusterOptions extends Partial<Pick<BrokerOptions, 'authenticator'>> {
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
}

/** Several nodes in front of one store. */
export async function startFakeCluster(
  count: number,
  options: FakeClusterOptions = {},
): Promise<FakeCluster> {
  const plane = new FakeDataPlane();
  const started = await Promise.all(
    Array.from({ length: count }, (_, i) => startNode(`n${i + 1}`, plane, options)),
  );
  return {
    plane,
    nodes: started,
    urls: started.map(({ url }) => url),
    close: async () => {
      for (const { close } of started) await close();
    },
  };
}

async function startNode(
  name: string,
  plane: FakeDataPlane,
  { tls, ...options }: FakeClusterOptions,
): Promise<FakeNode & { close(): Promise<void> }> {
  const env: BrokerEnv = {
    clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    timers: {
      after: (delayMs, task) => {
        const timer = setTimeout(task, delayMs);
        return () => clearTimeout(timer);
      },
    },
    random: { below: (bound) => Math.floor(Math.random() * bound) },
    yield: (task) => void setImmediate(task),
    events: { emit: () => {} },
  };
  const broker = new Broker({
    env,
    dataPlane: plane,
    clusterDoor: new FakeClusterDoor(),
    version: '1.2.3',
    host: { node: name, startCounter: 1 },
    createPeers: new FakePeerNetwork().join(name),
    createStore: (events) => new MemoryMessageStore(env.clock.nowMs).join(events),
    createSessions: (events) => new AedesSessions(name, events),
    nodeName: name,
    onInvalid: 'ack',
    ...options,
  });
  await broker.start();
  const sockets = new Set<Socket>();
  const handle = (socket: Socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
    broker.handle(socket, `127.0.0.1:${socket.remotePort}`);
  };
  const plain = { allowHalfOpen: true, noDelay: true };
  const server = tls ? createTlsServer({ ...plain, ...tls }, handle) : createServer(plain, handle);
  const port = await listen(server);
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `mqtt${tls ? 's' : ''}://127.0.0.1:${port}`,
    cut,
    kill: () => {
      server.close();
      cut();
    },
    close: async () => {
      server.close();
      cut();
      await broker.close();
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
