import type { cluster } from '../../protos/index.ts';
import type { ActiveNode } from '../active-node.ts';
import { linksDown } from '../beside/link-states.ts';
import type { Member } from '../membership/members.ts';
import { isRemoved } from '../settings/nodes.ts';
import { liveLeader } from '../status.ts';
import type { ToldAlert } from './alert-states.ts';
import type { AlertSettings, AlertSources } from './alerts.ts';
import type { AlertFacts, GroupFacts, NodeFacts, OwnFacts } from './facts.ts';
import { PerMinute } from './per-minute.ts';
import { isRuleName } from './rules.ts';

/** What alerts are made of, from the parts of a node. */
export function alertSources(
  active: ActiveNode,
  { own, env, settings }: Pick<AlertSources, 'env'> & { own: string; settings: AlertSettings },
): AlertSources {
  const dropped = new PerMinute();
  const isWell = (member: Member) => member.state === 'active' && !isRemoved(member.row);
  return {
    env,
    clusterId: active.genesis.clusterId,
    facts: () => {
      const members = active.members.list();
      const count = active.messages.dropped + (settings.dropped?.() ?? 0);
      const droppedPerMinute = dropped.at(env.clock.monotonicMs(), count);
      return {
        nodes: members.filter(({ row }) => !isRemoved(row)).map(nodeFacts),
        groups: groupFacts(active, members),
        replicasWanted: Math.min(active.genesis.replicationFactor, members.length),
        own: ownFacts(active, active.members.nameOf(own), droppedPerMinute),
        links: linksDown({ leases: active.settings.current.leases, members }),
      } satisfies AlertFacts;
    },
    told: () =>
      active.members
        .list()
        .filter((member) => member.node !== own && member.state !== 'failed')
        .flatMap(({ heartbeat }) => (heartbeat?.alerts ?? []).flatMap(toldAlert)),
    // Whose heartbeats are heard is much the same everywhere, with a quorum and without.
    isTeller: () => {
      const able = active.members
        .list()
        .filter((member) => isWell(member) && member.heartbeat?.reachesWebhook === true)
        .map(({ node }) => node);
      return able.sort()[0] === own;
    },
  };
}

function nodeFacts({ name, state, heartbeat, clockAheadMs }: Member): NodeFacts {
  return {
    name,
    isFailed: state === 'failed',
    isStorageFull: heartbeat?.storageFull === true,
    storageUsedBytes: heartbeat?.storageUsedBytes,
    storageMaxBytes: heartbeat?.storageMaxBytes ?? 0,
    diskUsedBytes: heartbeat?.diskUsedBytes,
    diskTotalBytes: heartbeat?.diskTotalBytes ?? 0,
    memoryBytes: heartbeat?.memoryBytes,
    memoryMaxBytes: heartbeat?.memoryMaxBytes ?? 0,
    loopDelayP99Ms: heartbeat?.loopDelayP99Ms,
    commitP99Ms: heartbeat?.commitP99Ms,
    clockAheadMs,
  };
}

function groupFacts(active: ActiveNode, members: readonly Member[]): GroupFacts[] {
  const heard = new Map(
    members
      .filter(({ state, row }) => state !== 'failed' && !isRemoved(row))
      .map(({ node, heartbeat }) => [node, suspectGroups(heartbeat)]),
  );
  return active.map.rows().map(({ group, replicas }) => ({
    group,
    isLed: liveLeader(active, group) !== undefined,
    replicas: replicas.filter((node) => heard.get(node)?.has(group) === false).length,
  }));
}

function suspectGroups(heartbeat: cluster.Heartbeat | undefined): ReadonlySet<number> {
  return new Set((heartbeat?.suspects ?? []).map(({ group }) => group ?? 0));
}

function ownFacts(active: ActiveNode, node: string, droppedPerMinute: number): OwnFacts {
  const halted = [...active.host.replicas()].flatMap(({ halted: reason, identity: { group } }) =>
    reason === undefined ? [] : [{ group, reason }],
  );
  return {
    ...{ node, halted, droppedPerMinute },
    suspects: active.suspects,
    damaged: active.repairs.lacking(),
    differing: active.repairs.differing(),
    fights: active.messages.fights(),
  };
}

/** Of rules that another version has nothing is known here. */
function toldAlert(report: cluster.AlertReport.$Properties): ToldAlert[] {
  const { rule = '', subject = '', sinceMs = 0, message = '' } = report;
  return isRuleName(rule) ? [{ rule, subject, sinceMs, message }] : [];
}
