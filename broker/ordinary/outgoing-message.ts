import type { PublishFrame } from '../frame-encoder.ts';
import { isExpired } from '../mqtt5/travelling.ts';
import type { PacketWriter } from '../packet-writer.ts';
import type { Message } from './message.ts';

/** What one copy of a message is to look like, beside its topic and payload. */
export interface DeliveryFlags {
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

/** A message with the frames that were made of it: whoever gets the same bytes gets the same frame. */
export class OutgoingMessage {
  readonly message: Message;
  /** By protocol, QoS and retain flag. */
  readonly #frames: (PublishFrame | undefined)[] = [];

  constructor(message: Message) {
    this.message = message;
  }

  get bytes(): number {
    return this.message.topic.length + this.message.payload.length;
  }

  isExpired(nowMs: number): boolean {
    return isExpired(this.message, nowMs);
  }

  /** The packet, with the DUP flag clear. Undefined: the client does not take so long a one. */
  frame(
    writer: PacketWriter,
    flags: DeliveryFlags,
    identifiers: readonly number[],
  ): PublishFrame | undefined {
    const { message } = this;
    if (identifiers.length > 0 || message.expiresAtMs !== undefined) {
      return writer.encodeMessage(message, { ...flags, identifiers });
    }
    const at = (writer.hasProperties ? 6 : 0) + 2 * flags.qos + (flags.retain ? 1 : 0);
    const known = this.#frames[at];
    if (known !== undefined) return known.bytes.length > writer.packetBytesMax ? undefined : known;
    const frame = writer.encodeMessage(message, { ...flags, identifiers });
    this.#frames[at] = frame;
    return frame;
  }
}
