import type { Message } from '../../broker/ordinary/message.ts';
import type {
  ClientClaim,
  Delivery,
  Interest,
  PeerEvents,
  Peers,
  SharedPick,
} from '../../broker/ordinary/peers.ts';
import { TopicTree } from '../../broker/ordinary/topic-tree.ts';
import type { peers } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { RpcBody, RpcHub, RpcMessage, RpcOrigin } from '../transport/rpc.ts';
import { Hints } from './hints.ts';
import { interestOf } from './known-interest.ts';
import { messageFromWire, type Outgoing, outgoing } from './message-codec.ts';
import { OwnInterest } from './own-interest.ts';
import type { Lost, PeerLink } from './peer-link.ts';
import { PeerLinks } from './peer-links.ts';
import { type SharedGroup, SharedGroups } from './shared-groups.ts';
import { Takeovers } from './takeovers.ts';
import { Waiters } from './waiters.ts';

/** Where a member of a shared subscription is; undefined: on this node. */
type Holder = PeerLink | undefined;

export interface NodeMessagesOptions {
  readonly env: Env;
  readonly own: RpcOrigin;
  readonly rpc: Pick<RpcHub, 'call'>;
  /** The other nodes of the cluster. */
  readonly others: () => readonly string[];
  /** The nodes whose majority decides in the cluster. */
  readonly deciding: () => readonly string[];
  /** `payload` is a `peers.Envelope`. False: it could not be sent. */
  readonly send: (node: string, payload: Uint8Array) => boolean;
}

/** Ordinary messages between the nodes of a cluster. It asks nobody for a quorum. */
export class NodeMessages implements Peers {
  readonly #own: RpcOrigin;
  readonly #ownInterest = new OwnInterest();
  readonly #deciding: () => readonly string[];
  readonly #links: PeerLinks;
  /** Ordinary subscriptions of the others. */
  readonly #wanted = new TopicTree<PeerLink>();
  readonly #shared = new SharedGroups<Holder>((link) => link === undefined || link.isUp);
  readonly #takeovers: Takeovers;
  readonly #hints: Hints;
  readonly #waiters: Waiters;
  #acquainted: Promise<void> | undefined;
  #published = 0;
  #dropped = 0;
  #events: PeerEvents | undefined;

  constructor(options: NodeMessagesOptions) {
    const { env, own, rpc } = options;
    this.#own = own;
    this.#deciding = options.deciding;
    this.#links = new PeerLinks({
      ...options,
      ownInterest: this.#ownInterest,
      events: {
        up: ({ node }) => this.#events?.reachable(node),
        down: ({ node }) => this.#events?.unreachable(node),
        lost: ({ node }, lost) => this.#lost(node, lost),
        delivered: (delivery) => this.#delivered(delivery),
        wanted: (link, interest) => this.#learned(link, interest),
        unwanted: (link, interest) => this.#unlearned(link, interest),
        heard: () => this.#waiters.look(),
      },
    });
    const call = (node: string, body: RpcBody, timeoutMs: number) =>
      rpc.call(node, 'consensus', body, timeoutMs);
    this.#takeovers = new Takeovers({
      ...{ env, own: own.node, call },
      reachable: () => this.#reachable().map(({ node }) => node),
      events: () => this.#events,
    });
    this.#hints = new Hints(call, (node) => this.isReachable(node));
    this.#waiters = new Waiters(env.timers);
  }

  /** Nothing is taken from others before. */
  start(events: PeerEvents): void {
    this.#events = events;
    this.#links.start();
  }

  stop(): void {
    this.#events = undefined;
    this.#links.stop();
    this.#waiters.releaseAll();
  }

  announce(interest: Interest): void {
    if (!this.#ownInterest.announce(interest)) return;
    if (interest.group !== '') this.#shared.add(interest, undefined);
    this.#links.interestChanged();
  }

  withdraw(interest: Interest): void {
    if (!this.#ownInterest.withdraw(interest)) return;
    if (interest.group !== '') this.#shared.remove(interest, undefined);
    this.#links.interestChanged();
  }

  acquainted(): Promise<void> {
    this.#acquainted ??= this.#waiters.until(() => this.#links.isAcquainted);
    return this.#acquainted;
  }

  announced(): Promise<void> {
    const { number } = this.#ownInterest;
    return this.#waiters.until(() =>
      this.#reachable().every(({ knownThere }) => knownThere >= number),
    );
  }

  publish(message: Message): void {
    this.#published += 1;
    let delivery: Outgoing | undefined;
    this.#wanted.match(message.topic, (link) => {
      // A node with many filters that match is found as often.
      if (!link.isUp || link.consideredFor === this.#published) return;
      link.consideredFor = this.#published;
      delivery ??= outgoing(message);
      this.#links.push(link, delivery);
    });
  }

  share(message: Message): readonly SharedPick[] {
    const here: SharedPick[] = [];
    const elsewhere = new Map<PeerLink, SharedPick[]>();
    this.#shared.match(message.topic, (shared) => {
      const member = this.#shared.pick(shared);
      if (member === undefined) return;
      const picks = member.holder === undefined ? here : (elsewhere.get(member.holder) ?? []);
      picks.push(pickOf(shared, member.clientId));
      if (member.holder !== undefined) elsewhere.set(member.holder, picks);
    });
    if (elsewhere.size === 0) return here;
    const delivery = outgoing(message);
    for (const [link, shared] of elsewhere) this.#links.push(link, { ...delivery, shared });
    return here;
  }

  hasMember(group: string, filter: string): boolean {
    const shared = this.#shared.find(group, filter);
    return shared !== undefined && this.#shared.hasMember(shared);
  }

  memberOf(group: string, filter: string, key: string): string | undefined {
    return this.#shared.memberOf(group, filter, key);
  }

  takeOver(client: ClientClaim): Promise<boolean> {
    return this.#takeovers.claim(client);
  }

  hint(node: string, clientId: string): void {
    this.#hints.give(node, clientId);
  }

  isReachable(node: string): boolean {
    return this.#links.find(node)?.isUp === true;
  }

  get isFirst(): boolean {
    if (!this.#reachable().every(({ node }) => this.#own.node < node)) return false;
    const deciding = this.#deciding();
    const isHeard = (node: string) => node === this.#own.node || this.isReachable(node);
    return 2 * deciding.filter(isHeard).length > deciding.length;
  }

  startCounterOf(node: string): number | undefined {
    const link = this.#links.find(node);
    return link?.isUp === true ? link.startCounter : undefined;
  }

  /** Client ids that connections keep taking from each other. */
  fights() {
    return this.#takeovers.fights();
  }

  /** Messages of QoS 0 that other nodes did not take in time, or that had nobody left to get them. */
  get dropped(): number {
    return this.#dropped + this.#links.dropped;
  }

  /** What waits for other nodes, or is on its way to them. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const link of this.#links.all()) bytes += link.queuedBytes;
    return bytes;
  }

  /** Takes what another node sent. @throws {ProtocolError} */
  receive(from: string, payload: Uint8Array): void {
    this.#links.receive(from, payload);
  }

  /** Answers a call of another node. False: it is none of ours. */
  serve(from: RpcOrigin, message: RpcMessage, reply: (body: RpcBody) => void): boolean {
    if (message.takeOver != null) this.#takeovers.serve(from.node, message.takeOver, reply);
    else if (message.sessionHint != null) {
      this.#events?.hinted(message.sessionHint.clientId ?? '');
      reply({ sessionHintReply: {} });
    } else return false;
    return true;
  }

  /** A connection to or from that node is gone, and with it what was under way. */
  disconnected(node: string): void {
    this.#links.disconnected(node);
  }

  #reachable(): PeerLink[] {
    return [...this.#links.all()].filter(({ isUp }) => isUp);
  }

  #learned(link: PeerLink, interest: Interest): void {
    if (interest.group === '') this.#wanted.add(interest.filter, link);
    else this.#shared.add(interest, link);
  }

  #unlearned(link: PeerLink, interest: Interest): void {
    if (interest.group === '') this.#wanted.delete(interest.filter, link);
    else this.#shared.remove(interest, link);
  }

  /** Another node's message. Members that are not here any more have a successor, once. */
  #delivered(wire: peers.Delivery): void {
    const message = messageFromWire(wire.message);
    const picks = wire.members.map(interestOf);
    const here = picks.filter((pick) => this.#ownInterest.has(pick));
    if (picks.length === 0 || here.length > 0) this.#events?.received(message, here);
    if (here.length === picks.length) return;
    const delivery = { ...outgoing(message), isPassedOn: wire.passedOn };
    for (const pick of picks) {
      if (!here.includes(pick)) this.#passOn(this.#own.node, { ...delivery, shared: [pick] });
    }
  }

  /** A member of a shared subscription did not get what was meant for it at that node. */
  #passOn(node: string, delivery: Outgoing): void {
    const { message, isPassedOn } = delivery;
    for (const pick of delivery.shared) {
      const shared = isPassedOn ? undefined : this.#shared.find(pick.group, pick.filter);
      const member = shared && this.#shared.pick(shared);
      if (shared === undefined || member === undefined) {
        if (message.qos === 0) this.#dropped += 1;
        else this.#events?.undelivered(node, [{ message, shared: [pick] }]);
        continue;
      }
      const successor = [pickOf(shared, member.clientId)];
      if (member.holder === undefined) this.#events?.received(message, successor);
      else {
        this.#links.push(member.holder, { ...delivery, shared: successor, isPassedOn: true });
      }
    }
  }

  /** What that node took may have died with it, and its sessions want it; what it did not take, others can have. */
  #lost(node: string, lost: readonly Lost[]): void {
    const undelivered: Delivery[] = [];
    for (const { delivery, wasTaken } of lost) {
      const { message, shared } = delivery;
      if (shared.length > 0 && !wasTaken) this.#passOn(node, delivery);
      else undelivered.push({ message, shared });
    }
    if (undelivered.length > 0) this.#events?.undelivered(node, undelivered);
  }
}

function pickOf({ group, filter }: SharedGroup<Holder>, clientId: string): SharedPick {
  return { group, filter, clientId };
}
