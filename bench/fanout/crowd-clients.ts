import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { PacketType } from '../../broker/frame-encoder.ts';
import { LatencyHistogram } from '../load/latency-histogram.ts';
import { connectFrame } from '../load/load-frames.ts';
import { answerParent } from './load-process.ts';
import { MessageFrames, nowMicros, sentMicrosOf, subscribeFrame } from './messages.ts';

export interface CrowdOptions {
  readonly port: number;
  /** So many more. */
  readonly count: number;
}

export interface Latencies {
  readonly received: number;
  readonly missing: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const CONNECTING_MAX = 50;
const KEEPALIVE_OFFSET = 10;
const KEEPALIVE_SECONDS = 120;
const PINGREQ = Buffer.from([PacketType.pingreq << 4, 0]);
const TOPIC = 'crowd/said';
const PATIENCE_MS = 2_000;
const STEP_MS = 5;

/** The main program of many clients that subscribe to one topic each, and say little; one of them hears all of it. */
class Clients {
  readonly #sockets: Socket[] = [];
  readonly #frames = new MessageFrames({ topic: TOPIC, publisher: 0, qos: 0 });
  readonly #latencies = new LatencyHistogram();
  #next = 0;

  async connect({ port, count }: CrowdOptions): Promise<void> {
    const until = this.#sockets.length + count;
    while (this.#sockets.length < until) {
      const first = this.#sockets.length;
      const some = Array.from({ length: Math.min(CONNECTING_MAX, until - first) }, (_, index) =>
        this.#open(port, first + index),
      );
      this.#sockets.push(...(await Promise.all(some)));
    }
  }

  /** Each of them pings once in a period, evenly over it, as keepalives do. */
  async ping({ periodMs, times }: { periodMs: number; times: number }): Promise<void> {
    const total = this.#sockets.length * times;
    const beganMs = performance.now();
    for (let sent = 0; sent < total; await delay(STEP_MS)) {
      const due = Math.min(total, ((performance.now() - beganMs) / periodMs) * (total / times));
      for (; sent < due; sent += 1) this.#sockets[sent % this.#sockets.length]?.write(PINGREQ);
    }
  }

  async publish({
    perSecond,
    seconds,
  }: {
    perSecond: number;
    seconds: number;
  }): Promise<Latencies> {
    const { frameBytes } = this.#frames;
    const latencies = this.#latencies;
    latencies.reset();
    const total = perSecond * seconds;
    const beganMs = performance.now();
    for (let sent = 0; sent < total; await delay(STEP_MS)) {
      const due = Math.min(total, ((performance.now() - beganMs) / 1_000) * perSecond);
      for (; sent < due; sent += 1) {
        const frame = Buffer.alloc(frameBytes);
        this.#frames.write(frame, 0, sent, nowMicros());
        this.#sockets[this.#next++ % this.#sockets.length]?.write(frame);
      }
    }
    const endsMs = performance.now() + PATIENCE_MS;
    while (latencies.count < total && performance.now() < endsMs) await delay(STEP_MS);
    const { count: received } = latencies;
    const [p50Ms, p99Ms] = [latencies.percentileMs(50), latencies.percentileMs(99)];
    return { received, missing: total - received, p50Ms, p99Ms };
  }

  /** Resolves when it is connected and its subscription is acknowledged. */
  #open(port: number, index: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const frame = connectFrame(`crowd-${process.pid}-${index}`);
      frame.writeUInt16BE(KEEPALIVE_SECONDS, KEEPALIVE_OFFSET);
      socket.on('connect', () => socket.write(frame));
      socket.on('error', reject);
      socket.once('close', () => reject(new Error('one of the crowd was disconnected')));
      socket.once('data', () => {
        socket.write(subscribeFrame(index === 0 ? TOPIC : `crowd/${index}/set`, 0));
        socket.once('data', () => {
          if (index === 0) this.#hear(socket);
          else socket.resume();
          resolve(socket);
        });
      });
    });
  }

  #hear(socket: Socket): void {
    const { frameBytes } = this.#frames;
    let unread = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      const bytes = Buffer.concat([unread, chunk]);
      let start = 0;
      while (start < bytes.length) {
        const isMessage = (bytes[start] as number) >> 4 === PacketType.publish;
        const end = start + (isMessage ? frameBytes : PINGREQ.length);
        if (end > bytes.length) break;
        if (isMessage) this.#latencies.record(nowMicros() - sentMicrosOf(bytes, end));
        start = end;
      }
      unread = bytes.subarray(start);
    });
  }
}

const clients = new Clients();

answerParent({
  connect: (options: CrowdOptions) => clients.connect(options),
  ping: (options: { periodMs: number; times: number }) => clients.ping(options),
  publish: (options: { perSecond: number; seconds: number }) => clients.publish(options),
});
