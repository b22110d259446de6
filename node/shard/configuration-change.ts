import assert from 'node:assert/strict';
import type { ReplicaId, Term } from '../raft/types.ts';
import type { GroupMembers, Place } from './configuration.ts';

/**
 * A leader gives ids of its own term only. Counted on from the newest configuration alone, the id of one that is cut
 * off from the log would be given again, on another node, and whoever has the old configuration would not listen.
 */
export const IDS_PER_TERM = 1_000_000;

/** What a group is to change to. Nodes hold at most one replica of a group that counts. */
export interface WantedMembers {
  /** Empty: the voters stay. A newcomer must be a learner now. */
  readonly voters: readonly string[];
  readonly learners: readonly string[];
}

export type ChangePlan =
  | {
      readonly kind: 'change';
      readonly members: GroupMembers;
      readonly newVoters: readonly Place[];
    }
  | { readonly kind: 'none' }
  /** A node that is to vote holds no learner yet. */
  | { readonly kind: 'not-a-learner'; readonly node: string };

/** The next record on the way from `now`, which is not joint, to what is wanted: learners first, then voters. */
export function planChange(now: GroupMembers, wanted: WantedMembers, term: Term): ChangePlan {
  const keepsVoters = wanted.voters.length === 0 || isSameSet(wanted.voters, nodesOf(now.voters));
  return keepsVoters ? planLearners(now, wanted.learners, term) : planVoters(now, wanted);
}

/**
 * Puts a new replica in the place of a voter that its node cannot trust. It votes at once: an empty log elects
 * nobody who lacks what is committed, and the voters stay odd in number.
 */
export function planReplacement(now: GroupMembers, suspect: ReplicaId, term: Term): ChangePlan {
  const replicaId = firstFreeId(now, term);
  const fresh = (place: Place) => (place.replicaId === suspect ? { ...place, replicaId } : place);
  const nextReplicaId = replicaId + 1;
  if (now.voters.some(({ replicaId }) => replicaId === suspect)) {
    const voters = now.voters.map(fresh);
    const members = { ...now, voters, outgoing: now.voters, nextReplicaId };
    return { kind: 'change', members, newVoters: [] };
  }
  if (now.learners.some(({ replicaId }) => replicaId === suspect)) {
    const members = { ...now, learners: now.learners.map(fresh), nextReplicaId };
    return { kind: 'change', members, newVoters: [] };
  }
  return { kind: 'none' };
}

function planLearners(now: GroupMembers, nodes: readonly string[], term: Term): ChangePlan {
  if (isSameSet(nodes, nodesOf(now.learners))) return { kind: 'none' };
  let nextReplicaId = firstFreeId(now, term);
  const voting = new Set(nodesOf(now.voters));
  const learners = nodes
    .filter((node) => !voting.has(node))
    .map((node) => placeOn(now.learners, node) ?? { replicaId: nextReplicaId++, node });
  return { kind: 'change', members: { ...now, learners, nextReplicaId }, newVoters: [] };
}

function planVoters(now: GroupMembers, wanted: WantedMembers): ChangePlan {
  const voters: Place[] = [];
  const newVoters: Place[] = [];
  for (const node of wanted.voters) {
    const voter = placeOn(now.voters, node);
    const place = voter ?? placeOn(now.learners, node);
    if (place === undefined) return { kind: 'not-a-learner', node };
    voters.push(place);
    if (voter === undefined) newVoters.push(place);
  }
  const leaves = ({ node }: Place) => !wanted.voters.includes(node);
  const stays = ({ node }: Place) => wanted.learners.includes(node);
  const members = {
    voters,
    outgoing: now.voters,
    learners: now.learners.filter((place) => leaves(place) && stays(place)),
    demoted: now.voters.filter((place) => leaves(place) && stays(place)),
    nextReplicaId: now.nextReplicaId,
  };
  return { kind: 'change', members, newVoters };
}

/** That a leader of this term may give next. */
export function firstFreeId({ nextReplicaId }: GroupMembers, term: Term): ReplicaId {
  const replicaId = Math.max(nextReplicaId, term * IDS_PER_TERM);
  assert(replicaId < (term + 1) * IDS_PER_TERM, 'the ids of a term are enough for its changes');
  return replicaId;
}

function placeOn(places: readonly Place[], node: string): Place | undefined {
  return places.find((place) => place.node === node);
}

function nodesOf(places: readonly Place[]): string[] {
  return places.map(({ node }) => node);
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each));
}
