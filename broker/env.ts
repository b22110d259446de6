import type { Stages } from './stages.ts';

/**
 * What the broker needs from the world; structurally a part of the node's `Env` (`node/env.ts`), which the
 * broker must not import.
 */
export interface BrokerEnv {
  readonly clock: {
    /** Wall clock, milliseconds since 1970. May jump. */
    nowMs(): number;
    /** Never goes back; for durations and deadlines. */
    monotonicMs(): number;
  };
  readonly timers: {
    /** Calls `task` once after `delayMs` of the monotonic clock, never before. Returns a function that cancels it. */
    after(delayMs: number, task: () => void): () => void;
  };
  readonly random: {
    /** An integer in [0, bound). */
    below(bound: number): number;
  };
  /** Runs `task` soon, after input that is already waiting: the end of one turn. */
  readonly yield: (task: () => void) => void;
  readonly events: {
    emit(event: BrokerEvent): void;
  };
  /** Absent: nobody wants to know. */
  readonly stages?: Stages;
}

export interface BrokerEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** A stable name, such as `publish-refused`. */
  readonly name: string;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}
