import type { BrokerEnv } from '../env.ts';
import { type AwayMatch, AwaySessions } from './away-sessions.ts';
import { DeadNodes } from './dead-nodes.ts';
import { Lingering } from './lingering.ts';
import type { Message } from './message.ts';
import type { Delivery, Peers } from './peers.ts';
import { delayOf } from './session-wills.ts';
import type {
  MessageStore,
  QueuedMessage,
  SessionHost,
  SessionRecord,
  StoredSubscription,
  StoredWill,
} from './store.ts';

/** Messages for a client may still come back from the node that it has left. */
const MOVED_MS = 10_000;

interface Options {
  readonly env: BrokerEnv;
  readonly host: SessionHost;
  readonly peers: Peers;
  readonly store: MessageStore;
  isHere(clientId: string): boolean;
  /** There is something in the queue of a client that is here. */
  lookAgain(clientId: string): void;
  /** A client's node has died, and could not see to its will. */
  leaveWill(record: SessionRecord, will: StoredWill): void;
  /** Other nodes need not send any more what these wanted. */
  withdraw(clientId: string, subscriptions: readonly StoredSubscription[]): void;
}

/**
 * Sessions whose clients are not connected here: what this node keeps for them, and what it does for those whose own node
 * has died.
 */
export class AbsentSessions {
  /** Of the whole cluster: not connected anywhere that can be reached. */
  readonly away = new AwaySessions();
  readonly #options: Options;
  readonly #lingering: Lingering;
  /** For these this node has kept something since they went away. */
  readonly #keptFor = new Set<string>();
  readonly #deadNodes: DeadNodes;
  /** Which sessions have left which nodes lately, oldest first, and when. */
  readonly #moved = new Map<string, number>();

  constructor(options: Options) {
    this.#options = options;
    this.#lingering = new Lingering(options.env, options.withdraw);
    this.#deadNodes = new DeadNodes(options.env, () => this.#buryDead());
  }

  stop(): void {
    this.#lingering.stop();
  }

  /** A client has just left this node. */
  left(record: SessionRecord, lingering: readonly StoredSubscription[]): void {
    this.#keptFor.add(record.clientId);
    this.away.add(record);
    this.#lingering.begin(record.clientId, lingering);
  }

  /** A client has just connected here. */
  arrived(clientId: string): void {
    this.away.delete(clientId);
    this.#lingering.end(clientId);
    this.#keptFor.delete(clientId);
  }

  /** For a session that is away. */
  keep(clientId: string, queued: QueuedMessage): void {
    this.#keptFor.add(clientId);
    this.#options.store.enqueue(clientId, queued);
  }

  /** Another node has sent it, maybe for a client that was here a moment ago. */
  received(message: Message): void {
    for (const [clientId, match] of this.#lingering.match(message)) {
      this.#keepAnywhere(clientId, message, match);
    }
  }

  /** What was sent to a node that did not take it is for the queues of the sessions that are, or were, there. */
  undelivered(node: string, deliveries: readonly Delivery[]): void {
    const there = new AwaySessions();
    for (const record of this.#options.store.sessions()) {
      const isThere = record.host?.node === node || this.#hasMovedFrom(node, record.clientId);
      if (isThere && record.expirySeconds > 0) there.add(record);
    }
    for (const { message, shared } of deliveries) {
      const isTaken = (group: string, filter: string) =>
        !shared.some((pick) => pick.group === group && pick.filter === filter);
      for (const [clientId, match] of there.match(message, isTaken)) {
        this.#keepAnywhere(clientId, message, match);
      }
    }
  }

  /** A session has changed, somewhere; undefined: it is over. */
  changed(
    clientId: string,
    record: SessionRecord | undefined,
    before: SessionRecord | undefined,
  ): void {
    const { host, isHere } = this.#options;
    if (record !== undefined) this.#noteMove(record, before);
    if (isHere(clientId)) return;
    if (record === undefined) {
      this.away.delete(clientId);
      this.#lingering.end(clientId);
      this.#keptFor.delete(clientId);
      return;
    }
    const isOfEarlierStart =
      record.host?.node === host.node && record.host.startCounter < host.startCounter;
    if (isOfEarlierStart) this.#bury(record);
    else this.#place(clientId, record);
  }

  unreachable(node: string): void {
    this.#deadNodes.silent(node);
    this.#placeAllOf(node);
  }

  reachable(node: string): void {
    this.#deadNodes.heard(node);
    this.#placeAllOf(node);
  }

  /** Of all nodes that are dead: whoever was to do it before may have died since. */
  #buryDead(): void {
    if (!this.#options.peers.isFirst) return;
    for (const node of this.#deadNodes.all()) {
      if (!this.#deadNodes.isDead(node)) continue;
      for (const record of this.#recordsOf(node)) this.#bury(record);
    }
  }

  #noteMove({ clientId, host }: SessionRecord, before: SessionRecord | undefined): void {
    const nowMs = this.#options.env.clock.monotonicMs();
    for (const [move, atMs] of this.#moved) {
      if (nowMs - atMs < MOVED_MS) break;
      this.#moved.delete(move);
    }
    const from = before?.host?.node;
    if (from === undefined || from === host?.node) return;
    const move = `${from} ${clientId}`;
    this.#moved.delete(move);
    this.#moved.set(move, nowMs);
  }

  #hasMovedFrom(node: string, clientId: string): boolean {
    const atMs = this.#moved.get(`${node} ${clientId}`);
    return atMs !== undefined && this.#options.env.clock.monotonicMs() - atMs < MOVED_MS;
  }

  #place(clientId: string, record: SessionRecord): void {
    const { host, peers } = this.#options;
    const node = record.host?.node ?? host.node;
    if (node !== host.node && !peers.isReachable(node)) {
      if (this.#deadNodes.isSilent(node)) this.#deadNodes.named(node);
      else this.#deadNodes.silent(node);
    }
    if (record.expirySeconds > 0 && !this.#isConnected(record.host)) {
      this.away.add(record);
    } else {
      this.away.delete(clientId);
      this.#hint(clientId);
    }
  }

  #placeAllOf(node: string): void {
    for (const record of this.#recordsOf(node)) this.#place(record.clientId, record);
  }

  #recordsOf(node: string): SessionRecord[] {
    const { store, isHere } = this.#options;
    return [...store.sessions()].filter(
      ({ host, clientId }) => host?.node === node && !isHere(clientId),
    );
  }

  #isConnected(host: SessionHost | undefined): boolean {
    if (host === undefined) return false;
    return this.#options.peers.startCounterOf(host.node) === host.startCounter;
  }

  #keepAnywhere(clientId: string, message: Message, match: AwayMatch): void {
    this.keep(clientId, { message, ...match, packetId: 0, isReleased: false });
    this.#hint(clientId);
  }

  /** Whoever has its session now may not know what this node has kept for it. */
  #hint(clientId: string): void {
    if (this.#options.isHere(clientId)) return this.#options.lookAgain(clientId);
    if (this.#hostElsewhere(clientId) === undefined) return;
    if (this.#keptFor.delete(clientId)) void this.#hintWhenStored(clientId);
  }

  /** Before, there would be nothing to find. */
  async #hintWhenStored(clientId: string): Promise<void> {
    const { store, peers, isHere } = this.#options;
    await store.queueStored(clientId);
    if (isHere(clientId)) return;
    const node = this.#hostElsewhere(clientId);
    if (node !== undefined) peers.hint(node, clientId);
    else if (store.session(clientId) !== undefined) this.#keptFor.add(clientId);
  }

  #hostElsewhere(clientId: string): string | undefined {
    const node = this.#options.store.session(clientId)?.host?.node;
    return node === this.#options.host.node ? undefined : node;
  }

  /** The node that it was connected to has died, and could not do this. */
  #bury(record: SessionRecord): void {
    const { store, env, leaveWill } = this.#options;
    const { clientId, will, expirySeconds } = record;
    if (expirySeconds > 0) {
      const waiting = will !== undefined && delayOf(will, record) > 0 ? will : undefined;
      const awaySinceMs = env.clock.nowMs();
      const away = { ...record, host: undefined, will: waiting, awaySinceMs };
      void store.saveSession(away);
      this.#place(clientId, away);
    } else {
      store.endSession(clientId);
    }
    if (will !== undefined) leaveWill(record, will);
  }
}
