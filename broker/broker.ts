import type { Duplex } from 'node:stream';
import type { BrokerContext } from './context.ts';
import { type Counters, zeroCounters } from './counters.ts';
import type { ClusterDoor, DataPlane } from './data-plane.ts';
import { EndOfTurn } from './end-of-turn.ts';
import type { BrokerEnv } from './env.ts';
import { Front } from './front.ts';
import { type BrokerLimits, DEFAULT_LIMITS } from './limits.ts';
import { ReceivedIds } from './received-ids.ts';
import { type RefusalCode, Refusals } from './refusals.ts';
import type { SessionEvents, Sessions } from './sessions.ts';
import { ValueFrames } from './value-frames.ts';
import { Wills } from './wills.ts';

export interface BrokerOptions {
  readonly env: BrokerEnv;
  readonly dataPlane: DataPlane;
  readonly clusterDoor: ClusterDoor;
  /** As in `dss/sys/refused/<nodeName>`. */
  readonly nodeName: string;
  readonly limits?: Partial<BrokerLimits>;
  readonly onInvalid: 'ack' | 'close';
  /** Ordinary MQTT: aedes in production (`aedes.ts`), which cannot be simulated. */
  readonly createSessions: (events: SessionEvents) => Sessions;
}

export interface BrokerCounters extends Readonly<Counters> {
  readonly refused: Readonly<Partial<Record<RefusalCode, number>>>;
}

/** One node's MQTT front door: connections in, calls on the data plane out. */
export class Broker {
  readonly #context: BrokerContext;
  readonly #wills: Wills;
  readonly #fronts = new Set<Front>();
  #state: 'new' | 'started' | 'closing' | 'closed' = 'new';
  #allGone: (() => void) | undefined;

  constructor(options: BrokerOptions) {
    const { env, dataPlane, clusterDoor, onInvalid, createSessions } = options;
    const refusals = new Refusals(env, (recent) =>
      this.publishSystem(`refused/${options.nodeName}`, recent),
    );
    this.#context = {
      env,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      onInvalid,
      dataPlane,
      clusterDoor,
      sessions: createSessions({
        ourMessage: (message) => this.#wills.received(message),
        failed: (error) => this.#sessionsFailed(error),
      }),
      refusals,
      counters: zeroCounters(),
      frames: new ValueFrames(),
      endOfTurn: new EndOfTurn(env),
      receivedIds: new ReceivedIds(),
    };
    this.#wills = new Wills(this.#context);
  }

  async start(): Promise<void> {
    await this.#context.sessions.start();
    this.#state = 'started';
  }

  /** Takes over one connection: a TCP socket or anything like it. It should allow half-open. */
  handle(stream: Duplex, remoteAddress: string): void {
    if (this.#state !== 'started') {
      stream.on('error', () => {});
      stream.destroy();
      return;
    }
    const { counters } = this.#context;
    counters.connections += 1;
    counters.connectionsAccepted += 1;
    const front = new Front(this.#context, stream, remoteAddress, () => this.#gone(front));
    this.#fronts.add(front);
  }

  /** Publishes retained JSON under `dss/sys/`. Without effect while the broker is not open. */
  publishSystem(topic: string, json: unknown): void {
    if (this.#state !== 'started') return;
    this.#context.sessions.publish({
      topic: `dss/sys/${topic}`,
      payload: Buffer.from(JSON.stringify(json)),
      qos: 0,
      retain: true,
    });
  }

  counters(): BrokerCounters {
    return { ...this.#context.counters, refused: this.#context.refusals.counts() };
  }

  /** Stops: what is committed is acknowledged, then connections close. Resolves when all are gone. */
  async close(): Promise<void> {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    const started = this.#state === 'started';
    this.#state = 'closing';
    this.#context.refusals.close();
    for (const front of [...this.#fronts]) front.shutDown();
    if (this.#fronts.size > 0) {
      await new Promise<void>((resolve) => {
        this.#allGone = resolve;
      });
    }
    if (started) await this.#context.sessions.close();
    this.#wills.close();
    this.#state = 'closed';
  }

  #gone(front: Front): void {
    this.#fronts.delete(front);
    this.#context.counters.connections -= 1;
    if (this.#fronts.size === 0) this.#allGone?.();
  }

  #sessionsFailed(error: Error): void {
    this.#context.env.events.emit({
      level: 'error',
      name: 'sessions-failed',
      message: `the session layer reported: ${error.message}`,
    });
  }
}
