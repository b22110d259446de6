import type { BrokerEnv } from './env.ts';
import {
  ConnectReturn,
  encodeConnack,
  encodeSuback,
  PacketType,
  type PublishFrame,
} from './frame-encoder.ts';
import { encodeMessage, type MessageDelivery } from './mqtt5/publish-frame.ts';
import type { Message } from './ordinary/message.ts';
import type { Output } from './output.ts';
import type { Grant, PacketWriter } from './packet-writer.ts';
import type { ValueFrames } from './value-frames.ts';

const NO_PROPERTIES = new Uint8Array(0);
/** The only failure that a SUBACK of 3.1.1 knows. */
const SUBACK_FAILURE = 0x80;

/** MQTT 3.1 and 3.1.1. */
export class PlainWriter implements PacketWriter {
  readonly hasReasonCodes = false;
  readonly hasProperties = false;
  readonly packetBytesMax = Number.POSITIVE_INFINITY;
  readonly receiveMaximum = Number.POSITIVE_INFINITY;
  readonly frames: ValueFrames;
  readonly inflightMax: number;
  readonly #output: Output;

  readonly #clock: BrokerEnv['clock'];

  constructor(
    output: Output,
    options: { frames: ValueFrames; inflightMax: number; clock: BrokerEnv['clock'] },
  ) {
    this.#output = output;
    this.#clock = options.clock;
    this.frames = options.frames;
    this.inflightMax = options.inflightMax;
  }

  connack(sessionPresent: boolean): void {
    this.#output.write(encodeConnack(ConnectReturn.accepted, sessionPresent));
  }

  ack(header: number, packetId: number): void {
    this.#output.writeAck(header, packetId);
  }

  refuse(): void {}

  suback(packetId: number, grants: readonly Grant[]): void {
    const codes = grants.map((grant) => (typeof grant === 'number' ? grant : SUBACK_FAILURE));
    this.#output.write(encodeSuback(packetId, Uint8Array.from(codes)));
  }

  unsuback(packetId: number): void {
    this.#output.writeAck(PacketType.unsuback << 4, packetId);
  }

  encodeMessage(message: Message, delivery: MessageDelivery): PublishFrame | undefined {
    const options = { nowMs: this.#clock.nowMs(), hasProperties: false };
    return encodeMessage(message, delivery, options);
  }

  encodeProperties(): Uint8Array {
    return NO_PROPERTIES;
  }

  disconnect(): boolean {
    return false;
  }
}
