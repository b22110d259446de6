import { randomBytes } from 'node:crypto';
import { encodePublish, type PublishFrame } from '../broker/frame-encoder.ts';

const NO_PREFIX = new Uint8Array(0);

/** MQTT 3.1.1 CONNECT, clean session, no keepalive. */
export function connectFrame(clientId: string): Buffer {
  const id = Buffer.from(clientId);
  const header = Buffer.from([0x10, 12 + id.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0]);
  return Buffer.concat([header, Buffer.from([0, id.length]), id]);
}

/**
 * One QoS 1 PUBLISH for each key, encoded beforehand and all of the same size: sending one is a copy and
 * four patched bytes.
 */
export class PublishFrames {
  readonly frameBytes: number;
  readonly #frames: Buffer;
  readonly #idOffset: number;
  readonly #valueOffset: number;
  readonly #keyCount: number;

  constructor(options: { topicPrefix: string; keys: number; valueBytes: number }) {
    const { topicPrefix, keys, valueBytes } = options;
    const frames = Array.from({ length: keys }, (_, key) => {
      const topic = Buffer.from(topicPrefix + String(key).padStart(6, '0'));
      return encodePublish(NO_PREFIX, topic, randomBytes(valueBytes), { qos: 1, retain: false });
    });
    const { bytes, packetIdOffset } = frames[0] as PublishFrame;
    this.frameBytes = bytes.length;
    this.#idOffset = packetIdOffset;
    this.#valueOffset = packetIdOffset + 2;
    this.#keyCount = keys;
    this.#frames = Buffer.concat(frames.map((frame) => frame.bytes));
  }

  /** Writes the message for the `sequence`-th put to `target`; the value differs from the last one. */
  write(target: Buffer, offset: number, sequence: number, packetId: number): void {
    const start = (sequence % this.#keyCount) * this.frameBytes;
    this.#frames.copy(target, offset, start, start + this.frameBytes);
    target[offset + this.#idOffset] = packetId >>> 8;
    target[offset + this.#idOffset + 1] = packetId & 0xff;
    target.writeUInt32LE(sequence >>> 0, offset + this.#valueOffset);
  }
}
