import type { RaftState } from './state.ts';
import type { LogIndex, ReplicaId } from './types.ts';

/**
 * Linearizable reads without writing (Raft dissertation §6.4). The leader notes its commit index, asks a
 * majority by heartbeat whether it still is the leader, and may then serve the read at that index. Rounds are
 * numbered, and an answer to a round confirms all before it: so the highest number that a quorum has answered
 * says which are confirmed, whatever was lost or came twice.
 */

/** Where a read came from: this host, or a follower that asked for it. */
export type ReadRequest =
  | { readonly kind: 'local'; readonly token: number }
  | { readonly kind: 'remote'; readonly replica: ReplicaId; readonly context: number };

/** Tells whoever asked that the read is safe at `index`; undefined: nobody here can say. */
export function answerRead(
  state: RaftState,
  request: ReadRequest,
  index: LogIndex | undefined,
): void {
  const { id: from, term, outbox } = state;
  if (request.kind === 'local') {
    outbox.reads.push({ token: request.token, index });
    return;
  }
  const { replica: to, context } = request;
  const answer = { index: index ?? 0, reject: index === undefined };
  outbox.send({ kind: 'read-index-response', from, to, term, context, ...answer });
}

interface ReadRound {
  readonly context: number;
  readonly index: LogIndex;
  readonly requests: readonly ReadRequest[];
}

/** The leader's side. All reads of one turn share a round. */
export class ReadRounds {
  #waiting: ReadRequest[] = [];
  #rounds: ReadRound[] = [];
  /** Numbers need to be unique within a term only: answers of another term are dropped unseen. */
  #newest = 0;
  readonly #answered = new Map<ReplicaId, number>();

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** The number that heartbeats carry. 0: there was no round yet. */
  get newest(): number {
    return this.#newest;
  }

  add(request: ReadRequest): void {
    this.#waiting.push(request);
  }

  /** Opens a round for everything that waits. The caller sends heartbeats with its number. */
  start(index: LogIndex): void {
    this.#newest += 1;
    this.#rounds.push({ context: this.#newest, index, requests: this.#waiting });
    this.#waiting = [];
  }

  /** A replica has answered a heartbeat. Returns whether a round may be confirmed by that. */
  answer(replica: ReplicaId, context: number): boolean {
    if (context <= this.answeredBy(replica)) return false;
    this.#answered.set(replica, context);
    return this.#rounds.length > 0;
  }

  answeredBy(replica: ReplicaId): number {
    return this.#answered.get(replica) ?? 0;
  }

  /** Takes the rounds up to the one that a quorum has answered. */
  takeConfirmed(context: number): ReadRound[] {
    const confirmed = this.#rounds.filter((round) => round.context <= context);
    this.#rounds = this.#rounds.slice(confirmed.length);
    return confirmed;
  }

  /** Leadership is over: everything that still waits, and a fresh start. */
  takeAll(): ReadRequest[] {
    const requests = [...this.#rounds.flatMap((round) => round.requests), ...this.#waiting];
    this.#waiting = [];
    this.#rounds = [];
    this.#newest = 0;
    this.#answered.clear();
    return requests;
  }
}

/** A follower's side: reads that the leader is asked about, those of one turn in one message. */
export class ForwardedReads {
  /**
   * Begins at a random number: an answer to a question of this replica before it restarted, in the same term,
   * must not pass for one to a question of today, since its index may be too low.
   */
  #newest: number;
  #waiting: number[] = [];
  readonly #asked = new Map<number, { readonly tokens: readonly number[]; ageTicks: number }>();

  constructor(firstContext: number) {
    this.#newest = firstContext;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  add(token: number): void {
    this.#waiting.push(token);
  }

  /** Returns the context of the question for everything that waits. */
  ask(): number {
    this.#newest += 1;
    this.#asked.set(this.#newest, { tokens: this.#waiting, ageTicks: 0 });
    this.#waiting = [];
    return this.#newest;
  }

  /** The tokens of a question that is answered; none if it was answered or given up before. */
  takeAnswered(context: number): readonly number[] {
    const tokens = this.#asked.get(context)?.tokens ?? [];
    this.#asked.delete(context);
    return tokens;
  }

  /** One tick passes. Returns the tokens of questions that have waited for `ticksMax`: they were lost. */
  takeExpired(ticksMax: number): readonly number[] {
    const expired: number[] = [];
    for (const [context, question] of this.#asked) {
      question.ageTicks += 1;
      if (question.ageTicks >= ticksMax) expired.push(...this.takeAnswered(context));
    }
    return expired;
  }

  takeAll(): readonly number[] {
    const tokens = [
      ...[...this.#asked.values()].flatMap((question) => question.tokens),
      ...this.#waiting,
    ];
    this.#asked.clear();
    this.#waiting = [];
    return tokens;
  }
}
