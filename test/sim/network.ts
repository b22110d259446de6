import type { ClusterDoor } from '../../broker/data-plane.ts';
import type { Channel, Transport } from '../../node/transport/transport.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Life, World } from './world.ts';

const DELAY_MS_MAX = 3;

interface Sender {
  readonly address: string;
  readonly node: string;
  readonly life: Life;
  /** Proves the cluster secret, as in a CONNECT. */
  readonly credentials: () => { readonly username: string; readonly password: string };
}

interface Endpoint {
  readonly node: string;
  readonly door: ClusterDoor;
  readonly life: Life;
}

/** Simulated brokers at addresses. A connection delivers in order; a closed or cut one drops. */
export class Network {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #lastArrivalMs = new Map<string, number>();
  /** Pairs `from>to` of addresses between which nothing gets through. */
  readonly cuts = new Set<string>();
  /** Of the messages between nodes, so many are lost, or arrive a second time. */
  lossRatio = 0;
  duplicateRatio = 0;
  /** A message takes up to so long; each of a node's connections keeps its own order. */
  delayMsMax = DELAY_MS_MAX;
  /** In addition, for pairs `from>to` of addresses. */
  readonly delaysMs = new Map<string, number>();
  /** Messages to a node that its door has let in. */
  accepted = 0;

  constructor(world: World, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  listen(address: string, endpoint: Endpoint): void {
    this.#endpoints.set(address, endpoint);
  }

  /** Nothing gets through between the two sides, in either direction. */
  partition(some: readonly string[], others: readonly string[]): void {
    for (const one of some) {
      for (const other of others) this.cuts.add(`${one}>${other}`).add(`${other}>${one}`);
    }
  }

  heal(): void {
    this.cuts.clear();
    this.delaysMs.clear();
    this.lossRatio = 0;
    this.duplicateRatio = 0;
    this.delayMsMax = DELAY_MS_MAX;
  }

  /** The process is gone: those it was connected to notice at once. */
  die(address: string): void {
    const gone = this.#endpoints.get(address);
    this.#endpoints.delete(address);
    if (gone === undefined) return;
    for (const [other, { door, life }] of this.#endpoints) {
      if (this.cuts.has(`${address}>${other}`)) continue;
      this.#world.at(1, () => life.reach(() => door.disconnected(gone.node)));
    }
  }

  /** The connections between two nodes break: each of them is told, and they are made anew. */
  reset(one: string, other: string): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const target = this.#endpoints.get(to);
      const gone = this.#endpoints.get(from);
      if (target === undefined || gone === undefined) continue;
      this.#world.at(1, () => target.life.reach(() => target.door.disconnected(gone.node)));
    }
  }

  transport(sender: Sender): Transport {
    const connections = new Map<Endpoint, string | undefined>();
    /** The node that the other side takes the sender for; nobody, if it does not know the secret. */
    const connect = (target: Endpoint, address: string) => {
      if (!connections.has(target)) {
        const { username, password } = sender.credentials();
        const proof = new TextEncoder().encode(password);
        connections.set(target, target.door.authenticate(username, proof));
        if (connections.get(target) === undefined) transport.onRefused?.(address);
      }
      return connections.get(target);
    };
    const transport: Transport = {
      onClosed: undefined,
      onOpened: undefined,
      onRefused: undefined,
      connect: () => {},
      disconnect: () => {},
      close: async () => {},
      send: (address, channel, topic, payload) => {
        const target = this.#endpoints.get(address);
        if (target === undefined || !sender.life.alive) return false;
        const node = connect(target, address);
        if (node === undefined) return false;
        return this.#send(target, { from: sender.address, node, address, channel, topic, payload });
      },
    };
    return transport;
  }

  #send(
    target: Endpoint,
    message: {
      readonly from: string;
      readonly node: string;
      readonly address: string;
      readonly channel: Channel;
      readonly topic: string;
      readonly payload: Uint8Array;
    },
  ): boolean {
    const { from, address, channel } = message;
    if (this.cuts.has(`${from}>${address}`)) return true;
    if (this.lossRatio > 0 && this.#random.chance(this.lossRatio)) return true;
    const connection = `${from}>${address} ${channel}`;
    const delayMs = this.delaysMs.get(`${from}>${address}`) ?? 0;
    const arrivalMs = Math.max(
      this.#world.nowMs + 1 + this.#random.below(this.delayMsMax) + delayMs,
      this.#lastArrivalMs.get(connection) ?? 0,
    );
    this.#lastArrivalMs.set(connection, arrivalMs);
    const payload = message.payload.slice();
    const receive = () => {
      if (this.#endpoints.get(address) !== target) return;
      this.accepted += 1;
      this.#world.witness(payload);
      target.door.receive(message.node, message.topic, payload);
    };
    const deliver = () => {
      if (!this.cuts.has(`${from}>${address}`)) target.life.reach(receive);
    };
    this.#world.at(arrivalMs - this.#world.nowMs, deliver);
    if (this.duplicateRatio > 0 && this.#random.chance(this.duplicateRatio)) {
      this.#world.at(arrivalMs - this.#world.nowMs + this.#random.below(20), deliver);
    }
    return true;
  }
}
