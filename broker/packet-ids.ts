import assert from 'node:assert/strict';

const PACKET_ID_MAX = 0xffff;
/** Stands in `#owners` for a delivery of our own; session packet ids are 1 or more. */
const OWN = 0;

/**
 * The packet ids towards one client, where two senders meet: aedes, which counts upwards from a random id
 * that nobody else can see, and our own deliveries. Each id in flight has one owner.
 *
 * aedes' id is kept whenever it is free, so that a resumed session resends under the id that the client
 * knows [MQTT-4.4.0-1]. Ours are taken from the top downwards to stay out of its way.
 */
export class PacketIds {
  /** Ids in flight on the wire: what aedes calls them, or `OWN`. */
  readonly #owners = new Map<number, number>();
  /** The way back for those that aedes knows under another number. */
  readonly #renamed = new Map<number, number>();
  #cursor = PACKET_ID_MAX;

  get size(): number {
    return this.#owners.size;
  }

  /** A free id for a delivery of ours; undefined when all are in flight. */
  takeOwn(): number | undefined {
    return this.#take(OWN);
  }

  /** The id on the wire for a packet that aedes sends; undefined when all are in flight. */
  toWire(sessionId: number): number | undefined {
    const renamed = this.#renamed.get(sessionId);
    if (renamed !== undefined) return renamed;
    const owner = this.#owners.get(sessionId);
    if (owner === sessionId) return sessionId;
    if (owner === undefined) {
      this.#owners.set(sessionId, sessionId);
      return sessionId;
    }
    const wireId = this.#take(sessionId);
    if (wireId !== undefined) this.#renamed.set(sessionId, wireId);
    return wireId;
  }

  /** Whose packet the client acknowledges; for aedes' packets, what it calls them. */
  owner(wireId: number): 'own' | 'unknown' | number {
    const owner = this.#owners.get(wireId);
    if (owner === undefined) return 'unknown';
    return owner === OWN ? 'own' : owner;
  }

  /** The exchange is over: the id is free. */
  release(wireId: number): void {
    const owner = this.#owners.get(wireId);
    if (owner !== undefined && owner !== wireId) this.#renamed.delete(owner);
    this.#owners.delete(wireId);
  }

  #take(owner: number): number | undefined {
    if (this.#owners.size >= PACKET_ID_MAX) return undefined;
    while (this.#owners.has(this.#cursor)) this.#step();
    const wireId = this.#cursor;
    this.#step();
    assert(wireId >= 1 && wireId <= PACKET_ID_MAX, 'a packet id has 16 bits and is not 0');
    this.#owners.set(wireId, owner);
    return wireId;
  }

  #step(): void {
    this.#cursor = this.#cursor > 1 ? this.#cursor - 1 : PACKET_ID_MAX;
  }
}
