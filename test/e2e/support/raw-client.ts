import { connect, type Socket } from 'node:net';
import * as frames from '../../support/mqtt-frames.ts';

/** Sooner than an ESP32's second: a new leader is there within a few tenths of one. */
const RESEND_MS = 40;

/**
 * A client like those on an ESP32: a QoS 1 PUBLISH that is not acknowledged is sent again on the same
 * connection, with DUP and the same packet id ([MQTT-3.3.1-1]). Theirs wait a second; this one is less
 * patient, so that it happens during a fail-over of half a second, too.
 */
export class ResendingClient {
  readonly #socket: Socket;
  readonly #pending = new Map<number, () => void>();
  /** By packet id, from 1 on. */
  readonly #acknowledged: number[] = [];
  #resends = 0;
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', () => {});
  }

  static async connect(port: number, clientId: string): Promise<ResendingClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.write(frames.connect({ clientId }));
    await new Promise<void>((resolve, reject) => {
      socket.once('data', (data) =>
        data[3] === 0 ? resolve() : reject(new Error(`CONNACK ${data[3]}`)),
      );
      socket.once('error', reject);
    });
    return new ResendingClient(socket);
  }

  /** How often something had to be sent again. */
  get resends(): number {
    return this.#resends;
  }

  /** The PUBACKs of each put, in the order of the puts. */
  get acknowledged(): readonly number[] {
    return this.#acknowledged;
  }

  /** Resolves at the PUBACK; rejects when the connection is closed before. */
  put(topic: string, payload: string): Promise<void> {
    const id = this.#acknowledged.push(0);
    this.#socket.write(frames.publish(topic, payload, { qos: 1, id }));
    return new Promise((resolve, reject) => {
      const onClose = (): void => finish(() => reject(new Error('the connection was closed')));
      const timer = setInterval(() => {
        this.#resends += 1;
        this.#socket.write(frames.publish(topic, payload, { qos: 1, id, dup: true }));
      }, RESEND_MS);
      const finish = (settle: () => void): void => {
        clearInterval(timer);
        this.#socket.off('close', onClose);
        this.#pending.delete(id);
        settle();
      };
      this.#socket.once('close', onClose);
      this.#pending.set(id, () => finish(resolve));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (; this.#rest.length >= 4; this.#rest = this.#rest.subarray(4)) {
      if (this.#rest[0] !== 0x40) continue;
      const id = this.#rest.readUInt16BE(2);
      this.#acknowledged[id - 1] = (this.#acknowledged[id - 1] ?? 0) + 1;
      this.#pending.get(id)?.();
    }
  }
}
