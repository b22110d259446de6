import type { ClusterDoor } from '../../broker/data-plane.ts';
import type { Channel, Transport } from '../../node/transport/transport.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Life, World } from './world.ts';

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

  constructor(world: World, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  listen(address: string, endpoint: Endpoint): void {
    this.#endpoints.set(address, endpoint);
  }

  /** The process is gone: those it was connected to notice at once. */
  die(address: string): void {
    const gone = this.#endpoints.get(address);
    this.#endpoints.delete(address);
    if (gone === undefined) return;
    for (const [other, { door, life }] of this.#endpoints) {
      if (this.cuts.has(`${address}>${other}`)) continue;
      this.#world.at(1, () => {
        if (life.alive) door.disconnected(gone.node);
      });
    }
  }

  transport(ownAddress: string, node: string, life: Life): Transport {
    return {
      connect: () => {},
      close: async () => {},
      send: (address, channel, topic, payload) =>
        this.#send({ from: ownAddress, node, life, address, channel, topic, payload }),
    };
  }

  #send(message: {
    from: string;
    node: string;
    life: Life;
    address: string;
    channel: Channel;
    topic: string;
    payload: Uint8Array;
  }): boolean {
    const { from, address, life, channel } = message;
    const target = this.#endpoints.get(address);
    if (target === undefined || !life.alive) return false;
    if (this.cuts.has(`${from}>${address}`)) return true;
    const connection = `${from}>${address} ${channel}`;
    const arrivalMs = Math.max(
      this.#world.nowMs + 1 + this.#random.below(3),
      this.#lastArrivalMs.get(connection) ?? 0,
    );
    this.#lastArrivalMs.set(connection, arrivalMs);
    const payload = message.payload.slice();
    this.#world.at(arrivalMs - this.#world.nowMs, () => {
      if (!target.life.alive || this.#endpoints.get(address) !== target) return;
      if (this.cuts.has(`${from}>${address}`)) return;
      target.door.receive(message.node, message.topic, payload);
    });
    return true;
  }
}
