import type { Message } from './message.ts';

/**
 * What the broker needs of the other nodes for ordinary topics. It declares the port, `node/messages` implements it.
 * Everything here goes on without a quorum.
 */
export interface Peers {
  /** This node holds a subscription now that it had not, or one more member of a shared one. Ended by `withdraw`. */
  announce(interest: Interest): void;
  withdraw(interest: Interest): void;

  /**
   * Sends a message that a publisher brought to this node to every other node that wants it, once, in order. Never
   * waits; what a node cannot take is dropped and counted, oldest first.
   */
  publish(message: Message): void;

  /**
   * For each shared subscription that matches, the member that is to get it: members here and on other nodes in turn.
   * The message is sent if it is elsewhere; the ids of members here are returned, with the group they get it for.
   */
  share(message: Message): readonly SharedPick[];

  /**
   * The client connects here, and nowhere else from now on. Resolves when all other nodes have let go of it, or after
   * a second. `connectedAtMs` says who is later when it connects at two nodes at once.
   */
  takeOver(client: ClientClaim): Promise<void>;

  /** A node that holds a session has to look into its queue once more: there is something it may not know of. */
  hint(node: string, clientId: string): void;

  /** Of a shared subscription to values: the member that gets the changes of a key. */
  memberOf(group: string, filter: string, key: Uint8Array): string | undefined;

  /** Whether messages reach that node at the moment. */
  isReachable(node: string): boolean;
  /** Whether this node has the lowest id of all that can be reached: it does what only one is to do. */
  readonly isFirst: boolean;
}

export interface Interest {
  /** Empty: an ordinary subscription. */
  readonly group: string;
  readonly filter: string;
  /** The client, for members of a shared subscription; else empty: a node announces a filter once. */
  readonly clientId: string;
}

export interface SharedPick {
  readonly group: string;
  readonly filter: string;
  readonly clientId: string;
}

export interface ClientClaim {
  readonly clientId: string;
  readonly user: string;
  readonly connectedAtMs: number;
  /** Of the connection, for the alert when two of them keep taking it from each other. */
  readonly address: string;
}

/** What other nodes say; the broker implements it. */
export interface PeerEvents {
  /** A message of another node's publisher; `shared`: for these members alone. */
  received(message: Message, shared: readonly SharedPick[]): void;
  /** Resolves when nothing of the client is here any more, and what was queued for it is on its way to the store. */
  takenOver(client: ClientClaim): Promise<void>;
  hinted(clientId: string): void;
  /** Nothing reaches that node any more; `reachable` when it does again. */
  unreachable(node: string): void;
  reachable(node: string): void;
}

/** There are no other nodes. */
export const ALONE: Peers = {
  announce: () => {},
  withdraw: () => {},
  publish: () => {},
  share: () => [],
  takeOver: async () => {},
  hint: () => {},
  memberOf: () => undefined,
  isReachable: () => false,
  isFirst: true,
};
