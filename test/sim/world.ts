import { crc32c } from '../../lsm/hash/crc32c.ts';
import type { Clock, Events, NodeEvent, Timers } from '../../node/env.ts';
import { settled } from '../support/settled.ts';

interface Happening {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * Simulated time: one event after the other, each followed by everything it promised. The same inputs give
 * the same run.
 */
export class World {
  nowMs = 0;
  /** A digest of everything that has happened, in order: two runs with one seed must end with the same. */
  trace = 0;
  readonly log: (NodeEvent & { readonly node: string; readonly atMs: number })[] = [];
  #order = 0;
  readonly #heap: Happening[] = [];

  /** Clocks count whole milliseconds. */
  at(delayMs: number, run: () => void): void {
    this.#push({ atMs: this.nowMs + Math.max(0, Math.ceil(delayMs)), order: this.#order++, run });
  }

  /** Makes a happening part of the trace. */
  witness(what: Uint8Array): void {
    this.trace = crc32c(what, 0, what.length, this.trace);
  }

  /** Runs until `condition` holds. Throws when `withinMs` of simulated time were not enough. */
  async until(what: string, condition: () => boolean, withinMs = 60_000): Promise<void> {
    const deadlineMs = this.nowMs + withinMs;
    await settled();
    while (!condition()) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > deadlineMs) {
        throw new Error(`${what}: not within ${withinMs} simulated ms (now ${this.nowMs})`);
      }
      this.#pop();
      this.nowMs = next.atMs;
      this.trace = (Math.imul(this.trace, 31) + next.atMs + next.order) >>> 0;
      next.run();
      await settled();
    }
  }

  async run(forMs: number): Promise<void> {
    const endMs = this.nowMs + forMs;
    let ended = false;
    this.at(forMs, () => {
      ended = true;
    });
    await this.until(`running to ${endMs}`, () => ended, forMs);
  }

  /** Waits for a promise while simulated time passes. */
  async resolve<T>(what: string, promise: Promise<T>, withinMs = 60_000): Promise<T> {
    let isOver = false;
    const done = () => {
      isOver = true;
    };
    promise.then(done, done);
    await settled();
    await this.until(what, () => isOver, withinMs);
    return promise;
  }

  #push(item: Happening): void {
    const heap = this.#heap;
    heap.push(item);
    let i = heap.length - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(heap[i] as Happening, heap[parent] as Happening)) break;
      [heap[i], heap[parent]] = [heap[parent] as Happening, heap[i] as Happening];
      i = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Happening;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      const right = left + 1;
      let least = i;
      if (left < heap.length && isBefore(heap[left] as Happening, heap[least] as Happening))
        least = left;
      if (right < heap.length && isBefore(heap[right] as Happening, heap[least] as Happening))
        least = right;
      if (least === i) return;
      [heap[i], heap[least]] = [heap[least] as Happening, heap[i] as Happening];
      i = least;
    }
  }
}

/** The part of one run of one node in the world: it ends when the node crashes. */
export class Life implements Clock, Timers, Events {
  alive = true;
  readonly #world: World;
  readonly #node: string;
  /** How far this node's wall clock is off. */
  readonly #skewMs: () => number;
  /** What is due while the process is stopped waits here, and happens in its order when it goes on. */
  #held: (() => void)[] | undefined;

  constructor(world: World, node: string, skewMs: () => number = () => 0) {
    this.#world = world;
    this.#node = node;
    this.#skewMs = skewMs;
  }

  /** Something reaches the process: it is too late if that is gone, and waits if it is stopped. */
  reach(task: () => void): void {
    if (!this.alive) return;
    if (this.#held === undefined) task();
    else this.#held.push(task);
  }

  /** SIGSTOP. The clock goes on. */
  pause(): void {
    this.#held ??= [];
  }

  /** SIGCONT. */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const task of held) this.#world.at(0, () => this.reach(task));
  }

  nowMs(): number {
    return WALL_CLOCK_START_MS + this.#world.nowMs + this.#skewMs();
  }

  monotonicMs(): number {
    return this.#world.nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    let cancelled = false;
    const happen = () => {
      if (!cancelled) task();
    };
    this.#world.at(delayMs, () => this.reach(happen));
    return () => {
      cancelled = true;
    };
  }

  every(periodMs: number, task: () => void): () => void {
    let cancel = () => {};
    const again = () => {
      cancel = this.after(periodMs, () => {
        again();
        task();
      });
    };
    again();
    return () => cancel();
  }

  emit(event: NodeEvent): void {
    if (this.alive) this.#world.log.push({ ...event, node: this.#node, atMs: this.#world.nowMs });
  }
}

export const WALL_CLOCK_START_MS = Date.UTC(2026, 0, 1);

function isBefore(a: Happening, b: Happening): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
