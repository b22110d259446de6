import assert from 'node:assert/strict';
import { leaderTransfers } from './leaders.ts';
import { type BalancerNode, Nodes } from './nodes.ts';
import { Receivers } from './receivers.ts';
import { REASONS, type Reason, type Step, type StepAction, type StepContext } from './step.ts';
import {
  type GroupTarget,
  type GroupTruth,
  isReached,
  nodesWithRole,
  type ReplicaTruth,
  replicaOn,
  sameNodes,
} from './truth.ts';

export interface BalancerLimits {
  /** Replicas that may be filled on one node at a time. */
  readonly receivingPerNodeMax: number;
  /** Replicas that may be filled in the whole cluster at a time. */
  readonly receivingMax: number;
  /** Leaders that may be asked at a time to hand over. */
  readonly transfersMax: number;
}

export interface BalancerInput {
  /** At most one of a group. A group without one has no leader and gets no step. */
  readonly truths: readonly GroupTruth[];
  readonly targets: ReadonlyMap<number, GroupTarget>;
  readonly nodes: readonly BalancerNode[];
  /** What was asked for and cannot be seen in the truth yet. Its groups get no other step. */
  readonly underWay: readonly Step[];
  readonly limits: BalancerLimits;
}

/**
 * The next single step of every group on its way from truth to target: repair first, then what is on nodes
 * that leave, then balance, then leaders. The same input gives the same steps, in the same order.
 *
 * No group gets two changes at once, a number of voters that is even, or a change after which it has no
 * healthy majority; nothing is sent to a node that is silent, and to a full one only what replaces its own.
 */
export function nextSteps(input: BalancerInput): Step[] {
  const { truths, targets, underWay } = input;
  const nodes = new Nodes(input.nodes);
  const receivers = new Receivers(input);
  const busy = new Set(underWay.map(({ group }) => group));

  const free = truths.filter(
    ({ group, isChanging, leader }) => !busy.has(group) && !isChanging && nodes.isHealthy(leader),
  );
  const steps = free
    .flatMap((truth) => {
      const target = targets.get(truth.group);
      return target === undefined || isReached(truth, target) ? [] : [{ truth, target }];
    })
    .map((wanted) => ({ ...wanted, reason: reasonOf(wanted.truth, nodes) }))
    .sort(
      (a, b) =>
        REASONS.indexOf(a.reason) - REASONS.indexOf(b.reason) || a.truth.group - b.truth.group,
    )
    .flatMap(({ truth, target, reason }) => {
      const action = changeOf(truth, target, nodes, receivers);
      return action === undefined ? [] : [{ ...contextOf(truth, reason), ...action }];
    });

  for (const { group } of steps) busy.add(group);
  const transfers = leaderTransfers({ ...input, busy }).map(({ truth, to }) => ({
    ...contextOf(truth, 'leaders'),
    kind: 'transfer' as const,
    to,
  }));
  return [...steps, ...transfers];
}

function contextOf(truth: GroupTruth, reason: Reason): StepContext {
  const { group, configurationIndex, leader } = truth;
  return { group, configurationIndex, leader, reason };
}

/** Why the configuration of a group is to change. */
export function reasonOf(truth: GroupTruth, nodes: Nodes): Exclude<Reason, 'leaders'> {
  const { replicas } = truth;
  if (replicas.some(({ node, isSuspect }) => isSuspect || nodes.isLost(node))) return 'repair';
  return replicas.some(({ node }) => nodes.isLeaving(node)) ? 'leaving' : 'balance';
}

function changeOf(
  truth: GroupTruth,
  target: GroupTarget,
  nodes: Nodes,
  receivers: Receivers,
): StepAction | undefined {
  return (
    replaceSuspect(truth, target, nodes, receivers) ??
    changeVoters(truth, target, nodes) ??
    changeLearners(truth, target, receivers)
  );
}

/** A suspect voter whose node stays a voter. A suspect learner is dropped and added again. */
function replaceSuspect(
  truth: GroupTruth,
  target: GroupTarget,
  nodes: Nodes,
  receivers: Receivers,
): StepAction | undefined {
  const voters = truth.replicas.filter(({ role }) => role === 'voter');
  const isReplaceable = ({ node, isSuspect }: ReplicaTruth) =>
    isSuspect && target.voters.includes(node) && receivers.canReplace(node);
  const suspect = voters.filter(isReplaceable).sort((a, b) => a.replicaId - b.replicaId)[0];
  if (suspect === undefined) return undefined;
  // The new one is empty: it counts among the voters before it can agree to anything.
  const others = voters.filter((voter) => voter !== suspect && isGood(voter, truth, nodes));
  if (2 * others.length <= voters.length || !receivers.takeInPlace(suspect.node)) return undefined;
  return {
    kind: 'replace-suspect',
    suspect: suspect.replicaId,
    node: suspect.node,
    learners: nodesWithRole(truth, 'learner').sort(),
  };
}

/** To the voters of the target in one go, once all who are new have caught up. */
function changeVoters(
  truth: GroupTruth,
  target: GroupTarget,
  nodes: Nodes,
): StepAction | undefined {
  const current = nodesWithRole(truth, 'voter');
  if (sameNodes(current, target.voters)) return undefined;
  const isVoter = (node: string) => current.includes(node);
  const good = target.voters.filter((node) => {
    const replica = replicaOn(truth, node);
    return replica !== undefined && isGood(replica, truth, nodes);
  });
  if (!target.voters.every((node) => isVoter(node) || good.includes(node))) return undefined;
  if (2 * good.length <= target.voters.length) return undefined;
  const reachable = truth.replicas.filter(
    ({ role, node, isSuspect }) => role === 'voter' && !isSuspect && nodes.isHealthy(node),
  );
  if (2 * reachable.length <= current.length) return undefined;

  // A leader that stays can see the change through; one that goes out would leave an election behind.
  const heir = good.find(isVoter);
  if (!target.voters.includes(truth.leader) && heir !== undefined) {
    return { kind: 'transfer', to: heir };
  }
  assert(target.voters.length % 2 === 1, `group ${truth.group}: voters are odd in number`);
  return {
    kind: 'voters',
    voters: target.voters.toSorted(),
    learners: target.learners.filter((node) => holdsGood(truth, node)).sort(),
  };
}

/** Learners on all nodes of the target that hold nothing yet, and none that nobody wants. */
function changeLearners(
  truth: GroupTruth,
  target: GroupTarget,
  receivers: Receivers,
): StepAction | undefined {
  const wanted = [...target.voters, ...target.learners];
  const learners = nodesWithRole(truth, 'learner');
  const kept = learners.filter((node) => wanted.includes(node) && holdsGood(truth, node));
  const added = wanted.filter(
    (node) => replicaOn(truth, node) === undefined && receivers.take(node),
  );
  if (added.length === 0 && kept.length === learners.length) return undefined;
  return { kind: 'learners', learners: [...kept, ...added].sort(), added: added.sort() };
}

function holdsGood(truth: GroupTruth, node: string): boolean {
  return replicaOn(truth, node)?.isSuspect === false;
}

/** It can agree to an entry at once. */
function isGood(replica: ReplicaTruth, truth: GroupTruth, nodes: Nodes): boolean {
  const { node, caughtUp, isSuspect } = replica;
  return !isSuspect && nodes.isHealthy(node) && (caughtUp || node === truth.leader);
}
