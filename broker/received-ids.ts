import { LazySet } from './lazy-set.ts';

/**
 * The packet ids of the QoS 2 PUBLISHes of one client that have been answered with PUBREC and not been released yet. What
 * comes again under one of them is not published again [MQTT-4.3.3-2]; they belong to the session, wherever it goes on.
 */
export class ReceivedIds {
  /** Ours to answer. */
  readonly ours = new LazySet<number>();
  /** Of ordinary messages, which the session layer answers. */
  readonly ofSession = new LazySet<number>();
  /** Both: ordinary messages that an ingest rule stores. */
  readonly shared = new LazySet<number>();

  /** What a connection before this one has received: nobody but us knows of it. */
  restore(packetIds: readonly number[]): void {
    for (const packetId of packetIds) this.ours.add(packetId);
  }

  all(): readonly number[] {
    return [...new Set([...this.ours, ...this.ofSession])];
  }
}
