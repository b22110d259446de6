import { randomBytes } from 'node:crypto';
import { encodePublish, type PublishFrame } from '../../broker/frame-encoder.ts';
import { skewedOrder } from './skewed-order.ts';

const NO_PREFIX = new Uint8Array(0);

/** MQTT 3.1.1 CONNECT, clean session, no keepalive. */
export function connectFrame(clientId: string): Buffer {
  const id = Buffer.from(clientId);
  const header = Buffer.from([0x10, 12 + id.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0]);
  return Buffer.concat([header, Buffer.from([0, id.length]), id]);
}

/** The name of a key, after the prefix of the topic. */
export function keyName(key: number): string {
  return String(key).padStart(6, '0');
}

/**
 * One PUBLISH for each key, encoded beforehand and all of the same size: sending one is a copy and some patched bytes.
 */
export class PublishFrames {
  readonly frameBytes: number;
  readonly #frames: Buffer;
  readonly #idOffset: number;
  readonly #valueOffset: number;
  readonly #keyCount: number;
  /** Of the keys; undefined: one after the other. */
  readonly #order: Uint32Array | undefined;

  constructor(options: {
    readonly topicPrefix: string;
    readonly keys: number;
    readonly valueBytes: number;
    readonly qos?: 0 | 1;
    readonly retain?: boolean;
    /** The exponent of Zipf's law by which some keys are written more often than others; 0: all alike. */
    readonly skew?: number;
  }) {
    const { topicPrefix, keys, valueBytes, qos = 1, retain = false, skew = 0 } = options;
    const frames = Array.from({ length: keys }, (_, key) => {
      const topic = Buffer.from(topicPrefix + keyName(key));
      return encodePublish(NO_PREFIX, topic, randomBytes(valueBytes), { qos, retain });
    });
    const { bytes, packetIdOffset } = frames[0] as PublishFrame;
    this.frameBytes = bytes.length;
    this.#idOffset = packetIdOffset;
    this.#valueOffset = bytes.length - valueBytes;
    this.#keyCount = keys;
    this.#order = skew === 0 ? undefined : skewedOrder(keys, skew);
    this.#frames = Buffer.concat(frames.map((frame) => frame.bytes));
  }

  /** Writes the message for the `sequence`-th put to `target`; the value differs from the last one. */
  write(target: Buffer, offset: number, sequence: number, packetId: number): void {
    const start = this.#keyOf(sequence) * this.frameBytes;
    this.#frames.copy(target, offset, start, start + this.frameBytes);
    if (this.#idOffset > 0) {
      target[offset + this.#idOffset] = packetId >>> 8;
      target[offset + this.#idOffset + 1] = packetId & 0xff;
    }
    target.writeUInt32LE(sequence >>> 0, offset + this.#valueOffset);
  }

  #keyOf(sequence: number): number {
    const order = this.#order;
    if (order === undefined) return sequence % this.#keyCount;
    return order[sequence % order.length] as number;
  }
}
