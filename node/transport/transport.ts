/**
 * How bytes get to another node. `mqtt.ts` publishes them to the other node's broker, the simulator delivers
 * them at a simulated time. Everything may be lost or late; nothing arrives twice on one connection.
 */
export interface Transport {
  /** Keeps connections to the broker at this address open from now on. */
  connect(address: string): void;
  /** Nobody is to be reached at this address any more. */
  disconnect(address: string): void;
  /**
   * Publishes at QoS 0 to `dss/cluster/<topic>` at this address. Returns false if it was dropped: not
   * connected, or too much is waiting already.
   */
  send(address: string, channel: Channel, topic: string, payload: Uint8Array): boolean;
  /**
   * Told when the connection to this address on which calls are made is gone: what was sent on it may be lost.
   */
  onClosed: ((address: string) => void) | undefined;
  /** Told when there is such a connection, for the first time or again. */
  onOpened: ((address: string) => void) | undefined;
  /** Told when a node at this address does not believe that we know the cluster secret. */
  onRefused: ((address: string) => void) | undefined;
  close(): Promise<void>;
}

/**
 * Each is a connection of its own: neither bulk (watches, snapshots) nor the messages of clients to each other may
 * delay consensus.
 */
export type Channel = 'consensus' | 'bulk' | 'messages';
