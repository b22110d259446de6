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
} from './endings.ts';
import { AckHeader, PacketType, PINGRESP } from './frame-encoder.ts';
import { FrameSplitter } from './frame-splitter.ts';
import type { Front } from './front.ts';
import { Hold } from './hold.ts';
import { Ingest } from './ingest.ts';
import { utf8Text } from './json.ts';
import { LazyMap } from './lazy-map.ts';
import { LazySet } from './lazy-set.ts';
import { Mailbox } from './mailbox.ts';
import { type Ending, malformed, ReasonCode } from './mqtt5/reason-codes.ts';
import type { ClientSession } from './ordinary/client-session.ts';
import type { IdOwner } from './ordinary/deliveries.ts';
import { Outbound } from './outbound.ts';
import { PacketIds } from './packet-ids.ts';
import { type PacketReader, unexpectedHeader } from './packet-reader.ts';
import type { PacketWriter } from './packet-writer.ts';
import { PublishRate } from './publish-rate.ts';
import type { Refusal } from './refusals.ts';
import { encodeSessionConnect } from './session-connect.ts';
import { SessionStream } from './session-stream.ts';
import { reportSlowSubscriber } from './slow-subscriber.ts';
import { encodeSubscribe, encodeUnsubscribe, type SubscribeRequest } from './subscribe-packet.ts';
import { Subscriptions } from './subscriptions.ts';
import { ValueOutbox } from './value-outbox.ts';
import { storedWill } from './wills.ts';

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
  readonly #receivedIds = new LazySet<number>();
  readonly #packetIds: PacketIds<IdOwner>;
  readonly #outbox: ValueOutbox;
  readonly #subscriptions: Subscriptions;
  readonly #mailbox: Mailbox;
  readonly #session: SessionStream;
  readonly #outbound: Outbound;
  readonly #rate: PublishRate | undefined;
  /** Once it is open; it survives the connection if it is to. */
  #clientSession: ClientSession | undefined;
  #sessionPresent = false;
  /** The CONNACK is written: nothing else may come before it. */
  #isAccepted = false;
  /** Filters that the session had not before: asked for, and not told to be granted yet. */
  readonly #newFilters = new LazySet<string>();
  /** While a SUBSCRIBE is on its way through the session: whether its filters are granted. */
  readonly #granting = new LazyMap<string, Promise<boolean>>();
  #cancelWaitForRules: (() => void) | undefined;
  /** The client said DISCONNECT: whatever has no outcome yet will not be sent again. */
  #disconnected = false;
  #publishesWill = false;
  #sessionExpirySeconds: number;
  #refusedByState = false;
  #closed = false;

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
    this.#packetIds = new PacketIds(Math.min(limits.inflightDeliveriesMax, writer.receiveMaximum));
    this.#rate = PublishRate.of(context, front, (refusal) => this.refusedByState(refusal, 1));
    const identity = identityOf({ userName: access.user, clientId }, context.env.random);
    const publisher = { access, identity, receivedIds: this.#receivedIds };
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
      limits,
      isPickedFor: (group, filter, key) =>
        context.peers.memberOf(group, filter, utf8Text(key)) === clientId,
    });
    const sender = { clientId, address: front.address, access };
    this.#mailbox = new Mailbox(context, sender, this.#subscriptions, this.#outbox);
    this.#session = new SessionStream({
      wantsInput: () => front.release(Hold.session),
      output: (bytes) => this.#fromSession(bytes),
      closed: () => front.finish(SESSION_ENDED),
    });
    this.#outbound = new Outbound(output, writer, {
      sessionPresent: () => this.#sessionPresent,
      accepted: () => this.#accepted(),
      suback: (packetId, codes) => this.#subscriptions.granted(packetId, codes),
      subackWritten: (packetId) => this.#subscribed(packetId),
      unsuback: (packetId) => this.#subscriptions.ended(packetId),
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

  /** Opens the client's session, wherever it was, and lets the session layer accept the CONNECT. */
  async connect(): Promise<void> {
    const { clients, sessions, env } = this.#context;
    const { startsClean, isBridge, will, sessionExpirySeconds, clientId } = this.#connect;
    const opened = await clients.open({
      client: { clientId, access: this.#admitted.access, isBridge },
      receivedIds: this.#receivedIds,
      connection: {
        address: this.#front.address,
        output: this.#front.output,
        packetIds: this.#packetIds,
        writer: this.#writer,
        isOpen: () => !this.#closed,
        takenOver: () => this.#front.finish(TAKEN_OVER),
        occupied: () => this.#front.occupied(),
      },
      cleanStart: startsClean,
      expirySeconds: sessionExpirySeconds,
      will: will && storedWill(will, clientId, env.clock.nowMs()),
    });
    if (opened === undefined) return;
    const { session, isPresent } = opened;
    this.#clientSession = session;
    this.#sessionPresent = isPresent;
    if (this.#closed) return clients.close(session, { isGraceful: true });
    sessions.attach(this.#session, {
      mayGrant: async (filter) => (await this.#granting.get(filter)) === true,
    });
    this.#session.push(encodeSessionConnect(clientId));
  }

  /** Takes the packet that `frame` stands at. Returns why it breaks the protocol, if it does. */
  receive(frame: FrameSplitter, nowMs: number): Ending | undefined {
    const type = frame.header >> 4;
    if (type === PacketType.publish) {
      if (this.#rate?.takes(frame.end - frame.start, nowMs) === false) return undefined;
      return this.#publish(frame, nowMs);
    }
    const unexpected = unexpectedHeader(frame.header);
    if (unexpected !== undefined) return unexpected;
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
        this.#rate?.takes(frame.end - frame.start, this.#context.env.clock.monotonicMs());
        return undefined;
      case 'malformed':
        return malformed('malformed PUBLISH');
      case 'too-large':
        return TOO_LARGE;
    }
  }

  /** Writes acknowledgements that are due. Returns when to look again, in milliseconds. */
  acknowledge(options: { readonly anyOrder: boolean }): number | undefined {
    return this.ingest.acknowledge(this.#context.env.clock.monotonicMs(), options);
  }

  roomForOutput(): void {
    this.#pump();
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
    const name = barredName(this.#admitted.access, this.#admitted.claimedId);
    refusedClients.closed(name, this.#front.address, env.clock.monotonicMs());
    this.#front.finishWhenIdle(refusedEnding(refusal));
  }

  /** Says why the connection ends. Returns whether the client can be told. */
  takeLeave(ending: Ending): boolean {
    return (
      this.#isAccepted &&
      !this.#disconnected &&
      ending.code !== ReasonCode.success &&
      this.#writer.disconnect(ending)
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
    const { sessionUsers, clients } = this.#context;
    sessionUsers.release(this.#admitted.claimedId, this.#admitted.access.user);
    if (this.#clientSession !== undefined) {
      clients.close(this.#clientSession, {
        isGraceful: this.#disconnected && !this.#publishesWill,
        expirySeconds: this.#sessionExpirySeconds,
      });
    }
  }

  #publish(frame: FrameSplitter, nowMs: number): Ending | undefined {
    this.#context.counters.publishesReceived += 1;
    const violation = this.#reader.readPublish(frame);
    if (violation !== undefined) return violation;
    const result = this.ingest.publish(this.#reader.publish, nowMs);
    if (result === 'rules-unknown') this.#waitForRules(frame.buffer.slice(frame.start, frame.end));
    else if (this.ingest.full) this.#front.hold(Hold.window);
    return undefined;
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
      this.#front.release(Hold.rules);
    });
  }

  /** The client's side of acknowledged delivery, in either direction. */
  #packetId(frame: FrameSplitter, type: number): Ending | undefined {
    const violation = this.#reader.readAck(frame);
    if (violation !== undefined) return violation;
    const { packetId, hasFailed } = this.#reader;
    if (type === PacketType.pubrel) {
      this.ingest.released(packetId);
      return undefined;
    }
    const owner = this.#packetIds.owner(packetId);
    if (owner === undefined) {
      // What is not known was finished before: PUBREL is answered all the same [MQTT-4.3.3-1].
      if (type === PacketType.pubrec && !hasFailed) this.#writer.ack(AckHeader.pubrel, packetId);
      return undefined;
    }
    if (owner === 'value') {
      if (type !== PacketType.puback) return undefined;
      this.#packetIds.release(packetId);
    } else {
      const deliveries = this.#clientSession?.deliveries;
      const expected = owner.qos === 1 ? PacketType.puback : PacketType.pubcomp;
      const isReceived = type === PacketType.pubrec && owner.qos === 2;
      // A PUBREC that says that it has failed ends the exchange (MQTT 5 §4.3.3).
      if (type === expected || (isReceived && hasFailed)) deliveries?.finished(owner);
      else if (isReceived) deliveries?.received(owner);
    }
    this.#pump();
    return undefined;
  }

  #pump(): void {
    this.#clientSession?.deliveries.pump();
    this.#outbox.pump();
  }

  #subscribe(frame: FrameSplitter): Ending | undefined {
    const packet = this.#reader.readSubscribe(frame);
    if ('reason' in packet) return packet;
    this.#mailbox.reportFilters(this.#subscriptions.requested(packet));
    // Now, so that it holds for what the client publishes in the same breath. The last of several counts.
    const requests = new Map(packet.requests.map((request) => [request.filter, request]));
    for (const [filter, request] of requests) this.#granting.set(filter, this.#grant(request));
    this.#forward(encodeSubscribe(packet));
    return undefined;
  }

  #unsubscribe(frame: FrameSplitter): Ending | undefined {
    const packet = this.#reader.readUnsubscribe(frame);
    if ('reason' in packet) return packet;
    this.#subscriptions.unsubscribed(packet);
    const session = this.#clientSession;
    if (session !== undefined) {
      for (const filter of packet.filters) void this.#context.clients.unsubscribe(session, filter);
    }
    this.#forward(encodeUnsubscribe(packet));
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
    else this.#forward(DISCONNECT);
    return undefined;
  }

  #forward(packet: Uint8Array): void {
    if (!this.#session.push(packet)) this.#front.hold(Hold.session);
  }

  #fromSession(bytes: Uint8Array): boolean {
    if (this.#closed) return true;
    this.#outbound.receive(bytes);
    return !this.#front.output.full;
  }

  #accepted(): void {
    const { clients, limits } = this.#context;
    const { valueBytesMax, packetBytesMax } = limits;
    const session = this.#clientSession;
    this.#isAccepted = true;
    if (session !== undefined) {
      this.#subscriptions.restore(session.subscriptions.values());
      void clients.begin(session, this.#sessionPresent);
    }
    this.#front.accepted(Math.min(valueBytesMax, packetBytesMax), this.#connect.keepaliveSeconds);
  }

  #subscribed(packetId: number): void {
    const session = this.#clientSession;
    for (const filter of this.#subscriptions.begin(packetId)) {
      const isNew = this.#newFilters.delete(filter);
      if (session !== undefined) this.#context.clients.sendRetained(session, filter, isNew);
    }
    if (!this.#subscriptions.isAwaiting) {
      this.#granting.clear();
      this.#newFilters.clear();
    }
    this.#front.changed();
  }

  /** A filter of a SUBSCRIBE is granted once the session has it, wherever it goes on. */
  async #grant(request: SubscribeRequest): Promise<boolean> {
    const session = this.#clientSession;
    const { filter } = request;
    if (session === undefined || !this.#subscriptions.mayGrant(filter)) return false;
    const isNew = await this.#context.clients.subscribe(session, request);
    if (isNew) this.#newFilters.add(filter);
    return true;
  }

  #refused(refusal: Refusal): void {
    this.#mailbox.report(refusal, 'PUBLISH');
    // Where a reason code tells it, that is enough.
    if (this.#context.onInvalid === 'ack' || this.#writer.hasReasonCodes) return;
    this.#front.finish(refusedEnding(refusal));
  }

  /** Better that it reconnects and gets the current values than that it eats the node's memory. */
  #tooSlow(): void {
    if (this.#closed) return;
    reportSlowSubscriber(this.#context, this.#front);
    this.#front.abort(TOO_SLOW);
  }
}
