import type { Reason } from './step.ts';

/** Something that the balancer saw to its end. Times are wall clock, in milliseconds since 1970. */
export interface BalanceEvent {
  readonly atMs: number;
  readonly kind: 'moved' | 'step-failed' | 'node-state';
  /** A sentence for people, with the names of nodes. */
  readonly message: string;
  readonly group?: number;
  /** Its id. */
  readonly node?: string;
  readonly reason?: Reason;
  readonly detectedAtMs?: number;
  readonly decidedAtMs?: number;
  /** When the group was what it should be again. */
  readonly repairedAtMs?: number;
}

/** The last events, oldest first. */
export class EventLog {
  readonly #eventsMax: number;
  readonly #events: BalanceEvent[] = [];

  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax;
  }

  add(event: BalanceEvent): void {
    this.#events.push(event);
    if (this.#events.length > this.#eventsMax) this.#events.shift();
  }

  list(): readonly BalanceEvent[] {
    return this.#events;
  }
}
