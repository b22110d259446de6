import { Duplex } from 'node:stream';
import { AedesSessions } from '../../broker/aedes.ts';
import { Broker, type BrokerOptions } from '../../broker/broker.ts';
import type { ClusterDoor } from '../../broker/data-plane.ts';
import type { BrokerEnv, BrokerEvent } from '../../broker/env.ts';
import { FakeDataPlane } from '../support/fake-data-plane.ts';
import { FakePeerNetwork } from '../support/fake-peers.ts';
import { ManualTime } from '../support/manual-time.ts';
import { MemoryMessageStore } from '../support/memory-message-store.ts';
import { type ConnectOptions, connect, type Received, takePacket } from '../support/mqtt-frames.ts';
import {
  type Connect5Options,
  connect5,
  type Received5,
  takePacket5,
} from '../support/mqtt5-frames.ts';
import { settled } from '../support/settled.ts';

/** Of a broker without connections: `$SYS` is told again every ten seconds. */
export const IDLE_TIMERS = 1;

export class FakeClusterDoor implements ClusterDoor {
  readonly messages: { peer: string; topic: string; payload: Buffer }[] = [];
  readonly gone: string[] = [];

  authenticate(username: string, password: Uint8Array): string | undefined {
    if (Buffer.from(password).toString() !== 'secret') return undefined;
    return username.slice('dss-node/'.length);
  }

  receive(peer: string, topic: string, payload: Uint8Array): void {
    this.messages.push({ peer, topic, payload: Buffer.from(payload) });
  }

  disconnected(peer: string): void {
    this.gone.push(peer);
  }
}

export interface Harness {
  readonly broker: Broker;
  readonly plane: FakeDataPlane;
  readonly door: FakeClusterDoor;
  readonly time: ManualTime;
  readonly events: BrokerEvent[];
  /** A connection that has sent nothing yet. */
  open(): RawClient;
  /** A connection whose CONNECT was accepted. */
  connect(options?: ConnectOptions): Promise<RawClient>;
  /** The same in MQTT 5. */
  open5(): RawClient<Received5>;
  connect5(options?: Connect5Options): Promise<RawClient<Received5>>;
}

export type HarnessOptions = Partial<
  Pick<
    BrokerOptions,
    | 'limits'
    | 'onInvalid'
    | 'createSessions'
    | 'createPeers'
    | 'createStore'
    | 'host'
    | 'authenticator'
    | 'ingestRulesKnownFrom'
  >
>;

export async function startBroker(
  options: HarnessOptions = {},
  world: Partial<BrokerEnv> = {},
): Promise<Harness> {
  const plane = new FakeDataPlane();
  const door = new FakeClusterDoor();
  const time = new ManualTime();
  const events: BrokerEvent[] = [];
  let draws = 0;
  const env: BrokerEnv = {
    clock: { nowMs: () => 1_700_000_000_000 + time.nowMs, monotonicMs: () => time.nowMs },
    timers: time,
    // Names are drawn from large ranges, and have to differ; waiting times from small ones.
    random: { below: (bound) => (bound < 2 ** 32 ? Math.floor(bound / 2) : draws++) },
    yield: (task) => void setImmediate(task),
    events: { emit: (event) => void events.push(event) },
    ...world,
  };
  const broker = new Broker({
    env,
    dataPlane: plane,
    clusterDoor: door,
    version: '1.2.3',
    host: { node: 'n1', startCounter: 1 },
    createPeers: new FakePeerNetwork().join('n1'),
    createStore: (storeEvents) => new MemoryMessageStore(env.clock.nowMs).join(storeEvents),
    createSessions: (sessionEvents) => new AedesSessions('n1', sessionEvents),
    nodeName: 'one',
    onInvalid: 'ack',
    ...options,
  });
  await broker.start();
  const handle = (stream: Duplex) => broker.handle(stream, '127.0.0.1:1');
  const open = () => new RawClient(handle);
  const open5 = () => new RawClient(handle, takePacket5);
  const connectOne5 = async (options5?: Connect5Options) => {
    const client = open5();
    client.send(connect5(options5));
    await client.take('connack');
    return client;
  };
  const connectOne = async (connectOptions: ConnectOptions = {}) => {
    const client = open();
    client.send(connect(connectOptions));
    await client.take('connack');
    return client;
  };
  const opening = { open, connect: connectOne, open5, connect5: connectOne5 };
  return { broker, plane, door, time, events, ...opening };
}

/** Lets everything that is under way in this process come to rest. */
export async function settle(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i += 1) await settled();
}

/** Cuts the first packet off what a server sent; undefined: not all of it is there. */
type Cut<R> = (bytes: Buffer) => { packet: R; rest: Buffer } | undefined;

/** The client's end of an in-memory connection, byte for byte. */
export class RawClient<R extends { readonly type: string } = Received> {
  readonly received: R[] = [];
  readonly #near: Duplex;
  readonly #far: Duplex;
  #unread: Buffer = Buffer.alloc(0);
  readonly #cut: Cut<R>;
  readonly #bytes: Buffer[] = [];
  #reading = true;
  #waiting: (() => void)[] = [];
  closed = false;
  /** How many pieces the server's bytes came in. */
  chunks = 0;

  constructor(handle: (stream: Duplex) => void, cut: Cut<R> = takePacket as unknown as Cut<R>) {
    this.#cut = cut;
    [this.#near, this.#far] = duplexPair();
    this.#near.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#near.on('end', () => this.#near.end());
    this.#near.on('close', () => this.#over());
    this.#near.on('error', () => {});
    this.#far.on('close', () => this.#near.destroy());
    handle(this.#far);
  }

  send(...packets: readonly Uint8Array[]): void {
    for (const bytes of packets) if (!this.#near.destroyed) this.#near.write(bytes);
  }

  /** The server side paused reading. */
  get held(): boolean {
    return this.#far.isPaused();
  }

  /** Closes this side properly. */
  end(): void {
    this.#near.end();
  }

  /** The cable is cut. */
  cut(): void {
    this.#far.destroy();
  }

  stopReading(): void {
    this.#reading = false;
    this.#near.pause();
  }

  goOnReading(): void {
    this.#reading = true;
    this.#near.resume();
  }

  /** Removes and returns the oldest packet of a type, waiting for it. */
  async take<T extends R['type']>(type: T): Promise<Extract<R, { type: T }>> {
    for (;;) {
      const index = this.received.findIndex((received) => received.type === type);
      if (index >= 0) {
        return this.received.splice(index, 1)[0] as Extract<R, { type: T }>;
      }
      if (this.closed) throw new Error(`closed while waiting for ${type}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** What came of a type until now, removed. */
  async all<T extends R['type']>(type: T): Promise<Extract<R, { type: T }>[]> {
    await settle();
    const found = this.received.filter((received) => received.type === type);
    for (const received of found) this.received.splice(this.received.indexOf(received), 1);
    return found as Extract<R, { type: T }>[];
  }

  async untilClosed(): Promise<void> {
    while (!this.closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Everything that came. */
  get bytes(): Buffer {
    return Buffer.concat(this.#bytes);
  }

  #take(chunk: Buffer): void {
    this.chunks += 1;
    this.#bytes.push(chunk);
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (;;) {
      const taken = this.#cut(this.#unread);
      if (taken === undefined) break;
      this.received.push(taken.packet);
      this.#unread = taken.rest;
    }
    this.#wake();
    if (!this.#reading) this.#near.pause();
  }

  #over(): void {
    this.closed = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

class PairedDuplex extends Duplex {
  peer: PairedDuplex | undefined;
  #resume: (() => void) | undefined;

  override _read(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const peer = this.peer as PairedDuplex;
    if (peer.destroyed) done();
    else if (peer.push(Buffer.from(chunk))) setImmediate(done);
    else peer.#resume = done;
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }

  override _destroy(_error: Error | null, done: (error: null) => void): void {
    this.#resume = undefined;
    done(null);
  }
}

function duplexPair(): [Duplex, Duplex] {
  const left = new PairedDuplex({ allowHalfOpen: true });
  const right = new PairedDuplex({ allowHalfOpen: true });
  left.peer = right;
  right.peer = left;
  return [left, right];
}
