import type { Access } from './access.ts';
import { type Answer, answer, notAllowed, writeAnswered, writeFailed } from './answers.ts';
import type { BatchWrite } from './batch.ts';
import type { ClientIdentity } from './cas.ts';
import type { BrokerContext } from './context.ts';
import type { WriteFailure, WriteSink } from './data-plane.ts';
import { AckHeader } from './frame-encoder.ts';
import type { FrameSplitter } from './frame-splitter.ts';
import {
  type IncomingPublish,
  invalidOrdinary,
  messageOf,
  packetOf,
  saysMore,
  topicOf,
} from './incoming-publish.ts';
import { examineLarge, refusalOf, type SkippedPublish } from './large-publish.ts';
import type { LazySet } from './lazy-set.ts';
import { type BatchOutcome, OpenBatches } from './open-batches.ts';
import type { PublishView } from './packet-reader.ts';
import type { PacketWriter } from './packet-writer.ts';
import { type Forbidden, forbiddenIn, forbiddenToWrite, mayAnswer } from './permissions.ts';
import { type Publication, readPublication, type WriteAnswer } from './publication.ts';
import { PutWindow, type SendAck, UNACKNOWLEDGED } from './put-window.ts';
import { type Refusal, storageFull } from './refusals.ts';
import { originOf, type ReplyAddress, type Request } from './requests.ts';
import { isBridgeNotice, isOurTopic, isPutTopic } from './topics.ts';

export interface IngestHooks {
  /** Something may be acknowledged, or there may be room again: look at the end of this turn. */
  changed(): void;
  /** The data plane asks to read no more, or to go on. */
  hold(held: boolean): void;
  /** A put at QoS 1 or 2 has failed: the connection has to end, so that the client sends it again. */
  failed(failure: WriteFailure): void;
  /** Refused for its own bytes. */
  refused(refusal: Refusal): void;
  /** Refused because of how things stand: it is not acknowledged. */
  refusedByState(refusal: Refusal, qos: number): void;
  replied(address: ReplyAddress, reply: object, requestQos: number): void;
}

/** `rules-unknown`: nobody can say yet whether it is to be stored, so it has to come again. */
export type PublishResult = 'taken' | 'rules-unknown';

/** Whose PUBLISHes they are. */
export interface Publisher {
  readonly access: Access;
  readonly identity: ClientIdentity;
  /**
   * The packet ids of its QoS 2 PUBLISHes that have been taken and not been released yet. What comes again under one of
   * them is not published again [MQTT-4.3.3-2]; they belong to the session, wherever it goes on.
   */
  readonly receivedIds: LazySet<number>;
}

/**
 * The PUBLISHes of one connection: from the read buffer to the data plane or to those who have subscribed, and back to an
 * acknowledgement. A put costs no object, string or promise.
 */
export class Ingest implements WriteSink {
  readonly #context: BrokerContext;
  readonly #publisher: Publisher;
  readonly #hooks: IngestHooks;
  readonly #window: PutWindow;
  readonly #writer: PacketWriter;
  readonly #sendAck: SendAck;
  /** A PUBLISH whose payload is dropped as it arrives. */
  #skipped: SkippedPublish | undefined;
  /** Ordinary messages need not wait for the ingest rules any more. */
  #waitedForRules = false;
  /** Batches of which not all writes have an outcome. */
  readonly #batches: OpenBatches;
  #closed = false;
  #forgotten = false;

  constructor(
    context: BrokerContext,
    writer: PacketWriter,
    publisher: Publisher,
    hooks: IngestHooks,
  ) {
    const { limits } = context;
    this.#writer = writer;
    this.#context = context;
    this.#publisher = publisher;
    this.#hooks = hooks;
    this.#sendAck = (header, packetId, refusal) => {
      if (refusal === undefined) writer.ack(header, packetId);
      else writer.refuse(header, packetId, refusal);
    };
    this.#batches = new OpenBatches(context, () => this.writesDrained());
    this.#window = new PutWindow({
      capacityMax: limits.inflightPutsMax,
      passAfterMs: limits.ackPassAfterMs,
      received: publisher.receivedIds,
    });
  }

  get outstanding(): number {
    return this.#window.outstanding;
  }

  get full(): boolean {
    return this.#window.full;
  }

  /** Takes a PUBLISH. */
  publish(view: PublishView, nowMs: number): PublishResult {
    const { buffer, topicStart, topicEnd, payloadStart, payloadEnd, qos, packetId } = view;
    if (qos > 0 && this.#isRepeat(packetId, qos)) return 'taken';
    if (!isOurTopic(buffer, topicStart, topicEnd)) return this.#ordinary(packetOf(view, nowMs));
    const { keyBytesMax, valueBytesMax } = this.#context.limits;
    const keyStart = topicStart + 8;
    if (
      isPutTopic(buffer, topicStart, topicEnd) &&
      topicEnd > keyStart &&
      topicEnd - keyStart <= keyBytesMax &&
      payloadEnd - payloadStart <= valueBytesMax &&
      !(view.properties !== undefined && saysMore(view.properties)) &&
      this.#publisher.access.mayWriteKey(buffer, keyStart, topicEnd)
    ) {
      const token = this.#window.begin(packetId, qos, nowMs);
      this.#write(token, buffer, keyStart, topicEnd, payloadStart, payloadEnd);
      return 'taken';
    }
    const packet = packetOf(view, nowMs);
    this.#carryOut(this.#read(packet), packet);
    return 'taken';
  }

  /**
   * Looks at a PUBLISH that has only just begun and is large. `skip`: it is refused when `skipped` is called;
   * until then its payload is dropped unseen.
   */
  large(frame: FrameSplitter): 'skip' | 'keep' | 'malformed' | 'too-large' {
    const { env, limits } = this.#context;
    const found = examineLarge(frame, limits, env.clock.nowMs());
    if (typeof found === 'string') return found;
    this.#skipped = found;
    return 'skip';
  }

  /** The end of a PUBLISH that was skipped. */
  skipped(nowMs: number): void {
    const skipped = this.#skipped;
    this.#skipped = undefined;
    if (skipped === undefined) return;
    const { packetId, qos, refusal } = skipped;
    const packet = { packetId, qos, nowMs };
    if (qos === 0 || !this.#isRepeat(packetId, qos)) this.#refuse(packet, refusal);
  }

  /** A PUBREL: it is answered also for what is not known, as that was finished before [MQTT-4.3.3-2]. */
  released(packetId: number): void {
    this.#publisher.receivedIds.delete(packetId);
    this.#sendAck(AckHeader.pubcomp, packetId);
  }

  /** The ingest rules are known, or the time to wait for them is over. */
  stopWaitingForRules(): void {
    this.#waitedForRules = true;
  }

  /** Writes the acknowledgements that may leave now. Returns when to look again, in milliseconds. */
  acknowledge(nowMs: number, options: { readonly anyOrder: boolean }): number | undefined {
    return this.#window.collect(nowMs, this.#sendAck, options);
  }

  /**
   * The connection is gone. What a client has not got acknowledged it sends again, so what was not forwarded
   * yet is dropped: it must not arrive after its own repetition (DESIGN §5, Forwarding). Nobody repeats what
   * came at QoS 0 or before a DISCONNECT: that runs to its end.
   */
  close(options: { readonly clean: boolean }): void {
    this.#closed = true;
    if (options.clean || this.#window.pendingAcknowledged === 0) {
      this.#forgetWhenIdle();
    } else {
      this.#forget();
    }
  }

  writeCommitted(token: number, _version?: number): void {
    if (this.#forgotten) return;
    this.#window.committed(token);
    this.#settled();
  }

  writeFailed(token: number, failure: WriteFailure): void {
    this.#failed(token, failure);
  }

  writesDrained(): void {
    if (!this.#closed) this.#hooks.hold(false);
  }

  #failed(token: number, failure: WriteFailure, request?: Request): void {
    if (this.#forgotten) return;
    if (failure === 'storage-full' && this.#writer.hasReasonCodes) {
      this.#context.counters.putsFailed += 1;
      this.#refused(token, storageFull(originOf(request)));
    } else {
      this.#failedSilently(token, failure, request);
    }
    this.#settled();
  }

  /** Nothing acknowledges it, so that the client sends it again. */
  #failedSilently(token: number, failure: WriteFailure, request?: Request): void {
    this.#window.failed(token);
    this.#context.counters.putsFailed += 1;
    const qos = token === UNACKNOWLEDGED ? 0 : 1;
    if (failure === 'storage-full') this.#hooks.refusedByState(storageFull(originOf(request)), qos);
    else if (qos > 0 && !this.#closed) this.#hooks.failed(failure);
  }

  /** The acknowledgement says so, in its turn. */
  #refused(token: number, refusal: Refusal): void {
    this.#window.refused(token, refusal);
    this.#hooks.refused(refusal);
  }

  #settled(): void {
    if (this.#closed) this.#forgetWhenIdle();
    else this.#hooks.changed();
  }

  #forgetWhenIdle(): void {
    if (this.#window.outstanding === 0) this.#forget();
  }

  #forget(): void {
    if (this.#forgotten) return;
    this.#forgotten = true;
    this.#context.dataPlane.forget(this);
    this.#batches.forget();
  }

  #isRepeat(packetId: number, qos: number): boolean {
    const repeats = this.#window.repeats(packetId, qos);
    if (repeats === 'received') this.#sendAck(AckHeader.pubrec, packetId);
    return repeats !== 'no';
  }

  /** A message for whoever has subscribed, which may have to be stored as well (DESIGN §7, ingest rules). */
  #ordinary(packet: IncomingPublish): PublishResult {
    const { buffer, range, qos } = packet;
    const { ingestRules, clients, limits, env } = this.#context;
    const { access, identity } = this.#publisher;
    const topic = topicOf(packet);
    const refusal = invalidOrdinary(packet, topic, limits.topicLevelsMax);
    if (refusal !== undefined) return this.#refuse(packet, refusal);
    // Bridges announce their state under `$SYS`, which is not theirs; refusing it would make them reconnect for ever.
    if (isBridgeNotice(topic)) return this.#delivered(packet);
    const why = forbiddenToWrite(access, buffer, range.topicStart, range.topicEnd);
    if (why !== undefined) return this.#forbid(why, packet);
    if (!ingestRules.isKnown && qos > 0 && !this.#waitedForRules) return 'rules-unknown';
    const message = messageOf(packet, topic, env.clock.nowMs());
    if (ingestRules.current.isEmpty) {
      clients.publish(message, identity.clientId);
      return this.#delivered(packet);
    }
    const received = { topic, payload: message.payload, receivedAtMs: env.clock.nowMs() };
    const outcome = ingestRules.apply(received, access);
    if (outcome.kind === 'forbidden') return this.#forbid(outcome.why, packet);
    clients.publish(message, identity.clientId);
    return outcome.kind === 'writes'
      ? this.#store(outcome.writes, packet)
      : this.#delivered(packet);
  }

  /** Nothing more is to be done for it. */
  #delivered({ packetId, qos, nowMs }: IncomingPublish): 'taken' {
    if (qos === 0) return 'taken';
    // Not only when it is acknowledged, as the connection may end before.
    if (qos === 2) this.#publisher.receivedIds.add(packetId);
    this.#window.committed(this.#window.begin(packetId, qos, nowMs));
    this.#hooks.changed();
    return 'taken';
  }

  /** What is delivered by now, and acknowledged when it is stored, too. */
  #store(writes: readonly BatchWrite[], { packetId, qos, nowMs }: IncomingPublish): 'taken' {
    const token = this.#window.begin(packetId, qos, nowMs);
    if (qos === 0) this.#writeAll(writes, token);
    else {
      this.#writeAll(writes, token, {
        committed: () => this.writeCommitted(token),
        // Subscribers have it, so no version of MQTT can take it back.
        failed: (failure) => {
          if (this.#forgotten) return;
          this.#failedSilently(token, failure);
          this.#settled();
        },
      });
    }
    return 'taken';
  }

  #forbid(why: Forbidden, packet: IncomingPublish): 'taken' {
    const refusal = { ...why, topic: topicOf(packet) };
    if (this.#writer.hasReasonCodes) return this.#refuse(packet, refusal);
    this.#hooks.refusedByState(refusal, packet.qos);
    return 'taken';
  }

  #write(
    token: number,
    buffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.#context.counters.puts += 1;
    const { dataPlane } = this.#context;
    if (!dataPlane.write(this, token, buffer, keyStart, keyEnd, valueStart, valueEnd)) {
      this.#hooks.hold(true);
    }
  }

  /** Acknowledged when all are committed. */
  #writeAll(
    writes: readonly BatchWrite[],
    token: number,
    outcome: BatchOutcome = {
      committed: (version) => this.writeCommitted(token, version),
      failed: (failure) => this.writeFailed(token, failure),
    },
  ): void {
    if (!this.#batches.write(writes, token, outcome)) this.#hooks.hold(true);
  }

  /** Who asks for an answer gets one, unless a missing acknowledgement says more. */
  #writeAnswered(writes: readonly BatchWrite[], token: number, wanted: WriteAnswer): void {
    const qos = token === UNACKNOWLEDGED ? 0 : 1;
    const reply = (content: object) => {
      if (!this.#forgotten) this.#hooks.replied(wanted.address, content, qos);
    };
    this.#writeAll(writes, token, {
      committed: (version) => {
        reply(writeAnswered(wanted, version));
        this.writeCommitted(token, version);
      },
      failed: (failure) => {
        if (failure === 'storage-full' || qos === 0) reply(writeFailed(wanted, failure));
        this.writeFailed(token, failure);
      },
    });
  }

  #carryOut(publication: Publication, packet: IncomingPublish): void {
    const { buffer, range, packetId, qos, nowMs } = packet;
    if (publication.kind !== 'refused') {
      const { access } = this.#publisher;
      const why = forbiddenIn(access, publication, buffer);
      if (why !== undefined) return this.#forbidPublication(publication, why, packet);
    }
    switch (publication.kind) {
      case 'write': {
        const { keyStart, keyEnd, valueStart, valueEnd } = publication;
        const token = this.#window.begin(packetId, qos, nowMs);
        this.#write(token, buffer, keyStart, keyEnd, valueStart, valueEnd);
        return;
      }
      case 'batch': {
        const { writes, timesNotBelieved, answer: wanted } = publication;
        this.#context.counters.timesNotBelieved += timesNotBelieved;
        const token = this.#window.begin(packetId, qos, nowMs);
        if (wanted === undefined) this.#writeAll(writes, token);
        else this.#writeAnswered(writes, token, wanted);
        return;
      }
      case 'request':
        this.#request(publication.request, this.#window.begin(packetId, qos, nowMs), qos);
        return;
      case 'refused':
        this.#refuse(packet, refusalOf(publication, buffer, range));
    }
  }

  /**
   * A question has an answer, and is acknowledged: nothing is lost by that. Who cannot tell by a missing
   * acknowledgement that it was not let write gets an answer, too.
   */
  #forbidPublication(publication: Publication, why: Forbidden, packet: IncomingPublish): void {
    const { packetId, qos, nowMs } = packet;
    const request = publication.kind === 'request' ? publication.request : undefined;
    if (request === undefined || !mayAnswer(this.#publisher.access, request)) {
      this.#forbid(why, packet);
      return;
    }
    const isRead = request.op !== 'cas';
    if (this.#writer.hasReasonCodes) {
      this.#forbid(why, packet);
      if (isRead || qos === 0) this.#hooks.replied(request.address, notAllowed(request), qos);
      return;
    }
    this.#forbid(why, isRead ? { ...packet, qos: 0 } : packet);
    if (isRead || qos === 0) this.#hooks.replied(request.address, notAllowed(request), qos);
    if (!isRead) return;
    this.#window.committed(this.#window.begin(packetId, qos, nowMs));
    this.#hooks.changed();
  }

  /** Sending such a message again would never help, so it is acknowledged in its turn. */
  #refuse(
    { packetId, qos, nowMs }: Pick<IncomingPublish, 'packetId' | 'qos' | 'nowMs'>,
    refusal: Refusal,
  ): 'taken' {
    if (this.#writer.hasReasonCodes) {
      this.#refused(this.#window.begin(packetId, qos, nowMs), refusal);
      this.#hooks.changed();
      return 'taken';
    }
    if (this.#context.onInvalid === 'ack') {
      this.#window.committed(this.#window.begin(packetId, qos, nowMs));
      this.#hooks.changed();
    }
    this.#hooks.refused(refusal);
    return 'taken';
  }

  /** A request is acknowledged when its answer is on its way. */
  #request(request: Request, token: number, qos: number): void {
    void answer(this.#context, this.#publisher.identity, request).then((given) =>
      this.#answered(request, given, token, qos),
    );
  }

  /** Whoever is not acknowledged will ask again; who cannot tell, because nothing is, gets a reply. */
  #answered(request: Request, { reply, failure }: Answer, token: number, qos: number): void {
    const isTold = failure === 'storage-full' && this.#writer.hasReasonCodes;
    if (failure === undefined || qos === 0 || isTold) {
      this.#hooks.replied(request.address, reply, qos);
    }
    if (failure !== undefined) {
      this.#failed(token, failure, request);
    } else if (!this.#forgotten) {
      this.#window.committed(token);
      this.#settled();
    }
  }

  #read({ buffer, range, properties }: IncomingPublish): Publication {
    const { env, limits } = this.#context;
    return readPublication(buffer, range, limits, env.clock.nowMs(), properties);
  }
}
