import type { Message } from '../../broker/ordinary/message.ts';
import type {
  ClientClaim,
  Interest,
  PeerEvents,
  Peers,
  SharedPick,
} from '../../broker/ordinary/peers.ts';
import { TopicTree } from '../../broker/ordinary/topic-tree.ts';

/** Brokers in one process that know of each other at once. */
export class FakePeerNetwork {
  readonly nodes = new Map<string, FakePeers>();
  /** Whether anybody may do what only one is to do. */
  isFirst = true;
  /** By node: what its claims wait for. */
  readonly claimsHeld = new Map<string, Promise<void>>();

  /** For the broker of one node. */
  join(node: string): (events: PeerEvents) => Peers {
    return (events) => {
      const peers = new FakePeers(this, node, events);
      this.nodes.set(node, peers);
      return peers;
    };
  }

  /** As if it were killed: nobody hears of it any more. Returns what mends that. */
  cut(node: string): () => void {
    const peers = this.nodes.get(node);
    this.nodes.delete(node);
    for (const { events } of this.nodes.values()) events.unreachable(node);
    return () => {
      if (peers === undefined) return;
      this.nodes.set(node, peers);
      for (const other of this.nodes.values()) if (other !== peers) other.events.reachable(node);
    };
  }
}

class FakePeers implements Peers {
  readonly events: PeerEvents;
  readonly #network: FakePeerNetwork;
  readonly #node: string;
  readonly interest: Interest[] = [];
  #turn = 0;

  constructor(network: FakePeerNetwork, node: string, events: PeerEvents) {
    this.#network = network;
    this.#node = node;
    this.events = events;
  }

  get isFirst(): boolean {
    return this.#network.isFirst && [...this.#network.nodes.keys()].sort()[0] === this.#node;
  }

  async acquainted(): Promise<void> {}

  announce(interest: Interest): void {
    this.interest.push(interest);
  }

  withdraw({ group, filter, clientId }: Interest): void {
    const index = this.interest.findIndex(
      (each) => each.group === group && each.filter === filter && each.clientId === clientId,
    );
    if (index >= 0) this.interest.splice(index, 1);
  }

  publish(message: Message): void {
    for (const peer of this.#network.nodes.values()) {
      if (peer === this) continue;
      const wants = peer.interest.some(
        ({ group, filter }) => group === '' && matches(filter, message.topic),
      );
      if (wants) peer.events.received(message, []);
    }
  }

  share(message: Message): readonly SharedPick[] {
    const here: SharedPick[] = [];
    for (const members of this.#groups().values()) {
      const [first] = members;
      if (first === undefined || !matches(first.interest.filter, message.topic)) continue;
      const pick = members[this.#turn++ % members.length] as (typeof members)[0];
      if (pick.peer === this) here.push(pick.interest);
      else pick.peer.events.received(message, [pick.interest]);
    }
    return here;
  }

  hasMember(group: string, filter: string): boolean {
    return this.#groups().has(`${group}/${filter}`);
  }

  memberOf(group: string, filter: string, key: string): string | undefined {
    const members = this.#groups().get(`${group}/${filter}`) ?? [];
    return members[key.charCodeAt(0) % members.length]?.interest.clientId;
  }

  async takeOver(client: ClientClaim): Promise<boolean> {
    const others = [...this.#network.nodes.values()].filter((peer) => peer !== this);
    const displaced = await Promise.all(others.map(({ events }) => events.takenOver(client)));
    await this.#network.claimsHeld.get(this.#node);
    return !displaced.includes(undefined);
  }

  hint(node: string, clientId: string): void {
    this.#network.nodes.get(node)?.events.hinted(clientId);
  }

  async announced(): Promise<void> {}

  startCounterOf(node: string): number | undefined {
    return this.isReachable(node) ? 1 : undefined;
  }

  isReachable(node: string): boolean {
    return this.#network.nodes.has(node);
  }

  #groups(): Map<string, { readonly peer: FakePeers; readonly interest: Interest }[]> {
    const groups = new Map<string, { peer: FakePeers; interest: Interest }[]>();
    for (const peer of this.#network.nodes.values()) {
      for (const interest of peer.interest) {
        if (interest.group === '') continue;
        const name = `${interest.group}/${interest.filter}`;
        groups.set(name, [...(groups.get(name) ?? []), { peer, interest }]);
      }
    }
    return groups;
  }
}

function matches(filter: string, topic: string): boolean {
  const tree = new TopicTree<true>();
  tree.add(filter, true);
  let isMatch = false;
  tree.match(topic, () => {
    isMatch = true;
  });
  return isMatch;
}
