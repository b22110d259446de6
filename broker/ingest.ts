import type { Access } from './access.ts';
import { type Answer, answer, notAllowed } from './answers.ts';
import type { BatchWrite } from './batch.ts';
import type { ClientIdentity } from './cas.ts';
import type { BrokerContext } from './context.ts';
import type { WriteFailure, WriteSink } from './data-plane.ts';
import { uint16 } from './field-reader.ts';
import { AckHeader } from './frame-encoder.ts';
import type { FrameSplitter } from './frame-splitter.ts';
import { JointAcks } from './joint-acks.ts';
import { utf8Text } from './json.ts';
import { examineLarge, refusalOf, type SkippedPublish } from './large-publish.ts';
import { OpenBatches } from './open-batches.ts';
import type { Output } from './output.ts';
import { type Forbidden, forbiddenIn, forbiddenToWrite, mayAnswer } from './permissions.ts';
import { type Publication, type PublishRange, readPublication } from './publication.ts';
import { PutWindow, type SendAck, UNACKNOWLEDGED } from './put-window.ts';
import type { ReceivedIds } from './received-ids.ts';
import { type Refusal, storageFull } from './refusals.ts';
import { originOf, type ReplyAddress, type Request } from './requests.ts';
import { isOurTopic, isPutTopic, isSystemTopic, isTopicName } from './topics.ts';

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

/**
 * What a PUBLISH was: taken care of, for the session (though what it acknowledges may have to wait), or not MQTT.
 * `rules-unknown`: nobody can say yet, so it has to come again.
 */
export type PublishResult = 'ordinary' | 'taken' | 'malformed' | 'rules-unknown';

/** Whose PUBLISHes they are. */
export interface Publisher {
  readonly access: Access;
  readonly identity: ClientIdentity;
  readonly receivedIds: ReceivedIds;
}

/** Where a PUBLISH stands, and what it is to be acknowledged under. */
interface Packet {
  readonly buffer: Uint8Array;
  readonly range: PublishRange;
  readonly packetId: number;
  readonly qos: number;
  readonly nowMs: number;
}

/**
 * The PUBLISHes of one connection that are stored or answered: from the read buffer to the data plane, and back to
 * an acknowledgement. A put costs no object, string or promise.
 */
export class Ingest implements WriteSink {
  readonly #context: BrokerContext;
  readonly #publisher: Publisher;
  readonly #hooks: IngestHooks;
  readonly #window: PutWindow;
  readonly #sendAck: SendAck;
  /** A PUBLISH whose payload is dropped as it arrives. */
  #skipped: SkippedPublish | undefined;
  readonly #jointAcks = new JointAcks();
  /** Ordinary messages need not wait for the ingest rules any more. */
  #waitedForRules = false;
  /** Batches of which not all writes have an outcome. */
  readonly #batches: OpenBatches;
  #closed = false;
  #forgotten = false;

  constructor(context: BrokerContext, output: Output, publisher: Publisher, hooks: IngestHooks) {
    const { limits } = context;
    this.#context = context;
    this.#publisher = publisher;
    this.#hooks = hooks;
    this.#sendAck = (header, packetId) => output.writeAck(header, packetId);
    this.#batches = new OpenBatches(context, () => this.writesDrained());
    this.#window = new PutWindow({
      capacityMax: limits.inflightPutsMax,
      passAfterMs: limits.ackPassAfterMs,
      received: publisher.receivedIds.ours,
    });
  }

  get outstanding(): number {
    return this.#window.outstanding;
  }

  get full(): boolean {
    return this.#window.full;
  }

  /** Takes the PUBLISH that `frame` stands at. */
  publish(frame: FrameSplitter, nowMs: number): PublishResult {
    const { buffer, bodyStart, end } = frame;
    const qos = (frame.header >> 1) & 0b11;
    // [MQTT-3.3.1-4]
    if (qos === 3 || end - bodyStart < 2) return 'malformed';
    const topicStart = bodyStart + 2;
    const topicEnd = topicStart + uint16(buffer, bodyStart);
    const payloadStart = qos === 0 ? topicEnd : topicEnd + 2;
    if (payloadStart > end || !isTopicName(buffer, topicStart, topicEnd)) return 'malformed';
    const packetId = qos === 0 ? 0 : uint16(buffer, topicEnd);
    // [MQTT-2.3.1-1]
    if (qos > 0 && packetId === 0) return 'malformed';
    if (qos > 0 && this.#isRepeat(packetId, qos)) return 'taken';
    if (!isOurTopic(buffer, topicStart, topicEnd)) {
      const range = { topicStart, topicEnd, payloadStart, payloadEnd: end };
      return this.#ordinary({ buffer, range, packetId, qos, nowMs });
    }
    const { keyBytesMax, valueBytesMax } = this.#context.limits;
    const keyStart = topicStart + 8;
    if (
      isPutTopic(buffer, topicStart, topicEnd) &&
      topicEnd > keyStart &&
      topicEnd - keyStart <= keyBytesMax &&
      end - payloadStart <= valueBytesMax &&
      this.#publisher.access.mayWriteKey(buffer, keyStart, topicEnd)
    ) {
      const token = this.#window.begin(packetId, qos, nowMs);
      this.#write(token, buffer, keyStart, topicEnd, payloadStart, end);
      return 'taken';
    }
    const range = { topicStart, topicEnd, payloadStart, payloadEnd: end };
    this.#carryOut(this.#read(buffer, range), { buffer, range, packetId, qos, nowMs });
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
    if (qos === 0 || !this.#isRepeat(packetId, qos)) this.#refuse(packetId, qos, nowMs, refusal);
  }

  /** A PUBREL. Whether it was for one of our puts; it is answered then. */
  released(packetId: number): boolean {
    const isShared = this.#publisher.receivedIds.shared.delete(packetId);
    if (!this.#window.released(packetId) || isShared) return false;
    this.#sendAck(AckHeader.pubcomp, packetId);
    return true;
  }

  /** The session acknowledges a PUBLISH. Whether that is ours to tell the client, or not to. */
  sessionAcknowledged(packetId: number): boolean {
    if (!this.#jointAcks.has(packetId)) return false;
    const token = this.#jointAcks.sessionAcknowledged(packetId);
    if (token !== undefined) this.writeCommitted(token);
    return true;
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
    for (const token of this.#jointAcks.sessionGone()) this.#window.committed(token);
    if (options.clean || this.#window.pendingAcknowledged === 0) {
      this.#forgetWhenIdle();
    } else {
      this.#forget();
    }
  }

  writeCommitted(token: number): void {
    if (this.#forgotten) return;
    this.#window.committed(token);
    this.#settled();
  }

  writeFailed(token: number, failure: WriteFailure): void {
    this.#failed(token, failure, undefined);
  }

  writesDrained(): void {
    if (!this.#closed) this.#hooks.hold(false);
  }

  #failed(token: number, failure: WriteFailure, request: Request | undefined): void {
    if (this.#forgotten) return;
    this.#window.failed(token);
    this.#context.counters.putsFailed += 1;
    const qos = token === UNACKNOWLEDGED ? 0 : 1;
    if (failure === 'storage-full') this.#hooks.refusedByState(storageFull(originOf(request)), qos);
    else if (qos > 0 && !this.#closed) this.#hooks.failed(failure);
    this.#settled();
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

  /** A message for the session, which may have to be stored as well (DESIGN §7, ingest rules). */
  #ordinary(packet: Packet): PublishResult {
    const { buffer, range, qos } = packet;
    const { topicStart, topicEnd } = range;
    // System topics are the session's to refuse; bridges publish some that it drops.
    if (isSystemTopic(buffer, topicStart, topicEnd)) return 'ordinary';
    const why = forbiddenToWrite(this.#publisher.access, buffer, topicStart, topicEnd);
    if (why !== undefined) return this.#forbid(why, packet);
    const { ingestRules, env } = this.#context;
    if (!ingestRules.isKnown && qos > 0 && !this.#waitedForRules) return 'rules-unknown';
    if (ingestRules.current.isEmpty) return 'ordinary';
    const message = {
      topic: utf8Text(buffer.subarray(topicStart, topicEnd)),
      payload: buffer.subarray(range.payloadStart, range.payloadEnd),
      receivedAtMs: env.clock.nowMs(),
    };
    const outcome = ingestRules.apply(message, this.#publisher.access);
    if (outcome.kind === 'forbidden') return this.#forbid(outcome.why, packet);
    if (outcome.kind === 'writes') this.#store(outcome.writes, packet);
    return 'ordinary';
  }

  /** What the session delivers, and acknowledges too soon. */
  #store(writes: readonly BatchWrite[], { packetId, qos, nowMs }: Packet): void {
    const token = this.#window.begin(packetId, qos, nowMs);
    if (qos === 0) return this.#writeAll(writes, token);
    this.#jointAcks.begin(packetId, token);
    if (qos === 2) this.#publisher.receivedIds.shared.add(packetId);
    this.#writeAll(writes, token, () => {
      if (this.#jointAcks.stored(packetId) !== undefined) this.writeCommitted(token);
    });
  }

  #forbid(why: Forbidden, { buffer, range, qos }: Packet): 'taken' {
    const topic = utf8Text(buffer.subarray(range.topicStart, range.topicEnd));
    this.#hooks.refusedByState({ ...why, topic }, qos);
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
    committed: () => void = () => this.writeCommitted(token),
  ): void {
    const failed = (failure: WriteFailure) => this.writeFailed(token, failure);
    if (!this.#batches.write(writes, token, { committed, failed })) this.#hooks.hold(true);
  }

  #carryOut(publication: Publication, packet: Packet): void {
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
      case 'batch':
        this.#context.counters.timesNotBelieved += publication.timesNotBelieved;
        this.#writeAll(publication.writes, this.#window.begin(packetId, qos, nowMs));
        return;
      case 'request':
        this.#request(publication.request, this.#window.begin(packetId, qos, nowMs), qos);
        return;
      case 'refused':
        this.#refuse(packetId, qos, nowMs, refusalOf(publication, buffer, range));
    }
  }

  /**
   * A question has an answer, and is acknowledged: nothing is lost by that. Who cannot tell by a missing
   * acknowledgement that it was not let write gets an answer, too.
   */
  #forbidPublication(publication: Publication, why: Forbidden, packet: Packet): void {
    const { packetId, qos, nowMs } = packet;
    const request = publication.kind === 'request' ? publication.request : undefined;
    if (request === undefined || !mayAnswer(this.#publisher.access, request)) {
      this.#forbid(why, packet);
      return;
    }
    const isRead = request.op !== 'cas';
    this.#forbid(why, isRead ? { ...packet, qos: 0 } : packet);
    if (isRead || qos === 0) this.#hooks.replied(request.address, notAllowed(request), qos);
    if (!isRead) return;
    this.#window.committed(this.#window.begin(packetId, qos, nowMs));
    this.#hooks.changed();
  }

  /** Sending such a message again would never help, so it is acknowledged in its turn. */
  #refuse(packetId: number, qos: number, nowMs: number, refusal: Refusal): void {
    if (this.#context.onInvalid === 'ack') {
      this.#window.committed(this.#window.begin(packetId, qos, nowMs));
      this.#hooks.changed();
    }
    this.#hooks.refused(refusal);
  }

  /** A request is acknowledged when its answer is on its way. */
  #request(request: Request, token: number, qos: number): void {
    void answer(this.#context, this.#publisher.identity, request).then((given) =>
      this.#answered(request, given, token, qos),
    );
  }

  /** Whoever is not acknowledged will ask again; who cannot tell, because nothing is, gets a reply. */
  #answered(request: Request, { reply, failure }: Answer, token: number, qos: number): void {
    if (failure === undefined || qos === 0) this.#hooks.replied(request.address, reply, qos);
    if (failure !== undefined) {
      this.#failed(token, failure, request);
    } else if (!this.#forgotten) {
      this.#window.committed(token);
      this.#settled();
    }
  }

  #read(buffer: Uint8Array, range: PublishRange): Publication {
    const { env, limits } = this.#context;
    return readPublication(buffer, range, limits, env.clock.nowMs());
  }
}
