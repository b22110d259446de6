import type { ConnectPacket } from '../connect-packet.ts';
import type { BrokerEnv } from '../env.ts';
import { AckHeader, frameOf, PacketType, type PublishFrame } from '../frame-encoder.ts';
import type { BrokerLimits } from '../limits.ts';
import type { Message } from '../ordinary/message.ts';
import type { Output } from '../output.ts';
import type { Grant, PacketWriter } from '../packet-writer.ts';
import type { Refusal } from '../refusals.ts';
import type { ValueFrames } from '../value-frames.ts';
import { encodePropertyBlock, type Properties } from './properties.ts';
import { encodeMessage, type MessageDelivery } from './publish-frame.ts';
import { type Ending, ReasonCode } from './reason-codes.ts';
import type { ReceiveWindow } from './receive-window.ts';
import { filterCode, publishCode } from './refusal-codes.ts';
import { TOPIC_ALIAS_MAXIMUM } from './topic-aliases.ts';

/** Of a packet: type and flags, and the remaining length, which counts as well for a Maximum Packet Size. */
const FIXED_HEADER_BYTES_MAX = 5;
const RECEIVE_MAXIMUM_MAX = 0xffff;
const REASON_BYTES_MAX = 1024;

/** MQTT 5. */
export class Mqtt5Writer implements PacketWriter {
  readonly hasReasonCodes = true;
  readonly hasProperties = true;
  readonly frames: ValueFrames;
  readonly inflightMax: number;
  readonly receiveMaximum: number;
  readonly packetBytesMax: number;
  readonly #output: Output;
  readonly #connect: ConnectPacket;
  readonly #limits: BrokerLimits;
  readonly #clock: BrokerEnv['clock'];
  readonly #window: ReceiveWindow;
  /** The client had none; empty: it had. */
  readonly #assignedClientId: string;
  #isConnected = false;

  constructor(options: {
    output: Output;
    connect: ConnectPacket;
    assignedClientId: string;
    limits: BrokerLimits;
    clock: BrokerEnv['clock'];
    frames: ValueFrames;
    window: ReceiveWindow;
  }) {
    const { connect, limits } = options;
    this.#output = options.output;
    this.#connect = connect;
    this.#assignedClientId = options.assignedClientId;
    this.#limits = limits;
    this.#clock = options.clock;
    this.#window = options.window;
    this.frames = options.frames;
    this.inflightMax = limits.inflightDeliveriesMax;
    this.receiveMaximum = connect.receiveMaximum;
    this.packetBytesMax = connect.packetBytesMax;
  }

  connack(sessionPresent: boolean): void {
    this.#isConnected = true;
    const id = this.#assignedClientId;
    const properties = encodePropertyBlock({
      ...(id === '' ? {} : { assignedClientIdentifier: id }),
      receiveMaximum: receiveMaximum(this.#limits),
      topicAliasMaximum: TOPIC_ALIAS_MAXIMUM,
      maximumPacketBytes: this.#limits.packetBytesMax + FIXED_HEADER_BYTES_MAX,
    });
    const head = [sessionPresent ? 1 : 0, ReasonCode.success];
    this.#send(PacketType.connack << 4, [head, properties]);
  }

  ack(header: number, packetId: number): void {
    if (header === AckHeader.puback || header === AckHeader.pubcomp) this.#window.release(packetId);
    this.#output.writeAck(header, packetId);
  }

  refuse(header: number, packetId: number, refusal: Refusal): void {
    this.#window.release(packetId);
    const head = [packetId >> 8, packetId & 0xff, publishCode(refusal)];
    this.#explain(header, (reason) => [head, reason], refusal);
  }

  suback(packetId: number, grants: readonly Grant[]): void {
    const codes = grants.map((grant) => (typeof grant === 'number' ? grant : filterCode(grant)));
    const refusal = grants.find((grant) => typeof grant !== 'number');
    const id = [packetId >> 8, packetId & 0xff];
    const header = PacketType.suback << 4;
    this.#explain(header, (reason) => [id, reason, codes], refusal);
  }

  unsuback(packetId: number, existed: readonly boolean[]): void {
    const { success, noSubscriptionExisted } = ReasonCode;
    const codes = existed.map((was) => (was ? success : noSubscriptionExisted));
    this.#send(PacketType.unsuback << 4, [[packetId >> 8, packetId & 0xff, 0], codes]);
  }

  encodeMessage(message: Message, delivery: MessageDelivery): PublishFrame | undefined {
    const options = { nowMs: this.#clock.nowMs(), hasProperties: true };
    const frame = encodeMessage(message, delivery, options);
    return frame === undefined || frame.bytes.length > this.packetBytesMax ? undefined : frame;
  }

  encodeProperties(properties: Properties): Uint8Array {
    return encodePropertyBlock(properties);
  }

  disconnect({ code, reason }: Ending): boolean {
    if (!this.#isConnected) {
      // Nothing may come before CONNACK [MQTT-3.2.0-1], and the client waits for it.
      this.#output.write(encodeRefusal({ code: ReasonCode.serverUnavailable, reason }));
      return true;
    }
    const header = PacketType.disconnect << 4;
    const bytes = frameOf(header, Buffer.concat([Uint8Array.of(code), explanation(reason)]));
    if (bytes.length <= this.packetBytesMax) this.#output.write(bytes);
    else this.#send(header, [[code, 0]]);
    return true;
  }

  /** Says why, in words and by its code, if the client wants that and has room for it [MQTT-3.1.2-29] [MQTT-3.4.2-2]. */
  #explain(
    header: number,
    body: (reason: Uint8Array) => readonly (Uint8Array | readonly number[])[],
    refusal: Refusal | undefined,
  ): void {
    const wordless = body(Uint8Array.of(0));
    if (refusal === undefined || !this.#connect.wantsProblems) return this.#send(header, wordless);
    const parts = body(explanation(refusal.message, refusal.code));
    const bytes = parts.reduce((sum, { length }) => sum + length, FIXED_HEADER_BYTES_MAX);
    this.#send(header, bytes > this.packetBytesMax ? wordless : parts);
  }

  #send(header: number, parts: readonly (Uint8Array | readonly number[])[]): void {
    const frame = frameOf(header, Buffer.concat(parts.map((part) => Uint8Array.from(part))));
    if (frame.length <= this.packetBytesMax) this.#output.write(frame);
  }
}

/** So many PUBLISHes at QoS 1 and 2 a client may have under way. */
export function receiveMaximum({ inflightPutsMax }: Pick<BrokerLimits, 'inflightPutsMax'>): number {
  return Math.min(inflightPutsMax, RECEIVE_MAXIMUM_MAX);
}

/** A CONNACK that opens nothing; without the reason if the client does not take so long a packet [MQTT-3.2.2-19]. */
export function encodeRefusal(
  { code, reason }: Ending,
  packetBytesMax = Number.POSITIVE_INFINITY,
): Uint8Array {
  const head = Uint8Array.of(0, code);
  const frame = frameOf(PacketType.connack << 4, Buffer.concat([head, explanation(reason)]));
  if (frame.length <= packetBytesMax) return frame;
  return frameOf(PacketType.connack << 4, Uint8Array.of(0, code, 0));
}

function explanation(reason: string, code?: string): Uint8Array {
  const text = reason.slice(0, REASON_BYTES_MAX).replaceAll('\0', '');
  return encodePropertyBlock({
    reasonString: text,
    ...(code === undefined ? {} : { userProperties: [['code', code]] }),
  });
}
