import { type Admitted, barredName } from './admission.ts';
import { identityOf } from './cas.ts';
import type { ConnectPacket } from './connect-packet.ts';
import type { BrokerContext } from './context.ts';
import type { Dialect } from './dialect.ts';
import {
  CLIENT_LEFT,
  refusedEnding,
  SESSION_ENDED,
  TAKEN_OVER,
  TOO_LARGE,
  TOO_SLOW,
  UNEXPECTED,
} from './endings.ts';
import { AckHeader, PacketType, PINGRESP } from './frame-encoder.ts';
import { FrameSplitter } from './frame-splitter.ts';
import type { Front } from './front.ts';
import { Hold } from './hold.ts';
import { Ingest } from './ingest.ts';
import { Mailbox } from './mailbox.ts';
import { type Ending, malformed, ReasonCode } from './mqtt5/reason-codes.ts';
import { Outbound } from './outbound.ts';
import { PacketIds } from './packet-ids.ts';
import type { PacketReader } from './packet-reader.ts';
import type { PacketWriter } from './packet-writer.ts';
import type { SessionIds } from './received-ids.ts';
import type { Refusal } from './refusals.ts';
import { encodeSessionConnect, isKept } from './session-connect.ts';
import { SessionStream } from './session-stream.ts';
import { encodeSubscribe, encodeUnsubscribe } from './subscribe-packet.ts';
import { Subscriptions } from './subscriptions.ts';
import { ValueOutbox } from './value-outbox.ts';

/** Of one SUBSCRIBE: a packet can hold a hundred thousand filters. */
const FILTER_REPORTS_MAX = 10;

/** The flags that a packet a client may send must have [MQTT-2.2.2-2]; PUBLISH has flags of its own. */
const REQUIRED_FLAGS: Readonly<Record<number, number>> = {
  [PacketType.puback]: 0,
  [PacketType.pubrec]: 0,
  [PacketType.pubrel]: 0b0010,
  [PacketType.pubcomp]: 0,
  [PacketType.subscribe]: 0b0010,
  [PacketType.unsubscribe]: 0b0010,
  [PacketType.pingreq]: 0,
  [PacketType.disconnect]: 0,
};

const DISCONNECT = Uint8Array.of(PacketType.disconnect << 4, 0);
/**
 * The packets of one user's connection after its CONNECT: what is ours is dealt with here, everything else
 * goes to the session, whose packets come back through `Outbound`.
 */
export class UserLink {
  readonly ingest: Ingest;
  /** Called while nothing is outstanding, when someone waits for that. */
  onIdle: (() => void) | undefined;

  readonly #context: BrokerContext;
  readonly #front: Front;
  readonly #reader: PacketReader;
  readonly #writer: PacketWriter;
  readonly #connect: ConnectPacket;
  readonly #admitted: Admitted;
  readonly #ids: SessionIds;
  readonly #packetIds = new PacketIds();
  readonly #outbox: ValueOutbox;
  readonly #subscriptions: Subscriptions;
  readonly #mailbox: Mailbox;
  readonly #session: SessionStream;
  readonly #outbound: Outbound;
  #cancelWaitForRules: (() => void) | undefined;
  /** The client said DISCONNECT: whatever has no outcome yet will not be sent again. */
  #disconnected = false;
  #publishesWill = false;
  #sessionExpirySeconds: number;
  #refusedByState = false;
  #closed = false;
  /** Neighbouring packets for the session, not handed over yet: a range of one buffer. */
  #run: Uint8Array | undefined;
  #runStart = 0;
  #runEnd = 0;

  constructor(
    context: BrokerContext,
    front: Front,
    connect: ConnectPacket,
    admitted: Admitted,
    { reader, writer }: Dialect,
  ) {
    const { dataPlane, limits, counters, bulkPace: pace } = context;
    const { output } = front;
    const { clientId, isBridge } = connect;
    const { access } = admitted;
    this.#context = context;
    this.#front = front;
    this.#connect = connect;
    this.#admitted = admitted;
    this.#reader = reader;
    this.#writer = writer;
    this.#sessionExpirySeconds = connect.sessionExpirySeconds;
    const { startsClean } = connect;
    this.#ids = context.receivedIds.open(clientId, { startsClean, isKept: isKept(connect) });
    const identity = identityOf({ userName: access.user, clientId }, context.env.random);
    const publisher = { access, identity, ids: this.#ids };
    this.ingest = new Ingest(context, writer, publisher, {
      changed: () => front.changed(),
      hold: (held) => (held ? front.hold(Hold.queue) : front.release(Hold.queue)),
      failed: (failure) => front.failed(failure),
      refused: (refusal) => this.#refused(refusal),
      refusedByState: (refusal, qos) => this.refusedByState(refusal, qos),
      replied: (address, reply, qos) => this.#mailbox.reply(address, reply, qos),
    });
    this.#outbox = new ValueOutbox({
      output,
      packetIds: this.#packetIds,
      writer,
      bytesMax: limits.outboxBytesMax,
      counters,
      pace,
      onOverflow: () => this.#tooSlow(),
    });
    this.#subscriptions = new Subscriptions({
      dataPlane,
      outbox: this.#outbox,
      pace,
      access,
      isBridge,
      watchesMax: limits.watchesMax,
    });
    const sender = { clientId, address: front.address, access };
    this.#mailbox = new Mailbox(context, sender, this.#subscriptions, this.#outbox);
    this.#session = new SessionStream({
      wantsInput: () => front.release(Hold.session),
      output: (bytes) => this.#fromSession(bytes),
      closed: () => front.finish(this.#sessionEnding()),
    });
    this.#outbound = new Outbound(output, writer, this.#packetIds, {
      accepted: () => this.#accepted(),
      acknowledged: (packetId) => this.ingest.sessionAcknowledged(packetId),
      suback: (packetId, codes) => this.#subscriptions.granted(packetId, codes),
      subackWritten: (packetId) => this.#subscribed(packetId),
      unsuback: (packetId) => this.#subscriptions.ended(packetId),
      discarded: (acknowledgement) => {
        this.#forward(acknowledgement, 0, acknowledgement.length);
        this.flushToSession();
      },
      noPacketId: () => this.#tooSlow(),
    });
  }

  /** Whether everything has an outcome and is told. */
  get idle(): boolean {
    return this.ingest.outstanding === 0 && !this.#subscriptions.holdsMail;
  }

  /** Values that were skipped because the client did not keep up. */
  get valuesSkipped(): number {
    return this.#outbox.skipped;
  }

  /** Opens the session. */
  connect(): void {
    const { access, endsOther } = this.#admitted;
    const { will, clientId } = this.#connect;
    this.#context.sessions.attach(this.#session, {
      clientId,
      access,
      endsOther,
      seesTravelling: this.#writer.hasProperties,
      willProperties: will?.properties ?? {},
      mayGrant: (filter) => this.#subscriptions.mayGrant(filter),
      restored: (subscriptions) => this.#subscriptions.restored(subscriptions),
    });
    this.#session.push(encodeSessionConnect(this.#connect));
  }

  /** Takes the packet that `frame` stands at. Returns why it breaks the protocol, if it does. */
  receive(frame: FrameSplitter, nowMs: number): Ending | undefined {
    const type = frame.header >> 4;
    if (type === PacketType.publish) return this.#publish(frame, nowMs);
    const flags = REQUIRED_FLAGS[type];
    if (flags === undefined) return UNEXPECTED;
    if (flags !== (frame.header & 0b1111)) return malformed('unexpected flags of a packet');
    switch (type) {
      case PacketType.puback:
      case PacketType.pubrec:
      case PacketType.pubcomp:
      case PacketType.pubrel:
        return this.#packetId(frame, type);
      case PacketType.subscribe:
        return this.#subscribe(frame);
      case PacketType.unsubscribe:
        return this.#unsubscribe(frame);
      case PacketType.pingreq:
        if (frame.end !== frame.bodyStart) return malformed('malformed PINGREQ');
        this.#front.output.write(PINGRESP);
        return undefined;
      default:
        return this.#disconnect(frame);
    }
  }

  /** Decides about a packet that has only just begun. Returns why it breaks the protocol, if it does. */
  large(frame: FrameSplitter): Ending | undefined {
    const isPublish = frame.header >> 4 === PacketType.publish && this.#reader.readsLarge;
    const fits = frame.end - frame.bodyStart <= this.#context.limits.packetBytesMax;
    switch (isPublish ? this.ingest.large(frame) : fits ? 'keep' : 'too-large') {
      case 'keep':
        frame.keep();
        return undefined;
      case 'skip':
        frame.skip();
        return undefined;
      case 'malformed':
        return malformed('malformed PUBLISH');
      case 'too-large':
        return TOO_LARGE;
    }
  }

  /** Hands over the packets that were collected for the session. */
  flushToSession(): void {
    const run = this.#run;
    this.#run = undefined;
    if (run === undefined || this.#closed) return;
    if (!this.#session.push(run.subarray(this.#runStart, this.#runEnd))) {
      this.#front.hold(Hold.session);
    }
  }

  /** Writes acknowledgements that are due. Returns when to look again, in milliseconds. */
  acknowledge(options: { readonly anyOrder: boolean }): number | undefined {
    return this.ingest.acknowledge(this.#context.env.clock.monotonicMs(), options);
  }

  roomForOutput(): void {
    this.#outbox.pump();
    if (!this.#front.output.full) this.#session.roomForOutput();
  }

  /**
   * A PUBLISH is refused because of how things stand (DESIGN §7: not allowed, storage full), not for its own bytes.
   * It is reported and must not be acknowledged. Unless it came at QoS 0, the connection ends when everything
   * before it has its outcome; a client that keeps coming back with it is barred for a while.
   */
  refusedByState(refusal: Refusal, qos: number): void {
    this.#mailbox.report(refusal, 'PUBLISH');
    if (qos === 0 || this.#refusedByState || this.#closed) return;
    this.#refusedByState = true;
    const { refusedClients, env } = this.#context;
    const name = barredName(this.#admitted.access, this.#connect.clientId);
    refusedClients.closed(name, this.#front.address, env.clock.monotonicMs());
    this.#front.finishWhenIdle(refusedEnding(refusal));
  }

  /** Says why the connection ends. Returns whether the client can be told. */
  takeLeave(ending: Ending): boolean {
    return (
      !this.#disconnected && ending.code !== ReasonCode.success && this.#writer.disconnect(ending)
    );
  }

  close(): void {
    this.#closed = true;
    this.#cancelWaitForRules?.();
    this.#subscriptions.close();
    this.#outbox.close();
    // A session that has the DISCONNECT to read ends by itself; ended sooner, it would publish the will.
    if (!this.#disconnected || this.#publishesWill) this.#session.destroy();
    this.ingest.close({ clean: this.#disconnected });
    const { receivedIds, sessionUsers, sessionExpiry, env } = this.#context;
    const { clientId, startsClean } = this.#connect;
    const expirySeconds = this.#sessionExpirySeconds;
    if (!startsClean || expirySeconds > 0) {
      sessionExpiry.left(clientId, expirySeconds, env.clock.monotonicMs());
    }
    receivedIds.close(this.#connect.clientId, this.#ids);
    sessionUsers.release(this.#connect.clientId);
  }

  #publish(frame: FrameSplitter, nowMs: number): Ending | undefined {
    const violation = this.#reader.readPublish(frame);
    if (violation !== undefined) return violation;
    switch (this.ingest.publish(this.#reader.publish, nowMs)) {
      case 'taken':
        if (this.ingest.full) this.#front.hold(Hold.window);
        return undefined;
      case 'ordinary':
        this.#forwardPublish(frame);
        if (this.ingest.full) this.#front.hold(Hold.window);
        return undefined;
      case 'rules-unknown':
        this.#waitForRules(frame.buffer.slice(frame.start, frame.end));
        return undefined;
    }
  }

  #forwardPublish(frame: FrameSplitter): void {
    const translated = this.#reader.publishForSession(this.#context.env.clock.nowMs());
    if (translated === undefined) this.#forward(frame.buffer, frame.start, frame.end);
    else this.#forward(translated, 0, translated.length);
  }

  /**
   * A node that has just started does not know yet what is to be stored. Better to let a PUBLISH wait than to
   * acknowledge what then is not there.
   */
  #waitForRules(packet: Uint8Array): void {
    const { ingestRules, limits, env } = this.#context;
    this.#front.hold(Hold.rules);
    this.#cancelWaitForRules = ingestRules.whenKnown(limits.rulesTimeoutMs, () => {
      this.ingest.stopWaitingForRules();
      const frame = new FrameSplitter(Number.POSITIVE_INFINITY);
      frame.push(packet);
      frame.next();
      this.#publish(frame, env.clock.monotonicMs());
      this.flushToSession();
      this.#front.release(Hold.rules);
    });
  }

  /** The client's side of acknowledged delivery, in either direction. */
  #packetId(frame: FrameSplitter, type: number): Ending | undefined {
    const violation = this.#reader.readAck(frame);
    if (violation !== undefined) return violation;
    const { packetId, hasFailed } = this.#reader;
    if (type === PacketType.pubrel) {
      if (!this.ingest.released(packetId)) this.#forwardAck(frame, frame.header, packetId);
      return undefined;
    }
    const owner = this.#packetIds.owner(packetId);
    if (owner === 'own') {
      if (type !== PacketType.puback) return undefined;
      this.#outbox.acknowledged(packetId);
      this.#deliverMore();
      return undefined;
    }
    // A PUBREC that says that it has failed ends the exchange (MQTT 5 §4.3.3), as PUBCOMP does for the session.
    const header = hasFailed && type === PacketType.pubrec ? AckHeader.pubcomp : frame.header;
    this.#forwardAck(frame, header, owner === 'unknown' ? packetId : owner);
    if (owner !== 'unknown' && header !== AckHeader.pubrec) {
      this.#packetIds.release(packetId);
      this.#deliverMore();
    }
    return undefined;
  }

  /** The session's deliveries cannot be skipped, so they go first. */
  #deliverMore(): void {
    this.#outbound.pump();
    this.#outbox.pump();
  }

  /** As it came if it can be. */
  #forwardAck(frame: FrameSplitter, header: number, packetId: number): void {
    const { buffer, start, bodyStart, end } = frame;
    const isShort = end - bodyStart === 2 && header === frame.header;
    if (isShort && packetId === this.#reader.packetId) this.#forward(buffer, start, end);
    else this.#forward(Uint8Array.of(header, 2, packetId >> 8, packetId & 0xff), 0, 4);
  }

  #subscribe(frame: FrameSplitter): Ending | undefined {
    const packet = this.#reader.readSubscribe(frame);
    if ('reason' in packet) return packet;
    this.#reportRefusedFilters(this.#subscriptions.requested(packet));
    const bytes = encodeSubscribe(packet);
    this.#forward(bytes, 0, bytes.length);
    return undefined;
  }

  #unsubscribe(frame: FrameSplitter): Ending | undefined {
    const packet = this.#reader.readUnsubscribe(frame);
    if ('reason' in packet) return packet;
    this.#subscriptions.unsubscribed(packet);
    const bytes = encodeUnsubscribe(packet);
    this.#forward(bytes, 0, bytes.length);
    return undefined;
  }

  #disconnect(frame: FrameSplitter): Ending | undefined {
    const packet = this.#reader.readDisconnect(frame);
    if ('reason' in packet) return packet;
    this.#disconnected = true;
    this.#publishesWill = packet.publishesWill;
    this.#sessionExpirySeconds = packet.sessionExpirySeconds ?? this.#sessionExpirySeconds;
    this.#front.hold(Hold.closing);
    if (packet.publishesWill) this.#front.finish(CLIENT_LEFT);
    else this.#forward(DISCONNECT, 0, DISCONNECT.length);
    return undefined;
  }

  /** Neighbours go to the session in one piece. */
  #forward(buffer: Uint8Array, start: number, end: number): void {
    if (this.#run === buffer && this.#runEnd === start) {
      this.#runEnd = end;
      return;
    }
    this.flushToSession();
    this.#run = buffer;
    this.#runStart = start;
    this.#runEnd = end;
  }

  #fromSession(bytes: Uint8Array): boolean {
    if (this.#closed) return true;
    this.#outbound.receive(bytes);
    return !this.#front.output.full;
  }

  #accepted(): void {
    const { valueBytesMax, packetBytesMax } = this.#context.limits;
    this.#subscriptions.beginRestored();
    this.#front.accepted(Math.min(valueBytesMax, packetBytesMax), this.#connect.keepaliveSeconds);
  }

  #subscribed(packetId: number): void {
    this.#subscriptions.begin(packetId);
    this.#front.changed();
  }

  /** They are answered with 0x80; the reason goes where reasons go. */
  #reportRefusedFilters(refusals: readonly Refusal[]): void {
    for (const refusal of refusals.slice(0, FILTER_REPORTS_MAX)) {
      this.#mailbox.report(refusal, 'SUBSCRIBE');
    }
  }

  #refused(refusal: Refusal): void {
    this.#mailbox.report(refusal, 'PUBLISH');
    // Where a reason code tells it, that is enough.
    if (this.#context.onInvalid === 'ack' || this.#writer.hasReasonCodes) return;
    this.#front.finish(refusedEnding(refusal));
  }

  /** Ours to tell is only that the client has connected once more. */
  #sessionEnding(): Ending {
    const isTakenOver = this.#context.sessionUsers.isTakenOver(this.#connect.clientId);
    return isTakenOver ? TAKEN_OVER : SESSION_ENDED;
  }

  /** Better that it reconnects and gets the current values than that it eats the node's memory. */
  #tooSlow(): void {
    if (this.#closed) return;
    this.#context.counters.slowSubscribers += 1;
    this.#context.env.events.emit({
      level: 'warn',
      name: 'slow-subscriber',
      message: `${this.#connect.clientId} does not keep up with what it subscribed to; disconnecting it`,
      data: { client: this.#connect.clientId, address: this.#front.address },
    });
    this.#front.abort(TOO_SLOW);
  }
}
