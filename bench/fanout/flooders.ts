import { connect, type Socket } from 'node:net';
import { encodePublish } from '../../broker/frame-encoder.ts';
import { connectFrame } from '../load/load-frames.ts';
import { CpuShare } from './cpu-share.ts';
import { answerParent } from './load-process.ts';
import { PAYLOAD_BYTES, subscribeFrame } from './messages.ts';

export interface FloodOptions {
  readonly port: number;
  readonly clients: number;
}

export interface FloodResult {
  /** That the broker has taken from the sockets. */
  readonly perSecond: number;
  readonly cpuShare: number;
}

const TOPIC = 'flood/all';
const FRAMES_PER_WRITE = 500;

/** The main program of clients that publish at QoS 0 as fast as their sockets take it; another one gets all that. */
class Flooders {
  readonly #sockets: Socket[] = [];
  readonly #cpu = new CpuShare();
  readonly #frames: Buffer;
  readonly #frameBytes: number;
  #sinceMs = 0;
  #bytesBefore = 0;

  constructor() {
    const payload = Buffer.alloc(PAYLOAD_BYTES, '.');
    const flags = { qos: 0, retain: false } as const;
    const { bytes } = encodePublish(new Uint8Array(0), Buffer.from(TOPIC), payload, flags);
    this.#frameBytes = bytes.length;
    this.#frames = Buffer.concat(Array.from({ length: FRAMES_PER_WRITE }, () => bytes));
  }

  async start({ port, clients }: FloodOptions): Promise<void> {
    const subscriber = await open(port, `flooded-${process.pid}`);
    subscriber.write(subscribeFrame(TOPIC, 0));
    subscriber.resume();
    for (let index = 0; index < clients; index += 1) {
      const socket = await open(port, `flooder-${process.pid}-${index}`);
      this.#sockets.push(socket);
      socket.on('drain', () => this.#fill(socket));
    }
    for (const socket of this.#sockets) this.#fill(socket);
  }

  measure(): void {
    this.#cpu.begin();
    this.#sinceMs = performance.now();
    this.#bytesBefore = this.#bytes();
  }

  async result(): Promise<FloodResult> {
    const seconds = (performance.now() - this.#sinceMs) / 1000;
    const bytes = this.#bytes() - this.#bytesBefore;
    return { perSecond: bytes / this.#frameBytes / seconds, cpuShare: this.#cpu.end() };
  }

  #fill(socket: Socket): void {
    while (socket.write(this.#frames));
  }

  #bytes(): number {
    return this.#sockets.reduce(
      (sum, socket) => sum + socket.bytesWritten - socket.writableLength,
      0,
    );
  }
}

function open(port: number, clientId: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('connect', () => socket.write(connectFrame(clientId)));
    socket.once('data', () => resolve(socket));
    socket.on('error', reject);
  });
}

const flooders = new Flooders();

answerParent({
  start: (options: FloodOptions) => flooders.start(options),
  measure: async () => flooders.measure(),
  result: () => flooders.result(),
});
