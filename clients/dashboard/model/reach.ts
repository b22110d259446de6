import type { ClusterDocument } from './documents.ts';
import { listed, plural } from './format.ts';

/** Whether the node that this page is from answers. */
export type Reach =
  | { readonly kind: 'asking' }
  | { readonly kind: 'answering' }
  | { readonly kind: 'refused'; readonly detail: string }
  | {
      readonly kind: 'silent';
      /** When it was asked what it has not answered. */
      readonly sinceMs: number;
      readonly why: string;
    };

/** What has come of one question. */
type Outcome =
  | { readonly kind: 'ok' }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'silent'; readonly isLate: boolean; readonly detail: string };

/** One answer that is late may be the fault of a browser with too much to do. A refused connection is no doubt. */
const LATE_MAX = 2;

/** Draws the conclusion from question after question. */
export class ReachTracker {
  #reach: Reach = { kind: 'asking' };
  #unansweredSinceMs: number | undefined;
  #late = 0;

  next(outcome: Outcome, askedMs: number): Reach {
    if (outcome.kind !== 'silent') {
      this.#unansweredSinceMs = undefined;
      this.#late = 0;
      this.#reach =
        outcome.kind === 'ok' ? { kind: 'answering' } : { kind: 'refused', detail: outcome.detail };
      return this.#reach;
    }
    this.#unansweredSinceMs ??= askedMs;
    this.#late = outcome.isLate ? this.#late + 1 : LATE_MAX;
    if (this.#late >= LATE_MAX && this.#reach.kind !== 'silent') {
      this.#reach = { kind: 'silent', sinceMs: this.#unansweredSinceMs, why: outcome.detail };
    }
    return this.#reach;
  }
}

/** One sentence or two on what is wrong with what one sees. */
export interface Trouble {
  readonly severity: 'critical' | 'warning';
  readonly title: string;
  readonly detail: string;
  readonly sinceMs: number | undefined;
}

/** What makes everything else on the page doubtful: the node is silent, has no cluster, or is cut off from it. */
export function troubleOf(
  reach: Reach,
  status: ClusterDocument | undefined,
  noQuorumSinceMs: number | undefined,
): Trouble | undefined {
  const name = status?.node.name ?? 'This node';
  if (reach.kind === 'silent') {
    const detail = `What you see is as old as that. ${reach.why}`;
    return {
      severity: 'critical',
      title: `${name} does not answer`,
      detail,
      sinceMs: reach.sinceMs,
    };
  }
  if (reach.kind === 'refused') {
    const title = `${name} does not show you the cluster`;
    return { severity: 'critical', title, detail: reach.detail, sinceMs: undefined };
  }
  if (status?.cluster.state === 'forming') {
    const detail = 'It stores nothing until it has heard from enough nodes.';
    const title = `${name} has not joined a cluster yet`;
    return { severity: 'warning', title, detail, sinceMs: undefined };
  }
  if (status?.cluster.state === 'no-quorum') return noQuorum(status, noQuorumSinceMs);
  return undefined;
}

function noQuorum(status: ClusterDocument, sinceMs: number | undefined): Trouble {
  const others = status.nodes.filter(({ id }) => id !== status.node.id);
  const unheard = others.filter(({ state }) => state === 'failed');
  const leaderless = status.shards.filter(({ leader }) => leader === null).length;
  const isCutOff = unheard.length > 0 && unheard.length * 2 > status.nodes.length - 1;
  const title = isCutOff
    ? `${status.node.name} is cut off from the cluster`
    : `No quorum for ${leaderless} of ${plural(status.shards.length, 'shard')}`;
  const why = isCutOff ? `It hears nothing of ${listed(unheard.map((row) => row.name))}. ` : '';
  const detail = `${why}Writes to these shards are not acknowledged, and strong reads are not answered; nothing that was acknowledged is lost.`;
  return { severity: 'critical', title, detail, sinceMs };
}
