import { randomFillSync } from 'node:crypto';

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
    const topicBytes = Buffer.byteLength(topicPrefix) + 6;
    const length = encodeLength(2 + topicBytes + 2 + valueBytes);
    const topicOffset = 1 + length.length + 2;
    this.frameBytes = topicOffset + topicBytes + 2 + valueBytes;
    this.#idOffset = topicOffset + topicBytes;
    this.#valueOffset = this.#idOffset + 2;
    this.#keyCount = keys;
    this.#frames = Buffer.alloc(this.frameBytes * keys);
    for (let key = 0; key < keys; key += 1) {
      const frame = this.#frames.subarray(key * this.frameBytes, (key + 1) * this.frameBytes);
      frame[0] = 0x32;
      length.copy(frame, 1);
      frame.writeUInt16BE(topicBytes, topicOffset - 2);
      frame.write(topicPrefix + String(key).padStart(6, '0'), topicOffset);
      randomFillSync(frame, this.#valueOffset);
    }
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

function encodeLength(length: number): Buffer {
  const bytes: number[] = [];
  let rest = length;
  do {
    const more = rest > 127 ? 0x80 : 0;
    bytes.push((rest & 0x7f) | more);
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}
