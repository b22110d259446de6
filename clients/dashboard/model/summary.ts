import type { ClusterDocument } from './documents.ts';
import { listed, plural } from './format.ts';

export type Health = 'ok' | 'warning' | 'critical';

export interface Summary {
  readonly health: Health;
  readonly headline: string;
  /** What an acknowledgement means now. */
  readonly durability: string;
}

const WELL = ['active', 'joining', 'leaving'];

/** The cluster in two sentences. */
export function summaryOf({ cluster, nodes, shards, alerts }: ClusterDocument): Summary {
  const durability = durabilityOf(cluster.durability);
  const unwell = nodes.filter(({ state }) => !WELL.includes(state));
  const leaderless = shards.filter(({ leader }) => leader === null).length;
  if (cluster.state === 'forming') {
    return {
      health: 'warning',
      headline: 'The cluster is forming.',
      durability: 'Nothing is stored yet.',
    };
  }
  if (leaderless > 0) {
    const headline = `${leaderless} of ${plural(shards.length, 'shard')} without a leader.`;
    const safe = `What was acknowledged is safe on ${plural(cluster.durability.copies, 'disk')}; nothing more is acknowledged there.`;
    return { health: 'critical', headline, durability: safe };
  }
  if (unwell.length > 0) {
    const names = listed(unwell.map(({ name }) => name));
    const headline = `${names} ${unwell.length === 1 ? 'is' : 'are'} not heard. Every shard is served by the others.`;
    const { copies } = cluster.durability;
    const safe = `An acknowledged write is on ${plural(copies, 'disk')}; the other copies wait until ${names} can be reached again.`;
    return { health: 'warning', headline, durability: safe };
  }
  const all = nodes.length === 1 ? 'The node is' : `All ${nodes.length} nodes are`;
  if (alerts.length > 0) {
    const isCritical = alerts.some(({ severity }) => severity === 'critical');
    const headline = `${all} up; ${plural(alerts.length, 'alert')}.`;
    return { health: isCritical ? 'critical' : 'warning', headline, durability };
  }
  return { health: 'ok', headline: `${all} up, and every shard has a leader.`, durability };
}

function durabilityOf({ copies, replicas }: ClusterDocument['cluster']['durability']): string {
  const means = `An acknowledged write is on ${plural(copies, 'disk')}`;
  if (replicas <= copies) return `${means}.`;
  return `${means} at once and on ${replicas} soon after.`;
}
