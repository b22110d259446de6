import { answer } from './answers.ts';
import { writeEach } from './batch.ts';
import type { BrokerContext } from './context.ts';
import type { WriteFailure, WriteSink } from './data-plane.ts';
import { readPublication } from './publication.ts';
import { UNACKNOWLEDGED } from './put-window.ts';

/**
 * Messages to our topics that no socket brought: wills. They go the way of any other PUBLISH (DESIGN §7), but
 * nobody waits for an acknowledgement.
 */
export class Wills implements WriteSink {
  readonly #context: BrokerContext;

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  received(message: { topic: string; payload: Uint8Array; clientId: string }): void {
    const { dataPlane, limits, refusals, counters } = this.#context;
    const topic = Buffer.from(message.topic);
    const buffer = Buffer.concat([topic, message.payload]);
    const range = {
      topicStart: 0,
      topicEnd: topic.length,
      payloadStart: topic.length,
      payloadEnd: buffer.length,
    };
    const publication = readPublication(buffer, range, limits);
    switch (publication.kind) {
      case 'write': {
        const { keyStart, keyEnd, valueStart, valueEnd } = publication;
        counters.puts += 1;
        dataPlane.write(this, UNACKNOWLEDGED, buffer, keyStart, keyEnd, valueStart, valueEnd);
        return;
      }
      case 'batch':
        counters.puts += publication.writes.length;
        writeEach(dataPlane, this, UNACKNOWLEDGED, publication.writes);
        return;
      case 'request':
        this.#answer(publication.request);
        return;
      case 'refused':
        refusals.report(
          { code: publication.code, message: publication.message, topic: message.topic },
          { clientId: message.clientId, address: 'will' },
        );
    }
  }

  close(): void {
    this.#context.dataPlane.forget(this);
  }

  writeCommitted(): void {}

  writeFailed(_token: number, failure: WriteFailure): void {
    this.#context.counters.putsFailed += 1;
    this.#context.env.events.emit({
      level: 'warn',
      name: 'will-not-stored',
      message: `a will was not stored: ${failure}`,
    });
  }

  writesDrained(): void {}

  /** Only an answer with an address of its own can reach anybody. */
  #answer(request: Parameters<typeof answer>[1]): void {
    const { topic } = request.address;
    if (topic === undefined) return;
    answer(this.#context.dataPlane, request).then(
      (reply) => {
        const payload = Buffer.from(JSON.stringify(reply));
        this.#context.sessions.publish({ topic, payload, qos: 0, retain: false });
      },
      () => {},
    );
  }
}
