import { randomBytes } from 'node:crypto';
import { encodePublish, type PublishFrame } from '../../broker/frame-encoder.ts';
import { encode, kv } from '../../protos/index.ts';
import { skewedOrder } from './skewed-order.ts';

const NO_PREFIX = new Uint8Array(0);

/** So many readings in one message (docs/MQTT.md, Batches). */
export interface BatchShape {
  readonly readings: number;
  readonly format: 'json' | 'protobuf';
}

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
 * One PUBLISH for each key, or for each few keys, encoded beforehand and all of the same size: sending one is a copy and
 * some patched bytes.
 */
export class PublishFrames {
  readonly frameBytes: number;
  readonly #frames: Buffer;
  readonly #frameCount: number;
  readonly #idOffset: number;
  readonly #valueOffset: number;
  readonly #isText: boolean;
  /** Of the frames; undefined: one after the other. */
  readonly #order: Uint32Array | undefined;

  constructor(options: {
    /** Of a put's topic; of a batch all of it. */
    readonly topicPrefix: string;
    readonly keys: number;
    readonly valueBytes: number;
    readonly qos?: 0 | 1;
    readonly retain?: boolean;
    /** The exponent of Zipf's law by which some keys are written more often than others; 0: all alike. */
    readonly skew?: number;
    /** Without it each message is a put. */
    readonly batch?: BatchShape | undefined;
  }) {
    const { topicPrefix, keys, valueBytes, qos = 1, retain = false, skew = 0, batch } = options;
    const frameCount = Math.floor(keys / (batch?.readings ?? 1));
    const frames = Array.from({ length: frameCount }, (_, index) => {
      const topic = topicPrefix + (batch === undefined ? keyName(index) : '');
      const payload =
        batch === undefined ? randomBytes(valueBytes) : batchPayload(batch, index, valueBytes);
      return encodePublish(NO_PREFIX, Buffer.from(topic), payload, { qos, retain });
    });
    const { bytes, packetIdOffset } = frames[0] as PublishFrame;
    const behindValue = batch?.format === 'json' ? '"}]'.length : 0;
    this.frameBytes = bytes.length;
    this.#idOffset = packetIdOffset;
    this.#valueOffset = bytes.length - behindValue - valueBytes;
    this.#isText = batch !== undefined;
    this.#frameCount = frameCount;
    this.#order = skew === 0 ? undefined : skewedOrder(keys, skew);
    this.#frames = Buffer.concat(frames.map((frame) => frame.bytes));
  }

  /** Writes the `sequence`-th message to `target`; its (last) value differs from the one before. */
  write(target: Buffer, offset: number, sequence: number, packetId: number): void {
    const start = this.#frameOf(sequence) * this.frameBytes;
    this.#frames.copy(target, offset, start, start + this.frameBytes);
    if (this.#idOffset > 0) {
      target[offset + this.#idOffset] = packetId >>> 8;
      target[offset + this.#idOffset + 1] = packetId & 0xff;
    }
    const at = offset + this.#valueOffset;
    if (this.#isText) target.write((sequence >>> 0).toString(16).padStart(8, '0'), at, 'latin1');
    else target.writeUInt32LE(sequence >>> 0, at);
  }

  #frameOf(sequence: number): number {
    const order = this.#order;
    if (order === undefined) return sequence % this.#frameCount;
    return order[sequence % order.length] as number;
  }
}

/** Values are text, as JSON has them so. */
function batchPayload(
  { readings, format }: BatchShape,
  index: number,
  valueBytes: number,
): Uint8Array {
  const content = Array.from({ length: readings }, (_, i) => ({
    key: keyName(index * readings + i),
    value: randomBytes(valueBytes).toString('hex').slice(0, valueBytes),
  }));
  return format === 'json' ? Buffer.from(JSON.stringify(content)) : deviceBatch(content);
}

export function deviceBatch(content: readonly { key: string; value: string }[]): Uint8Array {
  const readings = content.map(({ key, value }) => ({ key, value: Buffer.from(value), timeMs: 0 }));
  return encode(kv.DeviceBatch, { format: 1, readings });
}
