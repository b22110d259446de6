import type { BrokerContext } from './context.ts';
import type { Refusal, RefusedClient } from './refusals.ts';
import { TokenBucket } from './token-bucket.ts';

/** A pause is no shorter, lest a fast client is paused for each message; what it missed meanwhile it may send then. */
const PAUSE_MS_MIN = 20;

interface Publisher extends RefusedClient {
  /** Nothing more is to be read for so long. */
  pause(pauseMs: number): void;
}

/** It is not a matter of a moment: the connection is to end. */
type FarOver = (refusal: Refusal) => void;

/**
 * How fast one client may publish: messages, and bytes of whole packets. Who is over it is read no faster; the network
 * holds back the rest, and nothing is lost.
 */
export class PublishRate {
  readonly #context: BrokerContext;
  readonly #publisher: Publisher;
  readonly #farOver: FarOver;
  readonly #messages: TokenBucket | undefined;
  readonly #bytes: TokenBucket | undefined;

  private constructor(context: BrokerContext, publisher: Publisher, farOver: FarOver) {
    const { publishesPerSecond, publishBytesPerSecond, publishBurstSeconds } = context.limits;
    const nowMs = context.env.clock.monotonicMs();
    const bucket = (perSecond: number) =>
      perSecond === 0
        ? undefined
        : new TokenBucket({ perSecond, burstSeconds: publishBurstSeconds, nowMs });
    this.#context = context;
    this.#publisher = publisher;
    this.#farOver = farOver;
    this.#messages = bucket(publishesPerSecond);
    this.#bytes = bucket(publishBytesPerSecond);
  }

  /** Undefined: as fast as it likes. */
  static of(
    context: BrokerContext,
    publisher: Publisher,
    farOver: FarOver,
  ): PublishRate | undefined {
    const { publishesPerSecond, publishBytesPerSecond } = context.limits;
    if (publishesPerSecond === 0 && publishBytesPerSecond === 0) return undefined;
    return new PublishRate(context, publisher, farOver);
  }

  /** A PUBLISH has come, and counts. Returns whether it is taken. */
  takes(packetBytes: number, nowMs: number): boolean {
    const overMs = Math.max(
      this.#messages?.spend(1, nowMs) ?? 0,
      this.#bytes?.spend(packetBytes, nowMs) ?? 0,
    );
    if (overMs === 0) return true;
    if (overMs > this.#context.limits.publishPauseMsMax) {
      const seconds = Math.ceil(overMs / 1_000);
      const message = `what this client has published is ${seconds} s ahead of what it may`;
      this.#farOver({ code: 'TOO_MANY_PUBLISHES', message });
      return false;
    }
    this.#publisher.pause(Math.max(overMs, PAUSE_MS_MIN));
    this.#report();
    return true;
  }

  #report(): void {
    const { counters, pauseWarning } = this.#context;
    const { clientId, address } = this.#publisher;
    counters.publishPauses += 1;
    pauseWarning.warn((alsoPaused) => ({
      name: 'publisher-paused',
      message: `${clientId} publishes faster than it may, and is read no faster than that`,
      data: { client: clientId, address, alsoPaused },
    }));
  }
}
