import type { BrokerEnv } from '../env.ts';
import { type AwayMatch, AwaySessions } from './away-sessions.ts';
import type { Message } from './message.ts';
import type { StoredSubscription } from './store.ts';

/** Until then every other node knows that the client is not here any more. */
const LINGER_MS = 30_000;

interface Left {
  readonly subscriptions: readonly StoredSubscription[];
  readonly cancel: () => void;
}

/**
 * Sessions whose clients have just left this node. Others may not know yet and send messages for them here: for a
 * while they are kept in the sessions' queues from here.
 */
export class Lingering {
  readonly #env: BrokerEnv;
  readonly #over: (clientId: string, subscriptions: readonly StoredSubscription[]) => void;
  readonly #sessions = new AwaySessions();
  readonly #left = new Map<string, Left>();

  constructor(
    env: BrokerEnv,
    over: (clientId: string, subscriptions: readonly StoredSubscription[]) => void,
  ) {
    this.#env = env;
    this.#over = over;
  }

  begin(clientId: string, subscriptions: readonly StoredSubscription[]): void {
    this.end(clientId);
    const cancel = this.#env.timers.after(LINGER_MS, () => this.end(clientId));
    this.#left.set(clientId, { subscriptions, cancel });
    this.#sessions.add({ clientId, subscriptions });
  }

  end(clientId: string): void {
    const left = this.#left.get(clientId);
    if (left === undefined) return;
    left.cancel();
    this.#left.delete(clientId);
    this.#sessions.delete(clientId);
    this.#over(clientId, left.subscriptions);
  }

  /** Who is to have a message of another node kept. Shared ones are sent to somebody else by that node. */
  match(message: Message): ReadonlyMap<string, AwayMatch> {
    return this.#sessions.match(message, () => true);
  }

  stop(): void {
    for (const { cancel } of this.#left.values()) cancel();
    this.#left.clear();
  }
}
