import { assignEvenly } from '../ring/assign-evenly.ts';
import { metaGroup } from '../ring/slots.ts';
import type { BalancerInput } from './balancer.ts';
import { Nodes } from './nodes.ts';
import { isBeingFilled } from './receivers.ts';
import type { GroupTruth, ReplicaTruth } from './truth.ts';

interface Transfer {
  readonly truth: GroupTruth;
  readonly to: string;
}

/**
 * Who should hand over the lead of a shard to whom, so that all nodes lead equally many to within one,
 * wherever caught-up voters permit, and nodes that leave lead none. Where it is as good, a leader stays. The
 * meta group is led by whoever leads it, unless its node leaves.
 */
export function leaderTransfers(
  input: BalancerInput & {
    /** Groups that have another step to make first. */
    readonly busy: ReadonlySet<number>;
  },
): Transfer[] {
  const { truths, underWay, limits } = input;
  const nodes = new Nodes(input.nodes);
  const led = truths
    .filter(({ leader }) => nodes.isHealthy(leader))
    .sort((a, b) => a.group - b.group);
  const candidates = led.map((truth) => candidatesOf(truth, input, nodes));
  const [meta] = led[0]?.group === metaGroup ? candidates.splice(0, 1) : [];
  const leaders = [...(meta === undefined ? [] : [meta[0]]), ...assignEvenly(candidates)];

  const inFlight = underWay.filter(({ kind }) => kind === 'transfer').length;
  return led
    .flatMap((truth, index) => {
      const to = leaders[index];
      const moves = to !== undefined && to !== truth.leader && !input.busy.has(truth.group);
      return moves ? [{ truth, to }] : [];
    })
    .sort(
      (a, b) => Number(nodes.isLeaving(b.truth.leader)) - Number(nodes.isLeaving(a.truth.leader)),
    )
    .slice(0, Math.max(0, limits.transfersMax - inFlight));
}

/** Who may lead the group, the present leader first if it may go on. */
function candidatesOf(
  truth: GroupTruth,
  { targets, underWay, busy }: Parameters<typeof leaderTransfers>[0],
  nodes: Nodes,
): string[] {
  const { group, leader, isChanging, replicas } = truth;
  const transfer = underWay.find((step) => step.group === group && step.kind === 'transfer');
  if (transfer?.kind === 'transfer') return [transfer.to];
  // A new leader would begin a snapshot anew that this one has half sent.
  if (busy.has(group) || isChanging || replicas.some(isBeingFilled)) return [leader];
  // Or has yet to find out that it must send: whoever led before may have handed over because it could not.
  const isAwaited = ({ node, caughtUp }: ReplicaTruth) => !caughtUp && nodes.isHealthy(node);
  if (nodes.isActive(leader) && replicas.some(isAwaited)) return [leader];

  const wanted = targets.get(group)?.voters;
  const heirs = replicas
    .filter(({ role, node, caughtUp, isSuspect }) => {
      const isGood = role === 'voter' && caughtUp && !isSuspect;
      return isGood && nodes.isActive(node) && nodes.isHealthy(node);
    })
    .map(({ node }) => node)
    .filter((node) => node !== leader && wanted?.includes(node) !== false)
    .sort();
  return nodes.isActive(leader) ? [leader, ...heirs] : heirs;
}
