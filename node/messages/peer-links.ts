import type { Interest } from '../../broker/ordinary/peers.ts';
import { decode, ProtocolError, peers } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import { AttentiveTime } from '../membership/attentive-time.ts';
import type { RpcOrigin } from '../transport/rpc.ts';
import { KnownInterest } from './known-interest.ts';
import type { Outgoing } from './message-codec.ts';
import type { OwnInterest } from './own-interest.ts';
import { type Lost, PeerLink } from './peer-link.ts';

/** Every node says where it stands, and looks who has fallen silent. */
const BEAT_MS = 1_000;
/** So long what was taken is gathered before it is reported. */
const REPORT_DELAY_MS = 20;
/** What an unreachable node wanted is kept for so long: it may be back. */
const FORGET_MS = 30_000;
const ASK_AGAIN_MS = 1_000;

/** What comes of the links. */
export interface LinkEvents {
  readonly up: (link: PeerLink) => void;
  /** It was up. What may not have arrived follows as `lost`. */
  readonly down: (link: PeerLink) => void;
  readonly lost: (link: PeerLink, lost: readonly Lost[]) => void;
  readonly delivered: (delivery: peers.Delivery) => void;
  readonly wanted: (link: PeerLink, interest: Interest) => void;
  readonly unwanted: (link: PeerLink, interest: Interest) => void;
  /** Something was heard. */
  readonly heard: () => void;
}

interface Peer {
  readonly link: PeerLink;
  readonly interest: KnownInterest;
  /** When the whole of its interest was asked for last. */
  askedAtMs: number;
  /** It has said what it wants, in this run of it. */
  isAcquainted: boolean;
}

interface PeerLinksOptions {
  readonly env: Env;
  readonly own: RpcOrigin;
  readonly ownInterest: OwnInterest;
  readonly others: () => readonly string[];
  readonly send: (node: string, payload: Uint8Array) => boolean;
  readonly events: LinkEvents;
}

/** The links to all other nodes: when something is said on them, and who wants what. */
export class PeerLinks {
  readonly #options: PeerLinksOptions;
  readonly #time: AttentiveTime;
  readonly #peers = new Map<string, Peer>();
  readonly #toFlush = new Set<Peer>();
  /** By links to nodes that are no more. */
  #droppedBefore = 0;
  #isRunning = false;
  #isFlushScheduled = false;
  #isReportScheduled = false;
  #stopBeating = () => {};

  constructor(options: PeerLinksOptions) {
    this.#options = options;
    this.#time = new AttentiveTime(options.env.clock.monotonicMs());
  }

  /** Nothing is taken from others before. */
  start(): void {
    this.#isRunning = true;
    this.#stopBeating = this.#options.env.timers.every(BEAT_MS, () => this.#beat());
    this.#beat();
  }

  stop(): void {
    this.#isRunning = false;
    this.#stopBeating();
    this.#toFlush.clear();
    this.#peers.clear();
  }

  find(node: string): PeerLink | undefined {
    return this.#peers.get(node)?.link;
  }

  *all(): Generator<PeerLink> {
    for (const { link } of this.#peers.values()) yield link;
  }

  /** Whether all others have said what they want. */
  get isAcquainted(): boolean {
    return this.#options.others().every((node) => this.#peers.get(node)?.isAcquainted === true);
  }

  push(link: PeerLink, delivery: Outgoing): void {
    const displaced = link.push(delivery);
    if (displaced.length > 0) {
      // There is too much already: it is not given to other members, who may be at the same node.
      const lost = displaced.map((each) => {
        return { delivery: { ...each, isPassedOn: true }, wasTaken: false };
      });
      this.#options.events.lost(link, lost);
    }
    this.#flushSoon(this.#peers.get(link.node));
  }

  /** Messages of QoS 0 that other nodes did not take in time, since the start. */
  get dropped(): number {
    let dropped = this.#droppedBefore;
    for (const { link } of this.#peers.values()) dropped += link.dropped;
    return dropped;
  }

  /** The interest of this node has changed. */
  interestChanged(): void {
    this.#flushSoon();
  }

  /**
   * Takes an envelope.
   *
   * @throws {ProtocolError}
   */
  receive(from: string, payload: Uint8Array): void {
    const envelope = decode(peers.Envelope, payload);
    if (envelope.fromNode !== from) {
      throw new ProtocolError(`an envelope of ${envelope.fromNode} came from ${from}`);
    }
    if (!this.#isRunning) return;
    const peer = this.#peers.get(from) ?? this.#meet(from);
    if (peer === undefined || peer.link.isLate(envelope)) return;
    const { link } = peer;
    if (envelope.startCounter !== link.startCounter) this.#begin(peer, envelope.startCounter);
    const { events, ownInterest } = this.#options;
    if (link.heard(envelope, this.#nowMs())) events.up(link);
    this.#learn(peer, envelope);
    for (const delivery of envelope.deliveries) events.delivered(delivery as peers.Delivery);
    if (envelope.wantsInterest) link.tellAll(ownInterest.set());
    if (envelope.wantsAnswer || link.hasMore) this.#flushSoon(peer);
    else if (link.owesReport) this.#reportSoon();
    events.heard();
  }

  /** A connection to or from that node is gone, and with it what was under way. */
  disconnected(node: string): void {
    const peer = this.#peers.get(node);
    if (peer !== undefined) this.#down(peer);
  }

  #meet(node: string): Peer | undefined {
    const { own, others, send, events } = this.#options;
    if (!others().includes(node)) return undefined;
    const link = new PeerLink({
      ...{ node, own, nowMs: this.#nowMs() },
      send: (payload) => send(node, payload),
    });
    const interest = new KnownInterest({
      onAdded: (each) => events.wanted(link, each),
      onRemoved: (each) => events.unwanted(link, each),
    });
    const peer: Peer = { link, interest, askedAtMs: Number.NEGATIVE_INFINITY, isAcquainted: false };
    this.#peers.set(node, peer);
    return peer;
  }

  #begin(peer: Peer, startCounter: number): void {
    this.#down(peer);
    peer.interest.forget();
    peer.isAcquainted = false;
    peer.askedAtMs = Number.NEGATIVE_INFINITY;
    peer.link.begin(startCounter);
  }

  #learn(peer: Peer, { sets, changes, interestNumber }: peers.Envelope): void {
    const { link, interest } = peer;
    for (const each of sets) interest.learnSet(each as peers.InterestSet);
    for (const each of changes) interest.learnChanges(each as peers.InterestChanges);
    if (interestNumber === 0) return;
    if (interestNumber === interest.number) {
      peer.isAcquainted = true;
      return;
    }
    const nowMs = this.#nowMs();
    if (nowMs - peer.askedAtMs < ASK_AGAIN_MS) return;
    peer.askedAtMs = nowMs;
    link.wantsInterest = true;
    this.#flushSoon(peer);
  }

  #beat(): void {
    const nowMs = this.#nowMs();
    const others = new Set(this.#options.others());
    for (const [node, peer] of this.#peers) {
      const { link, interest } = peer;
      const lost = link.expire(nowMs);
      if (lost.length > 0) this.#options.events.lost(link, lost);
      if (link.isSilent(nowMs) || !others.has(node)) this.#down(peer);
      if (!link.isUp && nowMs - link.downSinceMs >= FORGET_MS) interest.forget();
      if (others.has(node)) continue;
      interest.forget();
      this.#droppedBefore += link.dropped;
      this.#toFlush.delete(peer);
      this.#peers.delete(node);
    }
    for (const node of others) {
      const peer = this.#peers.get(node) ?? this.#meet(node);
      if (peer !== undefined) this.#flushSoon(peer);
    }
  }

  /** What this node has to say to that one leaves at the end of the turn. */
  #flushSoon(peer?: Peer): void {
    if (peer !== undefined) this.#toFlush.add(peer);
    if (this.#isFlushScheduled || !this.#isRunning) return;
    this.#isFlushScheduled = true;
    this.#options.env.yield(() => {
      this.#isFlushScheduled = false;
      if (this.#isRunning) this.#flush();
    });
  }

  #reportSoon(): void {
    if (this.#isReportScheduled) return;
    this.#isReportScheduled = true;
    this.#options.env.timers.after(REPORT_DELAY_MS, () => {
      this.#isReportScheduled = false;
      if (!this.#isRunning) return;
      for (const peer of this.#peers.values()) if (peer.link.owesReport) this.#toFlush.add(peer);
      this.#flush();
    });
  }

  #flush(): void {
    const { ownInterest } = this.#options;
    const news = ownInterest.takeChanges();
    if (news.length > 0) {
      for (const peer of this.#peers.values()) {
        if (!peer.link.isUp) continue;
        peer.link.tell(news);
        this.#toFlush.add(peer);
      }
    }
    const { number: interestNumber } = ownInterest;
    const nowMs = this.#nowMs();
    const toFlush = [...this.#toFlush];
    this.#toFlush.clear();
    for (const peer of toFlush) {
      const { link, interest } = peer;
      const isSent = link.flush({ nowMs, interestNumber, knownInterest: interest.number });
      if (!isSent) this.#down(peer);
    }
  }

  #down(peer: Peer): void {
    const { events } = this.#options;
    const { link } = peer;
    const wasUp = link.isUp;
    const lost = link.goDown(this.#nowMs());
    if (wasUp) events.down(link);
    if (lost.length > 0) events.lost(link, lost);
  }

  #nowMs(): number {
    return this.#time.at(this.#options.env.clock.monotonicMs());
  }
}
