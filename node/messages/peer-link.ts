import assert from 'node:assert/strict';
import { encode, peers } from '../../protos/index.ts';
import type { RpcOrigin } from '../transport/rpc.ts';
import { Fifo } from './fifo.ts';
import { deliveryToWire, type Outgoing, wireBytes } from './message-codec.ts';
import type { InterestNews } from './own-interest.ts';
import { SendQueue } from './send-queue.ts';

const ENVELOPE_BYTES_MAX = 1024 * 1024;
/** What may be on its way without having been reported as taken; beyond that it waits here. */
const IN_FLIGHT_BYTES_MAX = 4 * 1024 * 1024;
/** So long QoS 1 and 2 are kept after they were sent: in a node that dies soon they die with it. */
const KEPT_MS = 2_000;
const KEPT_BYTES_MAX = 8 * 1024 * 1024;
/** The other node must have said within that time that it heard us lately; it speaks every second. */
const CONFIRMED_MS = 3_500;

/** An envelope with something in it that must not get lost. */
interface Sent {
  readonly atMs: number;
  readonly bytes: number;
  /** Of QoS 1 and 2. */
  readonly deliveries: readonly Outgoing[];
  isTaken: boolean;
}

/** What may not have arrived; `wasTaken`: the other node had it, but may have died with it. */
export interface Lost {
  readonly delivery: Outgoing;
  readonly wasTaken: boolean;
}

/**
 * The conversation with one other node. Envelopes are numbered, and only what is above the last is taken: each
 * arrives at most once, in order. Nothing is sent again; what was not reported as taken is handed back. Times are
 * those of one clock that counts what this process has lived through.
 *
 * Invariant: messages are queued only while the link is up.
 */
export class PeerLink {
  readonly node: string;
  /** Messages reach the other node: it said lately that it heard what was sent since the link was down. */
  isUp = false;
  downSinceMs: number;
  /** The run of the other node that was heard; 0: none. */
  startCounter = 0;
  /** Of the last change of our interest that the other node knows. */
  knownThere = 0;
  /** The call of `publish` that it was last considered for: it is not twice for one message. */
  consideredFor = 0;
  /** To be said in the next envelope. */
  wantsInterest = false;
  readonly #own: RpcOrigin;
  readonly #send: (payload: Uint8Array) => boolean;
  readonly #waiting = new SendQueue();
  #news = new Fifo<InterestNews>();
  /** By number, oldest first. */
  readonly #sent = new Map<number, Sent>();
  #inFlightBytes = 0;
  #keptBytes = 0;
  #number = 0;
  #heardNumber = 0;
  #taken: number[] = [];
  /** The last number that was sent when the link went down. */
  #downNumber = 0;
  #confirmedNumber = 0;
  #confirmedAtMs = 0;

  constructor(options: {
    readonly node: string;
    readonly own: RpcOrigin;
    readonly nowMs: number;
    readonly send: (payload: Uint8Array) => boolean;
  }) {
    this.node = options.node;
    this.#own = options.own;
    this.downSinceMs = options.nowMs;
    this.#send = options.send;
  }

  get dropped(): number {
    return this.#waiting.dropped;
  }

  get queuedBytes(): number {
    return this.#waiting.bytes + this.#inFlightBytes;
  }

  /** Returns what has lost its place in the queue. */
  push(delivery: Outgoing): readonly Outgoing[] {
    assert(this.isUp, 'messages are queued for a node that is reached');
    return this.#waiting.push(delivery);
  }

  tell(news: readonly InterestNews[]): void {
    for (const each of news) this.#news.push(each);
  }

  /** Replaces what was to be told of our interest. */
  tellAll(set: readonly InterestNews[]): void {
    this.#news = new Fifo();
    this.tell(set);
  }

  /** It came before one that was taken already, or from an earlier run. */
  isLate({ startCounter, number }: peers.Envelope): boolean {
    if (startCounter !== this.startCounter) return startCounter < this.startCounter;
    return number <= this.#heardNumber;
  }

  /** Another run of the other node: it knows nothing of what was before. */
  begin(startCounter: number): void {
    assert(!this.isUp, 'what was on its way to the former run has been handed back');
    this.startCounter = startCounter;
    this.#heardNumber = 0;
    this.#taken = [];
    this.knownThere = 0;
    this.#news = new Fifo();
  }

  /** Takes note of an envelope that is not late. True: the link is up now and was not. */
  heard(envelope: peers.Envelope, nowMs: number): boolean {
    const { number, heardStartCounter, heardNumber, taken, knownInterest } = envelope;
    const hasContent = [envelope.sets, envelope.changes, envelope.deliveries].some(
      (each) => each.length > 0,
    );
    this.#heardNumber = number;
    if (hasContent) this.#taken.push(number);
    if (heardStartCounter !== this.#own.startCounter) return false;
    this.knownThere = knownInterest;
    for (const distance of taken) this.#settle(heardNumber - distance);
    if (heardNumber <= this.#confirmedNumber || heardNumber <= this.#downNumber) return false;
    this.#confirmedNumber = heardNumber;
    this.#confirmedAtMs = nowMs;
    const isNew = !this.isUp;
    this.isUp = true;
    return isNew;
  }

  /** It has to be told what was taken. */
  get owesReport(): boolean {
    return this.#taken.length > 0;
  }

  isSilent(nowMs: number): boolean {
    return this.isUp && nowMs - this.#confirmedAtMs > CONFIRMED_MS;
  }

  /** The connection is gone, or the other node is. Returns what may not have arrived, oldest first. */
  goDown(nowMs: number): Lost[] {
    const lost: Lost[] = [];
    for (const { deliveries, isTaken } of this.#sent.values()) {
      for (const delivery of deliveries) lost.push({ delivery, wasTaken: isTaken });
    }
    for (const delivery of this.#waiting.clear()) lost.push({ delivery, wasTaken: false });
    this.#sent.clear();
    this.#inFlightBytes = 0;
    this.#keptBytes = 0;
    this.#news = new Fifo();
    this.#downNumber = this.#number;
    if (this.isUp) this.downSinceMs = nowMs;
    this.isUp = false;
    return lost;
  }

  /** Forgets what is old. Returns what was not reported as taken in time. */
  expire(nowMs: number): Lost[] {
    const lost: Lost[] = [];
    for (const [number, sent] of this.#sent) {
      if (nowMs - sent.atMs < KEPT_MS) break;
      this.#forget(number, sent);
      if (sent.isTaken) continue;
      for (const delivery of sent.deliveries) lost.push({ delivery, wasTaken: false });
    }
    return lost;
  }

  /**
   * Says at least one thing, and what waits as far as the other node keeps up. `interestNumber` is that of our last
   * change, which the other node compares. False: it cannot be sent, the connection is gone.
   */
  flush(input: {
    readonly nowMs: number;
    readonly interestNumber: number;
    readonly knownInterest: number;
  }): boolean {
    do {
      const { news, deliveries, bytes } = this.#nextPart();
      const number = ++this.#number;
      const payload = encode(peers.Envelope, {
        format: 1,
        fromNode: this.#own.node,
        startCounter: this.#own.startCounter,
        number,
        heardStartCounter: this.startCounter,
        heardNumber: this.#heardNumber,
        taken: this.#taken.map((each) => this.#heardNumber - each),
        wantsAnswer: !this.isUp || this.wantsInterest,
        // There is nothing to compare while it is being told.
        interestNumber: this.#news.length > 0 ? 0 : input.interestNumber,
        knownInterest: input.knownInterest,
        wantsInterest: this.wantsInterest,
        ...(news?.kind === 'set' ? { sets: [news.set] } : {}),
        ...(news?.kind === 'changes' ? { changes: [news.changes] } : {}),
        deliveries: deliveries.map(deliveryToWire),
      });
      this.#taken = [];
      this.wantsInterest = false;
      if (bytes > 0) this.#keep(number, { atMs: input.nowMs, bytes, deliveries });
      if (!this.#send(payload)) return false;
    } while (this.hasMore);
    return true;
  }

  /** Something waits and may be sent. */
  get hasMore(): boolean {
    const waits = this.#waiting.length > 0 || this.#news.length > 0;
    return waits && this.#inFlightBytes < IN_FLIGHT_BYTES_MAX;
  }

  #nextPart() {
    const deliveries: Outgoing[] = [];
    if (this.#inFlightBytes >= IN_FLIGHT_BYTES_MAX)
      return { news: undefined, deliveries, bytes: 0 };
    const news = this.#news.shift();
    let bytes = news === undefined ? 0 : news.bytes + 1;
    for (;;) {
      // One that is larger than an envelope has one of its own.
      const room = bytes === 0 ? Number.POSITIVE_INFINITY : ENVELOPE_BYTES_MAX - bytes;
      const delivery = this.#waiting.take(room);
      if (delivery === undefined) return { news, deliveries, bytes };
      deliveries.push(delivery);
      bytes += wireBytes(delivery);
    }
  }

  #keep(
    number: number,
    sent: { readonly atMs: number; readonly bytes: number; readonly deliveries: Outgoing[] },
  ): void {
    const deliveries = sent.deliveries.filter(({ message }) => message.qos > 0);
    this.#sent.set(number, { ...sent, deliveries, isTaken: false });
    this.#inFlightBytes += sent.bytes;
  }

  /** The other node has taken it. */
  #settle(number: number): void {
    const sent = this.#sent.get(number);
    if (sent === undefined || sent.isTaken) return;
    this.#inFlightBytes -= sent.bytes;
    this.#keptBytes += sent.bytes;
    sent.isTaken = true;
    if (sent.deliveries.length === 0) this.#forget(number, sent);
    for (const [oldest, kept] of this.#sent) {
      if (this.#keptBytes <= KEPT_BYTES_MAX || !kept.isTaken) break;
      this.#forget(oldest, kept);
    }
  }

  #forget(number: number, { bytes, isTaken }: Sent): void {
    this.#sent.delete(number);
    if (isTaken) this.#keptBytes -= bytes;
    else this.#inFlightBytes -= bytes;
  }
}
