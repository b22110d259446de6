import type { Stages } from '../broker/stages.ts';
import type { Offload } from '../lsm/offload/offload.ts';
import type { Vfs } from '../lsm/vfs/vfs.ts';

/**
 * Everything that is not a function of its inputs enters the hosts through here, so that a whole cluster
 * runs under the simulator in one thread with one seed (STYLE 1.10).
 */
export interface Env {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly vfs: Vfs;
  readonly offload: Offload;
  /** Runs `task` soon, after input that is already waiting: the end of one turn of the host. */
  readonly yield: (task: () => void) => void;
  readonly events: Events;
  /** Absent: nobody wants to know what time goes to. */
  readonly stages?: Stages;
}

export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump. */
  nowMs(): number;
  /** Never goes back; for durations and deadlines. */
  monotonicMs(): number;
}

export interface Timers {
  /** Calls `task` once after `delayMs` of the monotonic clock, never before. Returns a function that cancels it. */
  after(delayMs: number, task: () => void): () => void;
  /** Calls `task` every `periodMs`, without catching up after a stall. */
  every(periodMs: number, task: () => void): () => void;
}

export interface Random {
  /** An integer in [0, bound). */
  below(bound: number): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/** Where hosts report what happened; turned into logs and metrics in one place at the edge. */
export interface Events {
  emit(event: NodeEvent): void;
}

export interface NodeEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** A stable name, such as `became-leader`. */
  readonly name: string;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}
