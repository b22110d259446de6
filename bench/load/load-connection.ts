import { connect, type Socket } from 'node:net';
import { connectFrame } from './load-frames.ts';

/** A raw connection to a broker. What comes after the CONNACK is handed on as it comes. */
export class LoadConnection {
  readonly #socket: Socket;
  readonly #onData: (data: Buffer) => number;
  readonly #onFailed: (error: Error) => void;
  #rest: Buffer | undefined;
  #stopped = false;
  #isConnected = false;
  #onConnected = () => {};

  constructor(options: {
    readonly port: number;
    readonly clientId: string;
    /** Returns how many bytes it has taken; the others come again, with more. */
    readonly onData: (data: Buffer) => number;
    readonly onFailed: (error: Error) => void;
  }) {
    const { port, clientId } = options;
    this.#onData = options.onData;
    this.#onFailed = options.onFailed;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => this.#socket.write(connectFrame(clientId)));
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#onFailed(error));
    this.#socket.on('close', () => {
      if (!this.#stopped) this.#onFailed(new Error(`port ${port} closed a connection`));
    });
  }

  connected(): Promise<void> {
    return new Promise((resolve) => {
      this.#onConnected = resolve;
      if (this.#isConnected) resolve();
    });
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  fail(reason: string): void {
    this.#onFailed(new Error(reason));
  }

  stop(): void {
    this.#stopped = true;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const data = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    const taken = this.#isConnected ? this.#onData(data) : this.#takeConnack(data);
    this.#rest = taken < data.length ? data.subarray(taken) : undefined;
  }

  #takeConnack(data: Buffer): number {
    if (data.length < 4) return 0;
    if (data.length > 4 || data[0] !== 0x20 || data[3] !== 0) {
      this.fail('CONNECT was refused');
      return 0;
    }
    this.#isConnected = true;
    this.#onConnected();
    return 4;
  }
}
