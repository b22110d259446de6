import { AckHeader } from '../frame-encoder.ts';
import { LazySet } from '../lazy-set.ts';
import type { Output } from '../output.ts';
import type { PacketIds } from '../packet-ids.ts';
import type { PacketWriter } from '../packet-writer.ts';
import type { Message } from './message.ts';
import { type DeliveryFlags, OutgoingMessage } from './outgoing-message.ts';
import { SeenMessages } from './seen-messages.ts';
import type { QueuedMessage } from './store.ts';

/** What an entry costs beside its bytes, roughly. */
const ENTRY_BYTES = 160;
const DUP = 0b1000;

/** One copy of a message for one client. */
export interface Delivery extends DeliveryFlags {
  readonly outgoing: OutgoingMessage;
  readonly identifiers: readonly number[];
  /** 0: it was not sent. */
  packetId: number;
  /** The client has it, and PUBREL was sent: it is known by its packet id alone. */
  isReleased: boolean;
  /** The store has a copy, which is to go when the client has it. */
  isStored: boolean;
}

export interface DeliveryLimits {
  readonly queuedMessagesMax: number;
  readonly queuedBytesMax: number;
}

export interface DeliveryHooks {
  nowMs(): number;
  /** It was sent at QoS 1 or 2 and is with the client now. */
  done(delivery: Delivery): void;
  /** It was sent at QoS 1 or 2, the first time on this connection and under a new packet id. */
  sent(delivery: Delivery): void;
  /** The queue is full, or it has expired in it: nobody gets it. */
  dropped(message: Message): void;
}

/** What a packet id towards a client stands for: a message to an ordinary topic, or a value. */
export type IdOwner = Delivery | 'value';

/**
 * The ordinary messages for one connection, those of a QoS in their order [MQTT-4.6.0-6]: sent while the client takes them, else
 * waiting, bounded. Retained messages that a subscription begins with are fetched as there is room, not before.
 */
export class Deliveries {
  readonly #output: Output;
  readonly #packetIds: PacketIds<IdOwner>;
  readonly #writer: PacketWriter;
  readonly #limits: DeliveryLimits;
  readonly #hooks: DeliveryHooks;
  readonly #counters: { deliveries: number };
  readonly #waiting = new LazySet<Delivery>();
  /** At QoS 0: they need room, but no packet id [MQTT-4.9.0-3]. */
  readonly #waitingForRoom = new LazySet<Delivery>();
  #waitingBytes = 0;
  /** Until the CONNACK is written nothing may leave, and what the store has comes first. */
  #isOpen = false;
  #retained: Iterator<Delivery> | undefined;
  readonly #laterRetained: Iterator<Delivery>[] = [];
  readonly #seen = new SeenMessages();

  constructor(options: {
    output: Output;
    packetIds: PacketIds<IdOwner>;
    writer: PacketWriter;
    limits: DeliveryLimits;
    hooks: DeliveryHooks;
    counters: { deliveries: number };
  }) {
    this.#output = options.output;
    this.#packetIds = options.packetIds;
    this.#writer = options.writer;
    this.#limits = options.limits;
    this.#hooks = options.hooks;
    this.#counters = options.counters;
  }

  /** Messages that are not sent yet. */
  get waitingCount(): number {
    return this.#waiting.size + this.#waitingForRoom.size;
  }

  /** Offers a message that was just published. */
  send(outgoing: OutgoingMessage, flags: DeliveryFlags, identifiers: readonly number[]): void {
    if (flags.qos > 0 && !this.#seen.live(outgoing.message.id)) return;
    if (this.#isOpen && this.#queueOf(flags).size === 0 && this.#mayWrite(flags.qos)) {
      if (flags.qos === 0) this.#writeUnacknowledged(outgoing, flags, identifiers);
      else this.#write(newDelivery(outgoing, flags, identifiers));
      return;
    }
    this.#enqueue(newDelivery(outgoing, flags, identifiers));
  }

  /**
   * The CONNACK is written: what the session has kept comes first, sent again what was sent before
   * [MQTT-4.4.0-1], then what came meanwhile.
   */
  open(queued: readonly QueuedMessage[]): void {
    const meanwhile = [...this.#waiting, ...this.#waitingForRoom];
    this.#waiting.clear();
    this.#waitingForRoom.clear();
    this.#waitingBytes = 0;
    this.#isOpen = true;
    const kept = queued.map(keptDelivery);
    const ids = new Set(queued.map(({ message }) => message.id));
    for (const delivery of kept) if (delivery.packetId > 0) this.#goOn(delivery);
    for (const delivery of kept) if (delivery.packetId === 0) this.#add(delivery);
    for (const delivery of meanwhile) {
      if (!ids.has(delivery.outgoing.message.id)) this.#add(delivery);
    }
    this.#seen.stored([...ids]);
    this.pump();
  }

  /** The store may have more than was known when the connection began, and copies of what came live. */
  add(queued: readonly QueuedMessage[]): void {
    const news = this.#seen.stored(queued.map(({ message }) => message.id));
    const unfinished = new Map(this.unfinished().map((each) => [each.outgoing.message.id, each]));
    for (const each of queued) {
      const { id } = each.message;
      const known = unfinished.get(id);
      if (known !== undefined) known.isStored = true;
      else if (news.has(id)) this.#goOn(keptDelivery(each));
      else this.#hooks.done(keptDelivery(each));
    }
    this.pump();
  }

  /** A subscription begins: the retained messages that it finds. They are drawn when there is room. */
  addRetained(deliveries: Iterator<Delivery>): void {
    this.#laterRetained.push(deliveries);
    this.pump();
  }

  /** PUBACK or PUBCOMP, or a PUBREC that says no: the exchange is over. */
  finished(delivery: Delivery): void {
    this.#packetIds.release(delivery.packetId);
    this.#hooks.done(delivery);
  }

  /** PUBREC: the client has it [MQTT-4.3.3-1]. */
  received(delivery: Delivery): void {
    delivery.isReleased = true;
    this.#writer.ack(AckHeader.pubrel, delivery.packetId);
  }

  /** Sends what there is room for. */
  pump(): void {
    if (!this.#isOpen) return;
    this.#pumpQueue(this.#waitingForRoom);
    this.#pumpQueue(this.#waiting);
    this.#pumpRetained();
  }

  /** What the client does not have yet of QoS 1 and 2, in order. */
  unfinished(): readonly Delivery[] {
    const onTheWay = [...this.#packetIds.owners()].filter((owner) => owner !== 'value');
    return [...onTheWay, ...this.#waiting];
  }

  #sendWaiting(delivery: Delivery): void {
    const { outgoing, identifiers } = delivery;
    if (outgoing.isExpired(this.#hooks.nowMs())) this.#skip(delivery);
    else if (delivery.qos === 0) this.#writeUnacknowledged(outgoing, delivery, identifiers);
    else this.#write(delivery);
  }

  #pumpQueue(queue: LazySet<Delivery>): void {
    for (const delivery of queue) {
      if (!this.#mayWrite(delivery.qos)) return;
      queue.delete(delivery);
      this.#waitingBytes -= costOf(delivery);
      this.#sendWaiting(delivery);
    }
  }

  #pumpRetained(): void {
    while (this.#waiting.size === 0 && this.#mayWrite(2)) {
      this.#retained ??= this.#laterRetained.shift();
      if (this.#retained === undefined) return;
      const next = this.#retained.next();
      if (next.done === true) this.#retained = undefined;
      else this.#sendWaiting(next.value);
    }
  }

  #mayWrite(qos: number): boolean {
    return !this.#output.full && (qos === 0 || this.#packetIds.hasRoom);
  }

  #writeUnacknowledged(
    outgoing: OutgoingMessage,
    flags: DeliveryFlags,
    identifiers: readonly number[],
  ): void {
    const frame = outgoing.frame(this.#writer, flags, identifiers);
    if (frame === undefined) return this.#hooks.dropped(outgoing.message);
    this.#counters.deliveries += 1;
    this.#output.write(frame.bytes);
  }

  #write(delivery: Delivery): void {
    const frame = delivery.outgoing.frame(this.#writer, delivery, delivery.identifiers);
    if (frame === undefined) return this.#skip(delivery);
    this.#counters.deliveries += 1;
    delivery.packetId = this.#packetIds.take(delivery);
    this.#output.writeWithPacketId(frame.bytes, frame.packetIdOffset, delivery.packetId);
    this.#hooks.sent(delivery);
  }

  /** Under the packet id that the client knows it by [MQTT-4.4.0-1], if that stands for nothing else by now. */
  #goOn(delivery: Delivery): void {
    const { packetId, isReleased } = delivery;
    const isFree = this.#packetIds.owner(packetId) === undefined;
    if (this.#isOpen && packetId > 0 && isFree) return this.#resend(delivery);
    if (isReleased && !isFree) return this.#hooks.done(delivery);
    delivery.packetId = 0;
    this.#add(delivery);
  }

  #resend(delivery: Delivery): void {
    const { packetId, outgoing, identifiers } = delivery;
    if (delivery.isReleased) {
      this.#packetIds.keep(packetId, delivery);
      return this.#writer.ack(AckHeader.pubrel, packetId);
    }
    const frame = outgoing.frame(this.#writer, delivery, identifiers);
    if (frame === undefined) return this.#skip(delivery);
    this.#packetIds.keep(packetId, delivery);
    const again = frame.bytes.slice();
    again[0] = (again[0] as number) | DUP;
    this.#output.writeWithPacketId(again, frame.packetIdOffset, packetId);
  }

  /** It has expired, or is longer than the client takes: for the session it is delivered [MQTT-3.1.2-25]. */
  #skip(delivery: Delivery): void {
    this.#hooks.dropped(delivery.outgoing.message);
    if (delivery.isStored) this.#hooks.done(delivery);
  }

  #enqueue(delivery: Delivery): void {
    const { queuedMessagesMax, queuedBytesMax } = this.#limits;
    const isFull =
      this.waitingCount >= queuedMessagesMax ||
      this.#waitingBytes + costOf(delivery) > queuedBytesMax;
    if (!isFull) return this.#add(delivery);
    this.#hooks.dropped(delivery.outgoing.message);
    // Somebody else may have kept it.
    this.#seen.forget(delivery.outgoing.message.id);
  }

  #add(delivery: Delivery): void {
    this.#queueOf(delivery).add(delivery);
    this.#waitingBytes += costOf(delivery);
  }

  #queueOf({ qos }: DeliveryFlags): LazySet<Delivery> {
    return qos === 0 ? this.#waitingForRoom : this.#waiting;
  }
}

export function newDelivery(
  outgoing: OutgoingMessage,
  { qos, retain }: DeliveryFlags,
  identifiers: readonly number[],
): Delivery {
  const isStored = false;
  return { outgoing, qos, retain, identifiers, packetId: 0, isReleased: false, isStored };
}

/** As the store is to keep it. */
export function queuedOf(delivery: Delivery): QueuedMessage {
  const { outgoing, qos, retain, identifiers, packetId, isReleased } = delivery;
  const { message } = outgoing;
  return { message, qos: qos === 2 ? 2 : 1, retain, identifiers, packetId, isReleased };
}

function keptDelivery(queued: QueuedMessage): Delivery {
  const { message, qos, retain, identifiers, packetId, isReleased } = queued;
  const outgoing = new OutgoingMessage(message);
  return { outgoing, qos, retain, identifiers, packetId, isReleased, isStored: true };
}

function costOf({ outgoing }: Delivery): number {
  return outgoing.bytes + ENTRY_BYTES;
}
