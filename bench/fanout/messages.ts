import { encodePublish, PacketType, type PublishFrame } from '../../broker/frame-encoder.ts';

/** What a message of the bench says: who has published it, as which of its messages, and when. */
export const PAYLOAD_BYTES = 64;
const SEQUENCE_OFFSET = 4;
const SENT_OFFSET = 8;
const NO_PREFIX = new Uint8Array(0);

/** The clock that all processes of a machine share (CLOCK_MONOTONIC). */
export function nowMicros(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}

/** The messages of one publisher: sending one is a copy and some patched bytes. */
export class MessageFrames {
  readonly frameBytes: number;
  readonly #frame: PublishFrame;
  readonly #payloadOffset: number;

  constructor(options: { topic: string; publisher: number; qos: 0 | 1 }) {
    const { topic, publisher, qos } = options;
    const payload = Buffer.alloc(PAYLOAD_BYTES, '.');
    payload.writeUInt32LE(publisher, 0);
    this.#frame = encodePublish(NO_PREFIX, Buffer.from(topic), payload, { qos, retain: false });
    this.frameBytes = this.#frame.bytes.length;
    this.#payloadOffset = this.frameBytes - PAYLOAD_BYTES;
  }

  write(target: Buffer, offset: number, sequence: number, sentMicros: number): void {
    const { bytes, packetIdOffset } = this.#frame;
    target.set(bytes, offset);
    if (packetIdOffset > 0) target.writeUInt16BE(1 + (sequence % 0xffff), offset + packetIdOffset);
    const payload = offset + this.#payloadOffset;
    target.writeUInt32LE(sequence, payload + SEQUENCE_OFFSET);
    target.writeDoubleLE(sentMicros, payload + SENT_OFFSET);
  }
}

/** A message as it arrived: `end` is where its payload ends. */
export function publisherOf(buffer: Buffer, end: number): number {
  return buffer.readUInt32LE(end - PAYLOAD_BYTES);
}

export function sequenceOf(buffer: Buffer, end: number): number {
  return buffer.readUInt32LE(end - PAYLOAD_BYTES + SEQUENCE_OFFSET);
}

export function sentMicrosOf(buffer: Buffer, end: number): number {
  return buffer.readDoubleLE(end - PAYLOAD_BYTES + SENT_OFFSET);
}

export function subscribeFrame(filter: string, qos: 0 | 1): Buffer {
  const text = Buffer.from(filter);
  const head = [(PacketType.subscribe << 4) | 0b0010, 5 + text.length, 0, 1, 0, text.length];
  return Buffer.concat([Buffer.from(head), text, Buffer.from([qos])]);
}
