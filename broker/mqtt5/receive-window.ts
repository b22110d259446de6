import { LazySet } from '../lazy-set.ts';

/**
 * The PUBLISHes of one client at QoS 1 and 2 that it waits for an acknowledgement of: as many as the Receive Maximum
 * that it was told may be under way [MQTT-3.3.4-7].
 */
export class ReceiveWindow {
  readonly #maximum: number;
  readonly #packetIds = new LazySet<number>();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** False: it has sent too many. The same packet id again is the same PUBLISH. */
  take(packetId: number): boolean {
    if (this.#packetIds.size >= this.#maximum && !this.#packetIds.has(packetId)) return false;
    this.#packetIds.add(packetId);
    return true;
  }

  /** A PUBACK or PUBCOMP leaves, or a PUBREC that says that it has failed. */
  release(packetId: number): void {
    this.#packetIds.delete(packetId);
  }
}
