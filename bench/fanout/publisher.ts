import { connect, type Socket } from 'node:net';
import { connectFrame } from '../load/load-frames.ts';
import { MessageFrames, nowMicros } from './messages.ts';

const ACK_BYTES = 4;

/** A connection that publishes as much as it is told to. */
export class Publisher {
  /** So many messages were sent; the next one has this number. */
  sent = 0;
  /** At QoS 1, so many PUBACKs came. */
  acknowledged = 0;
  readonly #frames: MessageFrames;
  readonly #socket: Socket;
  readonly #onAcknowledged: () => void;
  #unread = 0;
  #stopped = false;

  constructor(options: {
    port: number;
    topic: string;
    index: number;
    qos: 0 | 1;
    onConnected: () => void;
    onAcknowledged: () => void;
    onFailed: (error: Error) => void;
  }) {
    const { port, topic, index, qos, onConnected, onFailed } = options;
    this.#frames = new MessageFrames({ topic, publisher: index, qos });
    this.#onAcknowledged = options.onAcknowledged;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => {
      this.#socket.write(connectFrame(`publisher-${process.pid}-${index}`));
    });
    this.#socket.once('data', (connack: Buffer) => {
      if (connack.length !== 4 || connack[3] !== 0) onFailed(new Error('CONNECT was refused'));
      this.#socket.on('data', (acks: Buffer) => this.#received(acks));
      onConnected();
    });
    this.#socket.on('error', onFailed);
    this.#socket.on('close', () => {
      if (!this.#stopped) onFailed(new Error('a publisher was disconnected'));
    });
  }

  /** Sends the next messages in one write. */
  send(count: number): void {
    const { frameBytes } = this.#frames;
    const output = Buffer.allocUnsafe(count * frameBytes);
    const sentMicros = nowMicros();
    for (let index = 0; index < count; index += 1) {
      this.#frames.write(output, index * frameBytes, this.sent, sentMicros);
      this.sent += 1;
    }
    this.#socket.write(output);
  }

  stop(): void {
    this.#stopped = true;
    this.#socket.destroy();
  }

  #received(acks: Buffer): void {
    const bytes = this.#unread + acks.length;
    this.acknowledged += Math.floor(bytes / ACK_BYTES);
    this.#unread = bytes % ACK_BYTES;
    this.#onAcknowledged();
  }
}
