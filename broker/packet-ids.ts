import { LazyMap } from './lazy-map.ts';

const PACKET_ID_MAX = 0xffff;

/**
 * The packet ids of what is on its way to one client, and what each stands for. At most `capacity` are in use at a
 * time, which is what the client has said it takes, or we give (MQTT 5 §3.3.4, Receive Maximum).
 */
export class PacketIds<Owner> {
  readonly #capacity: number;
  readonly #owners = new LazyMap<number, Owner>();
  #cursor = PACKET_ID_MAX;

  constructor(capacity: number) {
    this.#capacity = Math.min(capacity, PACKET_ID_MAX);
  }

  get hasRoom(): boolean {
    return this.#owners.size < this.#capacity;
  }

  /** A free id; there must be room. */
  take(owner: Owner): number {
    do this.#cursor = this.#cursor === PACKET_ID_MAX ? 1 : this.#cursor + 1;
    while (this.#owners.has(this.#cursor));
    this.#owners.set(this.#cursor, owner);
    return this.#cursor;
  }

  /** An id that the client knows from an earlier connection, whatever the capacity [MQTT-4.4.0-1]. */
  keep(packetId: number, owner: Owner): void {
    this.#owners.set(packetId, owner);
  }

  owner(packetId: number): Owner | undefined {
    return this.#owners.get(packetId);
  }

  /** The exchange is over. */
  release(packetId: number): void {
    this.#owners.delete(packetId);
  }

  /** What is on its way, in the order in which it was sent. */
  owners(): Iterable<Owner> {
    return this.#owners.values();
  }
}
