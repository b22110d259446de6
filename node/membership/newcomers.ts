import type { cluster } from '../../protos/index.ts';
import type { Clock } from '../env.ts';
import type { Self } from './greeting.ts';

/** Nodes that want to join say hello every 300 ms: who has not for so long has given up. */
const PATIENCE_MS = 3_000;

/** Nodes that want to join while there is no cluster yet. */
export class Newcomers {
  readonly #clock: Clock;
  readonly #heard = new Map<string, Self & { readonly heardAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(node: string, hello: cluster.Hello.$Properties): void {
    if (hello.joining !== true) return;
    const { name = '', mqttAddress = '', weight = 1, zone = '' } = hello;
    const heardAtMs = this.#clock.monotonicMs();
    this.#heard.set(node, { node, name, mqttAddress, weight, zone, heardAtMs });
  }

  /** Those that are still there, in the order of their names; of two with one name the first that asked. */
  present(ownName: string): Self[] {
    const sinceMs = this.#clock.monotonicMs() - PATIENCE_MS;
    const names = new Set([ownName]);
    const present = [...this.#heard.values()].filter(({ heardAtMs, name }) => {
      if (heardAtMs < sinceMs || names.has(name)) return false;
      names.add(name);
      return true;
    });
    return present
      .map(({ heardAtMs: _, ...self }) => self)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
