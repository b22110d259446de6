import { connect } from 'node:net';
import { CpuShare } from './cpu-share.ts';
import { answerParent } from './load-process.ts';
import { Publisher } from './publisher.ts';

export interface PublishersOptions {
  readonly port: number;
  readonly count: number;
  readonly qos: 0 | 1;
  /** The number of the publisher follows. */
  readonly topicPrefix: string;
  /** Of all together: that which not every subscriber has yet. */
  readonly inflight: number;
  /** Where the subscribers say how far all of them are. */
  readonly progressPort: number;
}

export interface PublishersResult {
  /** By publisher. */
  readonly sent: readonly number[];
  readonly cpuShare: number;
}

const COUNT_BYTES = 8;

/** The main program of the publishers' process: as fast as the slowest subscriber, with a window of messages. */
class Publishers {
  readonly #options: PublishersOptions;
  readonly #publishers: Publisher[] = [];
  readonly #cpu = new CpuShare();
  #running = false;
  #received = 0;
  #next = 0;
  #plannedRefill = false;

  constructor(options: PublishersOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { port, count, qos, topicPrefix, progressPort } = this.#options;
    this.#followProgress(progressPort);
    await Promise.all(
      Array.from(
        { length: count },
        (_, index) =>
          new Promise<void>((onConnected, onFailed) => {
            const topic = topicPrefix + String(index).padStart(3, '0');
            const onAcknowledged = () => this.#planRefill();
            const hooks = { onConnected, onAcknowledged, onFailed };
            this.#publishers.push(new Publisher({ port, topic, index, qos, ...hooks }));
          }),
      ),
    );
    this.#running = true;
    this.#refill();
  }

  measure(): void {
    this.#cpu.begin();
  }

  stop(): PublishersResult {
    const cpuShare = this.#cpu.end();
    this.#running = false;
    return { sent: this.#publishers.map((publisher) => publisher.sent), cpuShare };
  }

  #followProgress(progressPort: number): void {
    const progress = connect({ port: progressPort, host: '127.0.0.1', noDelay: true });
    let unread = Buffer.alloc(0);
    progress.on('data', (chunk: Buffer) => {
      const counts = Buffer.concat([unread, chunk]);
      const end = counts.length - (counts.length % COUNT_BYTES);
      unread = counts.subarray(end);
      if (end === 0) return;
      this.#received = counts.readDoubleLE(end - COUNT_BYTES);
      this.#planRefill();
    });
  }

  #planRefill(): void {
    if (this.#plannedRefill) return;
    this.#plannedRefill = true;
    setImmediate(() => {
      this.#plannedRefill = false;
      this.#refill();
    });
  }

  /** In turn, a few of each, so that neither a write per message nor one publisher alone makes up the load. */
  #refill(): void {
    if (!this.#running) return;
    const { inflight } = this.#options;
    const sent = this.#publishers.reduce((sum, publisher) => sum + publisher.sent, 0);
    let room = inflight - Math.max(sent - this.#received, this.#unacknowledged());
    if (room < inflight / 4) return;
    const share = Math.ceil(room / this.#publishers.length);
    while (room > 0) {
      const count = Math.min(share, room);
      this.#publishers[this.#next % this.#publishers.length]?.send(count);
      this.#next += 1;
      room -= count;
    }
  }

  #unacknowledged(): number {
    if (this.#options.qos === 0) return 0;
    return this.#publishers.reduce((sum, { sent, acknowledged }) => sum + sent - acknowledged, 0);
  }
}

let publishers: Publishers | undefined;

answerParent({
  start: (options: PublishersOptions) => {
    publishers = new Publishers(options);
    return publishers.start();
  },
  measure: async () => publishers?.measure(),
  stop: async () => publishers?.stop(),
});
