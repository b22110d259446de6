import { connect, type Socket } from 'node:net';
import { connectFrame } from '../../../bench/load-frames.ts';

/**
 * A client like PubSubClient on an ESP32: a QoS 1 PUBLISH that is not acknowledged is sent again each
 * second on the same connection, with DUP and the same packet id ([MQTT-3.3.1-1]).
 */
export class ResendingClient {
  readonly #socket: Socket;
  readonly #pending = new Map<number, () => void>();
  #lastId = 0;
  #resends = 0;
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', () => {});
  }

  static async connect(port: number, clientId: string): Promise<ResendingClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.write(connectFrame(clientId));
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

  /** Resolves at the PUBACK; rejects when the connection is closed before. */
  put(topic: string, payload: string): Promise<void> {
    this.#lastId = (this.#lastId % 65_535) + 1;
    const id = this.#lastId;
    this.#socket.write(publishFrame(topic, payload, id, false));
    return new Promise((resolve, reject) => {
      const onClose = (): void => finish(() => reject(new Error('the connection was closed')));
      const timer = setInterval(() => {
        this.#resends += 1;
        this.#socket.write(publishFrame(topic, payload, id, true));
      }, 1000);
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
      if (this.#rest[0] === 0x40) this.#pending.get(this.#rest.readUInt16BE(2))?.();
    }
  }
}

function publishFrame(topic: string, payload: string, id: number, duplicate: boolean): Buffer {
  const body = Buffer.concat([
    Buffer.from([0, Buffer.byteLength(topic)]),
    Buffer.from(topic),
    Buffer.from([id >> 8, id & 0xff]),
    Buffer.from(payload),
  ]);
  if (body.length > 127) throw new Error('only short messages here');
  return Buffer.concat([Buffer.from([duplicate ? 0x3a : 0x32, body.length]), body]);
}
