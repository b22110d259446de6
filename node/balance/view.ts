import type { cluster } from '../../protos/index.ts';
import type { Call } from '../transport/rpc.ts';
import type { Rebalancer } from './rebalancer.ts';

/** What `GET /v1/moves` and `dss moves` show of one move. Nodes are named; times are milliseconds since 1970. */
export interface MoveDocument {
  readonly group: number;
  readonly reason: string;
  readonly state: 'waiting' | 'moving';
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** About what each of `to` has to receive. */
  readonly bytes: number;
  readonly detectedAtMs: number;
  /** Null while it waits. */
  readonly decidedAtMs: number | null;
  /** Null while nobody can know. */
  readonly msLeft: number | null;
}

/** What `GET /v1/events` and `dss events` show of one event. */
export interface EventDocument {
  readonly atMs: number;
  readonly kind: string;
  readonly message: string;
  readonly group?: number;
  readonly node?: string;
  readonly reason?: string;
  readonly detectedAtMs?: number;
  readonly decidedAtMs?: number;
  readonly repairedAtMs?: number;
}

interface BalanceViewOptions {
  readonly rebalancer: Rebalancer;
  /** What this node has found wrong with replicas, in the same form. */
  readonly incidents?: () => readonly EventDocument[];
  readonly nameOf: (node: string) => string;
  /** All other nodes that can be asked. */
  readonly others: () => readonly string[];
  readonly call: Call;
}

const ASK_DEADLINE_MS = 2_000;
const EVENTS_MAX = 200;

/**
 * What the balancers of all nodes are doing and have done: the one that leads meta knows of moves, and the
 * ones that led it earlier of events. A node that does not answer in time is left out.
 */
export class BalanceView {
  readonly #options: BalanceViewOptions;

  constructor(options: BalanceViewOptions) {
    this.#options = options;
  }

  /** Those under way first, then those that wait. */
  async moves(): Promise<{ moves: MoveDocument[] }> {
    const others = await this.#ask(({ moves }) => moves ?? '');
    return { moves: [...this.#ownMoves(), ...(others as MoveDocument[])] };
  }

  /** The last 200, the newest last. */
  async events(): Promise<{ events: EventDocument[] }> {
    const others = await this.#ask(({ events }) => events ?? '');
    const events = [...this.#ownEvents(), ...(others as EventDocument[])];
    return { events: events.sort((a, b) => a.atMs - b.atMs).slice(-EVENTS_MAX) };
  }

  serve(): cluster.BalanceReply.$Properties {
    return {
      moves: JSON.stringify(this.#ownMoves()),
      events: JSON.stringify(this.#ownEvents()),
    };
  }

  #ownMoves(): MoveDocument[] {
    const { rebalancer, nameOf } = this.#options;
    return rebalancer.moves().map((move) => ({
      group: move.group,
      reason: move.reason,
      state: move.decidedAtMs === undefined ? 'waiting' : 'moving',
      from: move.from.map(nameOf),
      to: move.to.map(nameOf),
      bytes: move.bytes,
      detectedAtMs: move.detectedAtMs,
      decidedAtMs: move.decidedAtMs ?? null,
      msLeft: move.msLeft === undefined ? null : Math.round(move.msLeft),
    }));
  }

  #ownEvents(): EventDocument[] {
    const { rebalancer, nameOf, incidents } = this.#options;
    const events = rebalancer
      .events()
      .map(({ node, ...event }) => (node === undefined ? event : { ...event, node: nameOf(node) }));
    return [...events, ...(incidents?.() ?? [])];
  }

  async #ask(pick: (reply: cluster.BalanceReply.$Properties) => string): Promise<unknown[]> {
    const { others, call } = this.#options;
    const replies = await Promise.all(
      others().map((node) => call(node, { balanceRequest: {} }, ASK_DEADLINE_MS)),
    );
    return replies.flatMap((message) => {
      const text = message?.balanceReply == null ? '' : pick(message.balanceReply);
      return text === '' ? [] : (JSON.parse(text) as unknown[]);
    });
  }
}
