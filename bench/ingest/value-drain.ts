import { PacketType } from '../../broker/frame-encoder.ts';
import { answerParent } from '../fanout/load-process.ts';
import { LoadConnection } from '../load/load-connection.ts';

export interface DrainOptions {
  /** Connections are spread over them in turn. */
  readonly ports: readonly number[];
  readonly connections: number;
  readonly filters: readonly string[];
}

export interface DrainResult {
  readonly deliveriesPerSecond: number;
}

/** The main program of the process that subscribes to many filters and throws away what comes. */
class Drain {
  #deliveries = 0;
  #sinceMs = 0;

  /** Resolves when every subscription is granted. */
  async start({ ports, connections, filters }: DrainOptions): Promise<void> {
    const subscribed = Array.from({ length: connections }, (_, index) => {
      const share = filters.filter((_, filter) => filter % connections === index);
      return this.#subscribe(ports[index % ports.length] as number, index, share);
    });
    await Promise.all(subscribed);
  }

  measure(): void {
    this.#deliveries = 0;
    this.#sinceMs = performance.now();
  }

  result(): DrainResult {
    const seconds = (performance.now() - this.#sinceMs) / 1000;
    return { deliveriesPerSecond: this.#deliveries / seconds };
  }

  #subscribe(port: number, index: number, filters: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      let granted = 0;
      const connection = new LoadConnection({
        port,
        clientId: `drain-${process.pid}-${index}`,
        onFailed: reject,
        onData: (data) =>
          eachPacket(data, (type) => {
            if (type === PacketType.publish) this.#deliveries += 1;
            if (type !== PacketType.suback) return;
            granted += 1;
            if (granted === filters.length) resolve();
          }),
      });
      void connection.connected().then(() => {
        for (const [id, filter] of filters.entries()) connection.write(subscribe(id + 1, filter));
      });
    });
  }
}

/** Calls back for each whole packet; returns where the last of them ends. */
function eachPacket(data: Buffer, onPacket: (type: number) => void): number {
  for (let start = 0; ; ) {
    let bodyStart = start + 1;
    let bodyBytes = 0;
    for (let shift = 0; ; shift += 7, bodyStart += 1) {
      if (bodyStart >= data.length) return start;
      const byte = data[bodyStart] as number;
      bodyBytes += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const end = bodyStart + 1 + bodyBytes;
    if (end > data.length) return start;
    onPacket((data[start] as number) >> 4);
    start = end;
  }
}

/** A SUBSCRIBE for one filter at QoS 0. */
function subscribe(packetId: number, filter: string): Buffer {
  const text = Buffer.from(filter);
  const head = [(PacketType.subscribe << 4) | 0b0010, 5 + text.length];
  const ids = [packetId >> 8, packetId & 0xff, 0, text.length];
  return Buffer.concat([Buffer.from([...head, ...ids]), text, Buffer.from([0])]);
}

const drain = new Drain();

answerParent({
  start: (options: DrainOptions) => drain.start(options),
  measure: async () => drain.measure(),
  result: async () => drain.result(),
});
