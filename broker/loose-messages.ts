import type { Access } from './access.ts';
import type { BatchWrite } from './batch.ts';
import type { BrokerContext } from './context.ts';
import type { WriteFailure } from './data-plane.ts';
import { OpenBatches } from './open-batches.ts';
import { UNACKNOWLEDGED } from './put-window.ts';
import { storageFull } from './refusals.ts';
import type { PublishedMessage } from './sessions.ts';

/** On whose behalf something is published that no socket brought. */
export interface Sender {
  readonly clientId: string;
  readonly address: string;
  readonly access: Access;
}

type Parts = Pick<
  BrokerContext,
  'env' | 'dataPlane' | 'clients' | 'ingestRules' | 'refusals' | 'counters'
>;

/** What is published or written without anybody who waits for an acknowledgement: wills, answers on topics. */
export class LooseMessages {
  readonly #parts: Parts;
  readonly #batches: OpenBatches;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#batches = new OpenBatches(parts);
  }

  /** Publishes to an ordinary topic that the sender may write to. */
  publish(message: PublishedMessage, sender: Sender): void {
    if (this.mayLeave(message, sender)) this.#parts.clients.publish(message, sender.clientId);
  }

  /**
   * Stores what an ingest rule makes of a message to an ordinary topic. Returns whether the message may be
   * delivered: what the rule stores where the sender may not write is reported, and goes nowhere.
   */
  mayLeave(message: Pick<PublishedMessage, 'topic' | 'payload'>, sender: Sender): boolean {
    const { ingestRules, env, refusals } = this.#parts;
    if (ingestRules.current.isEmpty) return true;
    const { topic, payload } = message;
    const received = { topic, payload, receivedAtMs: env.clock.nowMs() };
    const outcome = ingestRules.apply(received, sender.access);
    if (outcome.kind === 'forbidden') {
      refusals.report({ ...outcome.why, topic }, sender, 'PUBLISH');
      return false;
    }
    if (outcome.kind === 'writes') this.write(outcome.writes, topic, sender);
    return true;
  }

  /** `topic` is what they were published to. */
  write(writes: readonly BatchWrite[], topic: string, sender: Sender): void {
    this.#batches.write(writes, UNACKNOWLEDGED, {
      committed: () => {},
      failed: (failure) => this.failed(failure, topic, sender),
    });
  }

  failed(failure: WriteFailure, topic: string, sender: Sender): void {
    const { counters, env, refusals } = this.#parts;
    counters.putsFailed += 1;
    env.events.emit({
      level: 'warn',
      name: 'message-not-stored',
      message: `a message that ${sender.clientId} left to ${topic} was not stored: ${failure}`,
    });
    if (failure === 'storage-full') refusals.report(storageFull({ topic }), sender, 'PUBLISH');
  }

  close(): void {
    this.#batches.forget();
  }
}
