import type { DataPlane, WriteSink } from '../../../broker/data-plane.ts';
import type { SeededRandom } from '../../support/random.ts';
import type { Machine, SimCluster } from '../cluster.ts';
import type { Life } from '../world.ts';

/** What a client is told of a write, by the token it gave. */
export type WriteAnswer =
  | { readonly kind: 'committed'; readonly version: number }
  | { readonly kind: 'failed'; readonly failure: string };

/**
 * A client's connection to one run of one node. What it sends takes a moment, reaches the process when that runs,
 * and is lost with it; the answers likewise. Who closes it hears nothing more.
 */
export class Connection {
  readonly machine: Machine;
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #life: Life;
  readonly #dataPlane: DataPlane;
  readonly #waiting = new Map<number, (answer: WriteAnswer) => void>();
  readonly #sink: WriteSink;
  #nextToken = 1;
  #open = true;

  constructor(cluster: SimCluster, machine: Machine, random: SeededRandom) {
    this.#cluster = cluster;
    this.machine = machine;
    this.#random = random;
    this.#life = machine.life as Life;
    this.#dataPlane = cluster.dataPlane(machine);
    const answered = (token: number, answer: WriteAnswer) => {
      const waiter = this.#waiting.get(token);
      this.#waiting.delete(token);
      this.#answer(() => waiter?.(answer));
    };
    this.#sink = {
      writeCommitted: (token, version) => answered(token, { kind: 'committed', version }),
      writeFailed: (token, failure) => answered(token, { kind: 'failed', failure }),
      writesDrained: () => {},
    };
  }

  /** Whether the client has no reason to think otherwise. */
  get isUsable(): boolean {
    return this.#open && this.#life.alive;
  }

  /** `bytes` are the key and, from `keyEnd` on, the value. */
  write(
    bytes: Uint8Array,
    keyEnd: number,
    ttlMs: number,
    answered: (answer: WriteAnswer) => void,
  ): void {
    const token = this.#nextToken++;
    this.#waiting.set(token, answered);
    this.#request((dataPlane) => {
      dataPlane.write(this.#sink, token, bytes, 0, keyEnd, keyEnd, bytes.length, 0, ttlMs);
    });
  }

  ask<T>(call: (dataPlane: DataPlane) => Promise<T>, answered: (answer: T) => void): void {
    this.#request((dataPlane) => {
      void call(dataPlane).then((answer) => this.#answer(() => answered(answer)));
    });
  }

  /** The node notices a little later. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#later(() => this.#life.reach(() => this.#dataPlane.forget(this.#sink)));
  }

  #request(call: (dataPlane: DataPlane) => void): void {
    this.#later(() => {
      if (this.#open) this.#life.reach(() => call(this.#dataPlane));
    });
  }

  #answer(tell: () => void): void {
    this.#later(() => {
      if (this.#open) tell();
    });
  }

  #later(task: () => void): void {
    this.#cluster.world.at(1 + this.#random.below(4), task);
  }
}
