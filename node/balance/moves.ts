import type { Reason } from './step.ts';
import { type GroupTarget, type GroupTruth, isReached } from './truth.ts';

/** A group on its way from what it is to what it should be. Times are wall clock, in milliseconds since 1970. */
export interface Move {
  readonly group: number;
  readonly reason: Reason;
  /** Nodes that give a replica up. */
  readonly from: readonly string[];
  /** Nodes that are given one. */
  readonly to: readonly string[];
  /** Of the group's tables: about what each of `to` has to receive. */
  readonly bytes: number;
  /** When it was seen that something has to be done: of a lost node, when it fell silent. */
  readonly detectedAtMs: number;
  /** When the first step was asked for. */
  readonly decidedAtMs: number | undefined;
}

interface OpenMove {
  move: Move;
  /** Who held a replica when it began. */
  readonly holders: readonly string[];
  /** Nodes that had a suspect replica since: it is replaced where it is. */
  readonly suspects: readonly string[];
}

/** How much a finished move weighs in the rate by which the others are estimated. */
const RATE_WEIGHT = 0.3;

/** All groups that are not what they should be, and how fast they come to be. */
export class Moves {
  readonly #open = new Map<number, OpenMove>();
  #bytesPerSecond: number | undefined;

  /**
   * Compares truth and target. Returns the moves that have come to their end since.
   *
   * @param silentSince when a node fell silent, if it did
   */
  update(input: {
    readonly truths: readonly GroupTruth[];
    readonly targets: ReadonlyMap<number, GroupTarget>;
    readonly reasonOf: (truth: GroupTruth) => Reason;
    readonly silentSince: (node: string) => number | undefined;
    readonly nowMs: number;
  }): Move[] {
    const { truths, targets, nowMs } = input;
    return truths.flatMap((truth) => {
      const { group } = truth;
      const target = targets.get(group);
      const known = this.#open.get(group);
      if (target === undefined || isReached(truth, target)) {
        if (known === undefined) return [];
        this.#open.delete(group);
        this.#learnRate(known.move, nowMs);
        return [known.move];
      }
      const holders = known?.holders ?? truth.replicas.map(({ node }) => node);
      const reason = known?.move.reason ?? input.reasonOf(truth);
      const silent = holders.map(input.silentSince).filter((since) => since !== undefined);
      const detectedAtMs = reason === 'repair' ? Math.min(nowMs, ...silent) : nowMs;
      const times = known?.move ?? { detectedAtMs, decidedAtMs: undefined };
      const { bytes, replicas } = truth;
      const suspects = replicas.filter(({ isSuspect }) => isSuspect).map(({ node }) => node);
      const since = { holders, suspects: [...new Set([...(known?.suspects ?? []), ...suspects])] };
      const move = { ...times, group, reason, bytes, ...placesOf(target, since) };
      this.#open.set(group, { ...since, move });
      return [];
    });
  }

  /** A step of the group's move was asked for. */
  decided(group: number, nowMs: number): void {
    const open = this.#open.get(group);
    if (open === undefined || open.move.decidedAtMs !== undefined) return;
    open.move = { ...open.move, decidedAtMs: nowMs };
  }

  /** Those that are under way first, then those that wait, each the oldest first. */
  list(): Move[] {
    const since = ({ decidedAtMs }: Move) => decidedAtMs ?? Number.POSITIVE_INFINITY;
    const moves = [...this.#open.values()].map(({ move }) => move);
    return moves.sort((a, b) => {
      if (since(a) !== since(b)) return since(a) - since(b);
      return a.detectedAtMs - b.detectedAtMs || a.group - b.group;
    });
  }

  /** By how fast earlier moves were; undefined as long as nobody can know. */
  msLeft({ bytes, to, decidedAtMs }: Move, nowMs: number): number | undefined {
    if (decidedAtMs === undefined || this.#bytesPerSecond === undefined) return undefined;
    const wholeMs = (1_000 * bytes * Math.max(1, to.length)) / this.#bytesPerSecond;
    return Math.max(0, wholeMs - (nowMs - decidedAtMs));
  }

  /** Somebody else balances now. */
  clear(): void {
    this.#open.clear();
  }

  #learnRate({ bytes, to, decidedAtMs }: Move, nowMs: number): void {
    if (decidedAtMs === undefined || to.length === 0 || bytes === 0) return;
    const seconds = Math.max(1, nowMs - decidedAtMs) / 1_000;
    const rate = (bytes * to.length) / seconds;
    const before = this.#bytesPerSecond ?? rate;
    this.#bytesPerSecond = before + RATE_WEIGHT * (rate - before);
  }
}

function placesOf(
  target: GroupTarget,
  { holders, suspects }: Pick<OpenMove, 'holders' | 'suspects'>,
): Pick<Move, 'from' | 'to'> {
  const wanted = [...target.voters, ...target.learners];
  return {
    from: holders.filter((node) => !wanted.includes(node) || suspects.includes(node)),
    to: wanted.filter((node) => !holders.includes(node) || suspects.includes(node)),
  };
}
