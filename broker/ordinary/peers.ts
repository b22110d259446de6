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
   * Resolves when this node has heard from all others what they want since it started, or after a second: before, what
   * is published here does not reach them.
   */
  acquainted(): Promise<void>;
  /** Resolves when all nodes that can be reached know what was announced up to now, or after a second. */
  announced(): Promise<void>;

  /**
   * Sends a message that a publisher brought to this node to every other node that wants it, once, in order. Never
   * waits. What a node cannot take is dropped and counted at QoS 0, oldest first, and handed to `undelivered` else.
   */
  publish(message: Message): void;

  /**
   * For each shared subscription that matches, the member that is to get it: members here and on other nodes in turn.
   * The message is sent if it is elsewhere; the ids of members here are returned, with the group they get it for.
   */
  share(message: Message): readonly SharedPick[];

  /** Whether anybody who can be reached is a member of a shared subscription. */
  hasMember(group: string, filter: string): boolean;

  /** The member that everything of this key goes to; the same on every node that knows of the same members. */
  memberOf(group: string, filter: string, key: string): string | undefined;

  /**
   * The client connects here, and nowhere else from now on. Resolves when all other nodes have let go of it, or after
   * a second. `connectedAtMs` says who is later when it connects at two nodes at once. False: its client id is in use by
   * another user, who keeps it.
   */
  takeOver(client: ClientClaim): Promise<boolean>;

  /** A node that holds a session has to look into its queue once more: there is something it may not know of. */
  hint(node: string, clientId: string): void;

  /**
   * Whether this node has the lowest id of all that can be reached, and reaches a majority of those who decide in the
   * cluster: it does what only one is to do. Who is cut off knows nothing of the others but that it does not hear them.
   */
  readonly isFirst: boolean;
  /** Whether messages reach that node, which is another one, at the moment. */
  isReachable(node: string): boolean;
  /** In which run it was when it was heard last; undefined: it is not reachable. */
  startCounterOf(node: string): number | undefined;
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
  /** Of the connection on the same node that it has ended already; empty: there was none. */
  readonly displacedAddress: string;
}

/** A message, and who gets it: whoever wants it, or these members alone if there are any. */
export interface Delivery {
  readonly message: Message;
  readonly shared: readonly SharedPick[];
}

/** What other nodes say; the broker implements it. */
export interface PeerEvents {
  /** A message of another node's publisher; `shared`: for these members alone. */
  received(message: Message, shared: readonly SharedPick[]): void;
  /**
   * What was sent to that node at QoS 1 or 2 and may not have come as far as its sessions, oldest first: they are to
   * find it in their queues. This node itself is named for members that were here and have gone, with nobody else left.
   */
  undelivered(node: string, deliveries: readonly Delivery[]): void;
  /**
   * Resolves when nothing of the client is here any more, and what was queued for it is on its way to the store. With
   * the address of the connection that ended, empty if there was none; undefined: another user is connected under this
   * client id, and stays. Must not wait for a claim of this node.
   */
  takenOver(client: ClientClaim): Promise<string | undefined>;
  hinted(clientId: string): void;
  /** Nothing reaches that node any more; `reachable` when it does again. */
  unreachable(node: string): void;
  reachable(node: string): void;
}
