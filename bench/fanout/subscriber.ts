import { connect, type Socket } from 'node:net';
import { PacketType } from '../../broker/frame-encoder.ts';
import type { LatencyHistogram } from '../load/latency-histogram.ts';
import { connectFrame } from '../load/load-frames.ts';
import { nowMicros, publisherOf, sentMicrosOf, sequenceOf, subscribeFrame } from './messages.ts';

const RETAIN = 0b0001;
const QOS = 0b0110;
const PUBACK = PacketType.puback << 4;
/** All sockets read into this one: what is read is dealt with before the next read begins. */
const INPUT = Buffer.allocUnsafe(256 * 1024);

/** What all subscribers together have got. */
export interface Received {
  readonly latencies: LatencyHistogram;
  /** Later than a later one of the same publisher, or again. */
  outOfOrder: number;
  /** Never came although a later one of the same publisher did. */
  missing: number;
}

/** A connection that checks that it gets every message of every publisher, in order. */
export class Subscriber {
  /** So many messages have come, or will not come any more. */
  position = 0;
  readonly #socket: Socket;
  readonly #received: Received;
  readonly #onReceived: () => void;
  readonly #onSubscribed: () => void;
  readonly #onFailed: (error: Error) => void;
  /** By publisher. */
  readonly #next: Uint32Array;
  #rest: Buffer | undefined;
  #acks: Buffer = Buffer.alloc(0);
  #ackBytes = 0;
  #stopped = false;

  constructor(options: {
    port: number;
    index: number;
    filter: string;
    qos: 0 | 1;
    publishers: number;
    received: Received;
    onReceived: () => void;
    onSubscribed: () => void;
    onFailed: (error: Error) => void;
  }) {
    const { port, index, filter, qos, publishers } = options;
    this.#next = new Uint32Array(publishers);
    this.#received = options.received;
    this.#onReceived = options.onReceived;
    this.#onSubscribed = options.onSubscribed;
    this.#onFailed = options.onFailed;
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: INPUT,
        callback: (bytes, buffer) => {
          this.#read((buffer as Buffer).subarray(0, bytes));
          return true;
        },
      },
    });
    this.#socket.on('connect', () => {
      const hello = connectFrame(`subscriber-${process.pid}-${index}`);
      this.#socket.write(Buffer.concat([hello, subscribeFrame(filter, qos)]));
    });
    this.#socket.on('error', options.onFailed);
    this.#socket.on('close', () => {
      if (!this.#stopped) options.onFailed(new Error('a subscriber was disconnected'));
    });
  }

  /** Messages that are not there although nothing more comes. */
  lacking(sent: readonly number[]): number {
    return sent.reduce((sum, count, index) => sum + count - (this.#next[index] ?? 0), 0);
  }

  stop(): void {
    this.#stopped = true;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const data = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    const now = nowMicros();
    let start = 0;
    for (;;) {
      const bodyStart = bodyOf(data, start);
      const end = bodyStart < 0 ? -1 : bodyStart + bodyLength(data, start);
      if (end < 0 || end > data.length) break;
      this.#packet(data, { start, bodyStart, end }, now);
      start = end;
    }
    if (start < data.length) this.#rest = Buffer.from(data.subarray(start));
    if (this.#ackBytes > 0) this.#socket.write(this.#acks.subarray(0, this.#ackBytes));
    if (this.#ackBytes > 0) this.#acks = Buffer.alloc(0);
    this.#ackBytes = 0;
    this.#onReceived();
  }

  #packet(
    data: Buffer,
    { start, bodyStart, end }: { start: number; bodyStart: number; end: number },
    now: number,
  ): void {
    const header = data[start] as number;
    const type = header >> 4;
    if (type === PacketType.publish) {
      if ((header & QOS) !== 0) this.#acknowledge(data, bodyStart);
      if ((header & RETAIN) === 0) this.#message(data, end, now);
    } else if (type === PacketType.suback) {
      if ((data[end - 1] as number) > 1) this.#onFailed(new Error('SUBSCRIBE was refused'));
      this.#onSubscribed();
    } else if (type !== PacketType.connack || data[end - 1] !== 0) {
      this.#onFailed(new Error(`a packet of type ${type}`));
    }
  }

  #message(data: Buffer, end: number, now: number): void {
    const received = this.#received;
    const publisher = publisherOf(data, end);
    const sequence = sequenceOf(data, end);
    const expected = this.#next[publisher] as number;
    if (sequence < expected) {
      received.outOfOrder += 1;
      return;
    }
    received.missing += sequence - expected;
    received.latencies.record(now - sentMicrosOf(data, end));
    this.position += sequence + 1 - expected;
    this.#next[publisher] = sequence + 1;
  }

  #acknowledge(data: Buffer, bodyStart: number): void {
    const idOffset = bodyStart + 2 + data.readUInt16BE(bodyStart);
    if (this.#ackBytes === this.#acks.length) {
      const grown = Buffer.allocUnsafe(Math.max(64, 2 * this.#acks.length));
      this.#acks.copy(grown);
      this.#acks = grown;
    }
    this.#acks[this.#ackBytes] = PUBACK;
    this.#acks[this.#ackBytes + 1] = 2;
    this.#acks[this.#ackBytes + 2] = data[idOffset] as number;
    this.#acks[this.#ackBytes + 3] = data[idOffset + 1] as number;
    this.#ackBytes += 4;
  }
}

/** Where the body of the packet begins that begins at `start`; -1: that cannot be seen yet. Lengths have two bytes at most. */
function bodyOf(data: Buffer, start: number): number {
  if (start + 2 > data.length) return -1;
  if ((data[start + 1] as number) < 0x80) return start + 2;
  return start + 3 > data.length ? -1 : start + 3;
}

function bodyLength(data: Buffer, start: number): number {
  const low = data[start + 1] as number;
  return low < 0x80 ? low : (low & 0x7f) + 128 * (data[start + 2] as number);
}
