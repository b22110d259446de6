import { expect } from 'vitest';
import type { HistoricValue } from '../../broker/data-plane.ts';
import type { RetentionRule } from '../../node/retention/rules.ts';
import type { SettingsEdit } from '../../node/settings/settings.ts';
import { decode, encode, type Machine, type SimCluster } from './cluster.ts';

/** A rule that keeps everything for ever, but for what is said. */
export function rule(prefix: string, rest: Partial<RetentionRule> = {}): RetentionRule {
  return { prefix, keepMs: undefined, versions: 0, ttlMs: 0, ...rest };
}

/** Changes the settings, and waits until every shard has the rules. */
export async function change(
  cluster: SimCluster,
  machine: Machine,
  edit: SettingsEdit,
): Promise<void> {
  const outcome = await cluster.world.resolve('change', machine.active.settings.change(edit));
  expect(outcome.kind).toBe('settled');
  if (outcome.kind !== 'settled') return;
  const { revision } = outcome.settings;
  await cluster.world.until('every shard has the rules', () =>
    cluster.machines.every((each) =>
      [...each.active.host.replicas()].every(
        ({ identity, state }) => identity.slotCount === 0 || state.retention.revision === revision,
      ),
    ),
  );
}

/** Everything that is seen of a key, the oldest first. */
export async function history(cluster: SimCluster, machine: Machine, key: string) {
  const query = {
    key: encode(key),
    from: 0,
    to: Number.MAX_SAFE_INTEGER,
    limit: 500,
    ascending: true,
  };
  const reading = cluster.dataPlane(machine).history(query);
  const page = await cluster.world.resolve('history', reading);
  if (page.kind !== 'page') throw new Error(page.kind);
  return page.items;
}

export const textsOf = (items: readonly HistoricValue[]) =>
  items.map(({ value, deleted }) => (deleted ? '<deleted>' : decode(value)));
