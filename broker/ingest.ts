import { answer, unavailable } from './answers.ts';
import { BatchSink, type BatchWrite, writeEach } from './batch.ts';
import type { BrokerContext } from './context.ts';
import type { WriteFailure, WriteSink } from './data-plane.ts';
import { uint16 } from './field-reader.ts';
import { AckHeader } from './frame-encoder.ts';
import type { FrameSplitter } from './frame-splitter.ts';
import { utf8Text } from './json.ts';
import type { Output } from './output.ts';
import { type Publication, type PublishRange, readPublication } from './publication.ts';
import { PutWindow, type SendAck, UNACKNOWLEDGED } from './put-window.ts';
import type { Refusal } from './refusals.ts';
import type { ReplyAddress, Request } from './requests.ts';
import { isOurTopic, isPutTopic, isTopicName } from './topics.ts';

export interface IngestHooks {
  /** Something may be acknowledged, or there may be room again: look at the end of this turn. */
  changed(): void;
  /** The data plane asks to read no more, or to go on. */
  hold(held: boolean): void;
  /** A put at QoS 1 or 2 has failed: the connection has to end, so that the client sends it again. */
  failed(failure: WriteFailure): void;
  /** Refused for its own bytes. */
  refused(refusal: Refusal): void;
  replied(address: ReplyAddress, reply: object, requestQos: number): void;
}

/** What a PUBLISH was: not for us, taken care of, or not MQTT. */
export type PublishResult = 'ordinary' | 'taken' | 'malformed';

/**
 * The PUBLISHes of one connection to our topics: from the read buffer to the data plane, and back to an
 * acknowledgement. A put costs no object, string or promise.
 */
export class Ingest implements WriteSink {
  readonly #context: BrokerContext;
  readonly #hooks: IngestHooks;
  readonly #window: PutWindow;
  readonly #sendAck: SendAck;
  /** A PUBLISH whose payload is dropped as it arrives. */
  #skipped: { packetId: number; qos: number; refusal: Refusal } | undefined;
  /** Batches of which not all writes have an outcome. */
  readonly #batches = new Set<BatchSink>();
  #closed = false;
  #forgotten = false;

  constructor(context: BrokerContext, output: Output, received: Set<number>, hooks: IngestHooks) {
    const { limits } = context;
    this.#context = context;
    this.#hooks = hooks;
    this.#sendAck = (header, packetId) => output.writeAck(header, packetId);
    this.#window = new PutWindow({
      capacityMax: limits.inflightPutsMax,
      passAfterMs: limits.ackPassAfterMs,
      received,
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
    if (!isOurTopic(buffer, topicStart, topicEnd)) return 'ordinary';
    if (qos > 0 && this.#isRepeat(packetId, qos)) return 'taken';
    const { keyBytesMax, valueBytesMax } = this.#context.limits;
    const keyStart = topicStart + 8;
    if (
      isPutTopic(buffer, topicStart, topicEnd) &&
      topicEnd > keyStart &&
      topicEnd - keyStart <= keyBytesMax &&
      end - payloadStart <= valueBytesMax
    ) {
      const token = this.#window.begin(packetId, qos, nowMs);
      this.#write(token, buffer, keyStart, topicEnd, payloadStart, end);
      return 'taken';
    }
    const range = { topicStart, topicEnd, payloadStart, payloadEnd: end };
    const publication = readPublication(buffer, range, this.#context.limits);
    this.#carryOut(publication, { buffer, range, packetId, qos, nowMs });
    return 'taken';
  }

  /**
   * Looks at a PUBLISH that has only just begun and is large. `skip`: it is refused when `skipped` is called;
   * until then its payload is dropped unseen.
   */
  large(frame: FrameSplitter): 'skip' | 'keep' | 'malformed' | 'too-large' {
    const { buffer, bodyStart, end } = frame;
    const qos = (frame.header >> 1) & 0b11;
    const topicStart = bodyStart + 2;
    const topicEnd = topicStart + uint16(buffer, bodyStart);
    if (qos === 3 || !isTopicName(buffer, topicStart, topicEnd)) return 'malformed';
    const packetId = qos === 0 ? 0 : uint16(buffer, topicEnd);
    if (qos > 0 && packetId === 0) return 'malformed';
    const { limits } = this.#context;
    const range = {
      topicStart,
      topicEnd,
      payloadStart: qos === 0 ? topicEnd : topicEnd + 2,
      payloadEnd: end,
    };
    const fits = end - bodyStart <= limits.packetBytesMax;
    if (!isOurTopic(buffer, topicStart, topicEnd)) return fits ? 'keep' : 'too-large';
    if (fits && end - range.payloadStart <= limits.valueBytesMax) return 'keep';
    const publication = readPublication(buffer, range, limits);
    if (publication.kind !== 'refused') return 'too-large';
    const refusal = {
      ...asRefusal(publication),
      topic: utf8Text(buffer.subarray(topicStart, topicEnd)),
    };
    this.#skipped = { packetId, qos, refusal };
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
    if (!this.#window.released(packetId)) return false;
    this.#sendAck(AckHeader.pubcomp, packetId);
    return true;
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

  writeCommitted(token: number): void {
    if (this.#forgotten) return;
    this.#window.committed(token);
    this.#settled();
  }

  writeFailed(token: number, failure: WriteFailure): void {
    if (this.#forgotten) return;
    this.#window.failed(token);
    this.#context.counters.putsFailed += 1;
    if (token !== UNACKNOWLEDGED && !this.#closed) this.#hooks.failed(failure);
    this.#settled();
  }

  writesDrained(): void {
    if (!this.#closed) this.#hooks.hold(false);
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
    for (const batch of this.#batches) this.#context.dataPlane.forget(batch);
    this.#batches.clear();
  }

  #isRepeat(packetId: number, qos: number): boolean {
    const repeats = this.#window.repeats(packetId, qos);
    if (repeats === 'received') this.#sendAck(AckHeader.pubrec, packetId);
    return repeats !== 'no';
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
  #writeAll(writes: readonly BatchWrite[], token: number): void {
    const { counters, dataPlane } = this.#context;
    counters.puts += writes.length;
    const done = () => this.#batches.delete(batch);
    const batch = new BatchSink(writes.length, {
      committed: () => {
        done();
        this.writeCommitted(token);
      },
      failed: (failure) => {
        done();
        this.writeFailed(token, failure);
      },
      drained: () => this.writesDrained(),
    });
    if (writes.length === 0) return this.writeCommitted(token);
    this.#batches.add(batch);
    if (!writeEach(dataPlane, batch, token, writes)) this.#hooks.hold(true);
  }

  #carryOut(
    publication: Publication,
    packet: {
      buffer: Uint8Array;
      range: PublishRange;
      packetId: number;
      qos: number;
      nowMs: number;
    },
  ): void {
    const { buffer, range, packetId, qos, nowMs } = packet;
    switch (publication.kind) {
      case 'write': {
        const { keyStart, keyEnd, valueStart, valueEnd } = publication;
        const token = this.#window.begin(packetId, qos, nowMs);
        this.#write(token, buffer, keyStart, keyEnd, valueStart, valueEnd);
        return;
      }
      case 'batch':
        this.#writeAll(publication.writes, this.#window.begin(packetId, qos, nowMs));
        return;
      case 'request':
        this.#request(publication.request, this.#window.begin(packetId, qos, nowMs), qos);
        return;
      case 'refused': {
        const topic = utf8Text(buffer.subarray(range.topicStart, range.topicEnd));
        this.#refuse(packetId, qos, nowMs, { ...asRefusal(publication), topic });
      }
    }
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
    this.#context.counters.requests += 1;
    answer(this.#context.dataPlane, request).then(
      (reply) => this.#answered(request, reply, token, qos),
      (error: unknown) => {
        this.#context.env.events.emit({
          level: 'error',
          name: 'request-failed',
          message: `a ${request.op} failed: ${String(error)}`,
        });
        this.#answered(request, unavailable(request), token, qos);
      },
    );
  }

  #answered(request: Request, reply: object, token: number, qos: number): void {
    this.#hooks.replied(request.address, reply, qos);
    if (this.#forgotten) return;
    this.#window.committed(token);
    this.#settled();
  }
}

function asRefusal(publication: Extract<Publication, { kind: 'refused' }>): Omit<Refusal, 'topic'> {
  const { code, message, id } = publication;
  return id === undefined ? { code, message } : { code, message, id };
}
