import type { BrokerEnv } from './env.ts';

export interface Watched {
  /** When its last packet came, by the monotonic clock; undefined: nobody can tell, as it is not read at the moment. */
  readonly heardAtMs: number | undefined;
  /** It has said nothing for too long. */
  silent(): void;
}

/** All that may be silent for equally long. */
interface Group {
  readonly members: Set<Watched>;
  cancel: () => void;
}

/** A look at all of a group comes no sooner after the one before. */
const LOOK_MS_MIN = 50;

/**
 * Watches how long connections are silent, with one timer for all that have the same keepalive: mostly that is one for
 * all devices of a kind, and it looks at them about as often as each of them pings.
 */
export class Keepalives {
  readonly #env: Pick<BrokerEnv, 'clock' | 'timers'>;
  readonly #groups = new Map<number, Group>();

  constructor(env: Pick<BrokerEnv, 'clock' | 'timers'>) {
    this.#env = env;
  }

  /** From now on, and until `delete`, `silent` is called when nothing was heard for `silenceMs`. 0: never. */
  add(watched: Watched, silenceMs: number): void {
    if (silenceMs === 0) return;
    const group = this.#groups.get(silenceMs);
    if (group !== undefined) {
      group.members.add(watched);
      return;
    }
    // Whoever comes later may be silent until later.
    const cancel = this.#lookIn(silenceMs, silenceMs);
    this.#groups.set(silenceMs, { members: new Set([watched]), cancel });
  }

  delete(watched: Watched, silenceMs: number): void {
    const group = this.#groups.get(silenceMs);
    if (group?.members.delete(watched) !== true || group.members.size > 0) return;
    group.cancel();
    this.#groups.delete(silenceMs);
  }

  #lookIn(delayMs: number, silenceMs: number): () => void {
    return this.#env.timers.after(delayMs, () => this.#look(silenceMs));
  }

  #look(silenceMs: number): void {
    const group = this.#groups.get(silenceMs);
    if (group === undefined) return;
    const nowMs = this.#env.clock.monotonicMs();
    let firstMs = nowMs;
    const silent: Watched[] = [];
    for (const watched of group.members) {
      const heardAtMs = watched.heardAtMs ?? nowMs;
      if (nowMs - heardAtMs >= silenceMs) silent.push(watched);
      else firstMs = Math.min(firstMs, heardAtMs);
    }
    const againInMs = Math.max(LOOK_MS_MIN, firstMs + silenceMs - nowMs);
    group.cancel = this.#lookIn(againInMs, silenceMs);
    for (const watched of silent) watched.silent();
  }
}
