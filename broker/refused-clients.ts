import type { BrokerLimits } from './limits.ts';

type Limits = Pick<BrokerLimits, 'refusalsMax' | 'refusalPeriodMs' | 'barMs' | 'refusedClientsMax'>;

interface Offences {
  /** When its connections were closed, oldest first. */
  closedAtMs: number[];
  barredUntilMs: number;
}

/**
 * Clients whose connections were closed because of what they keep sending (DESIGN §7, refused by state). Most send
 * the same again as soon as they are back, so one that was closed too often is kept out for a while. Times are of
 * the monotonic clock.
 */
export class RefusedClients {
  readonly #limits: Limits;
  /** The one that was closed longest ago stands first. */
  readonly #clients = new Map<string, Offences>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** A connection was closed. */
  closed(clientId: string, address: string, nowMs: number): void {
    const { refusalsMax, refusalPeriodMs, barMs, refusedClientsMax } = this.#limits;
    const name = nameOf(clientId, address);
    const client = this.#clients.get(name) ?? { closedAtMs: [], barredUntilMs: 0 };
    client.closedAtMs = client.closedAtMs.filter((atMs) => nowMs - atMs < refusalPeriodMs);
    client.closedAtMs.push(nowMs);
    if (client.closedAtMs.length >= refusalsMax) {
      client.closedAtMs = [];
      client.barredUntilMs = nowMs + barMs;
    }
    this.#clients.delete(name);
    this.#clients.set(name, client);
    if (this.#clients.size <= refusedClientsMax) return;
    for (const longestAgo of this.#clients.keys()) {
      this.#clients.delete(longestAgo);
      return;
    }
  }

  isBarred(clientId: string, address: string, nowMs: number): boolean {
    if (this.#clients.size === 0) return false;
    const client = this.#clients.get(nameOf(clientId, address));
    return client !== undefined && nowMs < client.barredUntilMs;
  }
}

/** Who has no client id is known by the host that it connects from: all that share it share the blame. */
function nameOf(clientId: string, address: string): string {
  if (clientId !== '') return `client ${clientId}`;
  return `host ${address.slice(0, address.lastIndexOf(':'))}`;
}
