import { Fifo } from './fifo.ts';
import { type Outgoing, wireBytes } from './message-codec.ts';

/** Of what waits for one node that does not keep up. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;

interface Waiting {
  /** In the order in which it came. */
  readonly ordinal: number;
  readonly bytes: number;
  readonly delivery: Outgoing;
}

/** What waits to be sent to one node: in order, bounded in bytes. QoS 0 goes first when there is too much. */
export class SendQueue {
  bytes = 0;
  /** Of QoS 0, for want of room. */
  dropped = 0;
  readonly #atMostOnce = new Fifo<Waiting>();
  readonly #atLeastOnce = new Fifo<Waiting>();
  #nextOrdinal = 0;

  /** Returns what of QoS 1 and 2 has lost its place. */
  push(delivery: Outgoing): readonly Outgoing[] {
    const bytes = wireBytes(delivery);
    const displaced: Outgoing[] = [];
    while (this.bytes + bytes > WAITING_BYTES_MAX && this.length > 0) {
      const oldest = this.#atMostOnce.first;
      if (oldest !== undefined) {
        this.#remove(this.#atMostOnce);
        this.dropped += 1;
      } else if (delivery.message.qos === 0) {
        this.dropped += 1;
        return displaced;
      } else displaced.push(this.#remove(this.#atLeastOnce));
    }
    const queue = delivery.message.qos === 0 ? this.#atMostOnce : this.#atLeastOnce;
    queue.push({ ordinal: this.#nextOrdinal++, bytes, delivery });
    this.bytes += bytes;
    return displaced;
  }

  get length(): number {
    return this.#atMostOnce.length + this.#atLeastOnce.length;
  }

  /** The oldest, if it has no more than so many bytes. */
  take(bytesMax: number): Outgoing | undefined {
    const queue = this.#older();
    const bytes = queue.first?.bytes;
    return bytes === undefined || bytes > bytesMax ? undefined : this.#remove(queue);
  }

  /** Everything of QoS 1 and 2; the rest is dropped. */
  clear(): Outgoing[] {
    const rest: Outgoing[] = [];
    while (this.#atLeastOnce.length > 0) rest.push(this.#remove(this.#atLeastOnce));
    this.dropped += this.#atMostOnce.length;
    while (this.#atMostOnce.length > 0) this.#remove(this.#atMostOnce);
    return rest;
  }

  #older(): Fifo<Waiting> {
    const { first: one } = this.#atMostOnce;
    const { first: other } = this.#atLeastOnce;
    if (one === undefined) return this.#atLeastOnce;
    if (other === undefined) return this.#atMostOnce;
    return one.ordinal < other.ordinal ? this.#atMostOnce : this.#atLeastOnce;
  }

  #remove(queue: Fifo<Waiting>): Outgoing {
    const { bytes, delivery } = queue.shift() as Waiting;
    this.bytes -= bytes;
    return delivery;
  }
}
