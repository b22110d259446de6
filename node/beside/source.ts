import { zeroCounters } from '../../broker/counters.ts';
import type { DataPlane, WriteFailure } from '../../broker/data-plane.ts';
import { evaluate, type IngestLimits } from '../../broker/ingest-rules/ingest-message.ts';
import { IngestRules } from '../../broker/ingest-rules/rules.ts';
import { KeyFilter } from '../../broker/key-filter.ts';
import { OpenBatches } from '../../broker/open-batches.ts';
import type { Env } from '../env.ts';
import type { ForeignBrokers, ForeignConnection, ForeignMessage } from './foreign-broker.ts';
import { KeptConnection, type Session } from './kept-connection.ts';
import type { LinkProgress, SourceLink } from './link.ts';

/** Messages that are not stored yet; then no more are read. */
const INFLIGHT_MAX = 1_000;

const REASONS: Readonly<Record<WriteFailure, string>> = {
  'no-quorum': 'the cluster has no quorum for what it sent, and takes it again later',
  'storage-full': 'the storage is full, and what it sent is taken again later',
  stopping: 'this node is stopping',
};

export interface SourceOptions {
  readonly env: Env;
  readonly brokers: ForeignBrokers;
  readonly link: SourceLink;
  readonly clientId: string;
  readonly dataPlane: DataPlane;
  readonly limits: IngestLimits;
}

/**
 * Stores what another broker has. A message is acknowledged to that broker when it is committed here, and the session
 * is kept there: whatever is not acknowledged comes again, to this node or to the next one that holds the source.
 */
export class Source {
  readonly #options: SourceOptions;
  readonly #rules: IngestRules;
  readonly #kept: KeptConnection;
  #messages = 0;
  #ignored = 0;

  constructor(options: SourceOptions) {
    this.#options = options;
    const { link, clientId } = options;
    this.#rules = new IngestRules(link.rules);
    this.#kept = new KeptConnection({
      ...options,
      connection: {
        clientId,
        session: 'kept',
        filters: subscriptionsOf(link.rules.map(({ filter }) => filter)),
        inflightMax: INFLIGHT_MAX,
      },
      begin: (connection) => this.#begin(connection),
    });
  }

  get progress(): LinkProgress {
    const { isConnected, error } = this.#kept;
    return {
      connected: isConnected,
      messages: this.#messages,
      ignored: this.#ignored,
      error,
    };
  }

  start(): void {
    this.#kept.start();
  }

  stop(): void {
    this.#kept.stop();
  }

  #begin(connection: ForeignConnection): Session {
    const { dataPlane } = this.#options;
    return new Intake({
      connection,
      dataPlane,
      writesOf: (message) => this.#writesOf(message),
      taken: () => {
        this.#messages += 1;
      },
      failed: (failure) => this.#kept.fail(REASONS[failure]),
    });
  }

  /** Nothing for what no rule makes a value of: that will not change when it comes again. */
  #writesOf({ topic, payload }: ForeignMessage) {
    const { env, limits } = this.#options;
    const rule = this.#rules.match(topic);
    const message = { topic, payload, receivedAtMs: env.clock.nowMs() };
    const evaluation = rule === undefined ? undefined : evaluate(rule, message, limits);
    if (evaluation?.kind === 'writes') return evaluation.writes;
    this.#ignored += 1;
    return [];
  }
}

/**
 * Without those that another one covers: a broker may send a message once for each filter. `#` does not cover what
 * begins with a dollar (MQTT 3.1.1 §4.7.2).
 */
function subscriptionsOf(filters: readonly string[]): string[] {
  const distinct = [...new Set(filters)];
  return distinct.filter((filter) => {
    const covering = (other: string) =>
      other !== filter && new KeyFilter(other).covers(new KeyFilter(filter));
    return filter.startsWith('$') || !distinct.some(covering);
  });
}

interface IntakeOptions {
  readonly connection: ForeignConnection;
  readonly dataPlane: DataPlane;
  readonly writesOf: (message: ForeignMessage) => Parameters<OpenBatches['write']>[0];
  readonly taken: () => void;
  readonly failed: (failure: WriteFailure) => void;
}

/**
 * The messages of one connection, from their arrival to their acknowledgement.
 *
 * Invariant: acknowledged is always a beginning of what has arrived. So if one fails, the other broker sends it and
 * all after it again, in order, and what was stored last of a key is what was published last.
 */
class Intake implements Session {
  readonly #options: IntakeOptions;
  readonly #batches: OpenBatches;
  readonly #waiting: { readonly packetId: number | undefined; isStored: boolean }[] = [];
  #hasRoom = true;
  #isHeld = false;
  #hasEnded = false;

  constructor(options: IntakeOptions) {
    const { dataPlane } = options;
    this.#options = options;
    this.#batches = new OpenBatches({ dataPlane, counters: zeroCounters() }, () => {
      this.#hasRoom = true;
      this.#holdOrNot();
    });
  }

  connected(): void {}

  message(message: ForeignMessage): void {
    const waiting = { packetId: message.packetId, isStored: false };
    this.#waiting.push(waiting);
    this.#hasRoom = this.#batches.write(this.#options.writesOf(message), 0, {
      committed: () => {
        waiting.isStored = true;
        this.#acknowledge();
      },
      failed: (failure) => {
        if (!this.#hasEnded) this.#options.failed(failure);
      },
    });
    this.#holdOrNot();
  }

  ended(): void {
    this.#hasEnded = true;
    this.#batches.forget();
  }

  #acknowledge(): void {
    if (this.#hasEnded) return;
    const { connection, taken } = this.#options;
    while (this.#waiting[0]?.isStored) {
      const { packetId } = this.#waiting.shift() ?? {};
      taken();
      if (packetId !== undefined) connection.acknowledge(packetId);
    }
    this.#holdOrNot();
  }

  #holdOrNot(): void {
    const isHeld = !this.#hasRoom || this.#waiting.length >= INFLIGHT_MAX;
    if (isHeld === this.#isHeld || this.#hasEnded) return;
    this.#isHeld = isHeld;
    this.#options.connection.hold(isHeld);
  }
}
