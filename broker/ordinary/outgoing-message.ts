import type { PublishFrame } from '../frame-encoder.ts';
import type { Message } from './message.ts';

/** What one copy of a message is to look like, beside its topic and payload. */
export interface DeliveryFlags {
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

/** How a protocol version writes a PUBLISH of an ordinary message. */
export interface MessageEncoder {
  /** Below 2: which of the frames that a message remembers are this one's. */
  readonly index: number;
  /** `identifiers`: of the subscriptions that it is for. `secondsLeft`: until it expires; undefined: never. */
  encode(
    message: Message,
    flags: DeliveryFlags,
    extra: {
      readonly identifiers: readonly number[];
      readonly secondsLeft: number | undefined;
    },
  ): PublishFrame;
}

/** A message with the frames that were made of it: whoever gets the same bytes gets the same frame. */
export class OutgoingMessage {
  readonly message: Message;
  /** By encoder, QoS and retain flag. */
  readonly #frames: (PublishFrame | undefined)[] = [];

  constructor(message: Message) {
    this.message = message;
  }

  get bytes(): number {
    return this.message.topic.length + this.message.payload.length;
  }

  isExpired(nowMs: number): boolean {
    const { expiresAtMs } = this.message;
    return expiresAtMs !== undefined && nowMs >= expiresAtMs;
  }

  /** The packet, with the DUP flag clear. */
  frame(
    encoder: MessageEncoder,
    flags: DeliveryFlags,
    identifiers: readonly number[],
    nowMs: () => number,
  ): PublishFrame {
    const { message } = this;
    if (identifiers.length > 0 || message.expiresAtMs !== undefined) {
      const leftMs = message.expiresAtMs === undefined ? undefined : message.expiresAtMs - nowMs();
      const secondsLeft = leftMs === undefined ? undefined : Math.max(1, Math.ceil(leftMs / 1_000));
      return encoder.encode(message, flags, { identifiers, secondsLeft });
    }
    const at = 6 * encoder.index + 2 * flags.qos + (flags.retain ? 1 : 0);
    return (this.#frames[at] ??= encoder.encode(message, flags, NOTHING_EXTRA));
  }
}

const NOTHING_EXTRA = { identifiers: [], secondsLeft: undefined };
