import type { ClientClaim } from '../../broker/ordinary/peers.ts';
import type { Env } from '../env.ts';

const WINDOW_MS = 60_000;
/** In a minute; a client that changes its node now and then has not that many. */
const TAKEOVERS_MAX = 10;
/** Client ids that are watched at a time; which are not does not matter when there are that many. */
const CLIENTS_MAX = 10_000;
/** That are told of at a time. */
const LISTED_MAX = 100;

interface Fight {
  /** Of the last takeovers, oldest first. */
  readonly timesMs: number[];
  addresses: readonly [string, string];
  isRaised: boolean;
}

/**
 * Notices when two connections keep taking a client id from each other: usually two devices were given the same one,
 * and neither works.
 */
export class Fights {
  readonly #env: Env;
  readonly #byClient = new Map<string, Fight>();

  constructor(env: Env) {
    this.#env = env;
  }

  /** The claim has ended a connection from that address. */
  note({ clientId, address }: ClientClaim, displacedAddress: string): void {
    const nowMs = this.#env.clock.monotonicMs();
    const fight = this.#byClient.get(clientId) ?? this.#begin(clientId, nowMs);
    if (fight === undefined) return;
    fight.timesMs.push(nowMs);
    if (fight.timesMs.length > TAKEOVERS_MAX + 1) fight.timesMs.shift();
    fight.addresses = [address, displacedAddress];
    if (!isFierce(fight, nowMs)) fight.isRaised = false;
    else if (!fight.isRaised) {
      fight.isRaised = true;
      const message = describe(clientId, fight);
      this.#env.events.emit({ level: 'warn', name: 'client-id-fought-over', message });
    }
  }

  /** That are going on, each with a sentence for people. */
  list(): { readonly clientId: string; readonly message: string }[] {
    const nowMs = this.#env.clock.monotonicMs();
    this.#forgetOld(nowMs);
    return [...this.#byClient]
      .filter(([, fight]) => isFierce(fight, nowMs))
      .slice(0, LISTED_MAX)
      .map(([clientId, fight]) => ({
        clientId,
        message: describe(clientId, fight),
      }));
  }

  #begin(clientId: string, nowMs: number): Fight | undefined {
    if (this.#byClient.size >= CLIENTS_MAX) this.#forgetOld(nowMs);
    if (this.#byClient.size >= CLIENTS_MAX) return undefined;
    const fight: Fight = { timesMs: [], addresses: ['', ''], isRaised: false };
    this.#byClient.set(clientId, fight);
    return fight;
  }

  #forgetOld(nowMs: number): void {
    for (const [clientId, { timesMs }] of this.#byClient) {
      if (nowMs - (timesMs.at(-1) ?? 0) > WINDOW_MS) this.#byClient.delete(clientId);
    }
  }
}

function isFierce({ timesMs }: Fight, nowMs: number): boolean {
  return timesMs.length > TAKEOVERS_MAX && nowMs - (timesMs[0] ?? 0) <= WINDOW_MS;
}

function describe(clientId: string, { addresses: [one, other] }: Fight): string {
  return `${one} and ${other} keep taking the client id ${clientId} from each other: give each client its own.`;
}
