import type { Lease } from '../settings/settings.ts';

/** A node as the leader of the meta group sees it. */
export interface Holder {
  readonly node: string;
  /**
   * `well`: can be given something. `silent`: may still be at work. `out`: silent for longer than any of its writes
   * can take, on its way out of the cluster, or not in it any more.
   */
  readonly state: 'well' | 'silent' | 'out';
  /** Names of the sources and sinks in its configuration. */
  readonly links: readonly string[];
}

/**
 * Who is to hold what: a lease stays where it is as long as that can be, since the other broker has to redeliver
 * what was under way each time that one moves. The same array if nothing is to change.
 */
export function decideLeases(
  leases: readonly Lease[],
  holders: readonly Holder[],
): readonly Lease[] {
  const able = holders.filter(({ state }) => state === 'well');
  const decided: Lease[] = leases.filter((lease) => stays(lease, holders, able));
  const offered = [...new Set(able.flatMap(({ links }) => links))].sort();
  for (const name of offered) {
    if (decided.some((lease) => lease.name === name)) continue;
    const node = leastLaden(
      able.filter(({ links }) => links.includes(name)),
      decided,
    );
    if (node !== undefined) decided.push({ name, node });
  }
  return isSame(leases, decided) ? leases : decided;
}

function stays({ name, node }: Lease, holders: readonly Holder[], able: readonly Holder[]) {
  const holder = holders.find((each) => each.node === node);
  // Silence says nothing about its configuration.
  if (holder?.state === 'silent') return true;
  if (holder?.state === 'well') return holder.links.includes(name);
  // Nobody could have it instead: whoever returns goes on.
  return holder !== undefined && !able.some(({ links }) => links.includes(name));
}

function leastLaden(able: readonly Holder[], leases: readonly Lease[]): string | undefined {
  const load = (node: string) => leases.filter((lease) => lease.node === node).length;
  const byLoad = [...able].sort(
    (a, b) => load(a.node) - load(b.node) || (a.node < b.node ? -1 : Number(a.node > b.node)),
  );
  return byLoad[0]?.node;
}

function isSame(a: readonly Lease[], b: readonly Lease[]): boolean {
  const text = (leases: readonly Lease[]) =>
    JSON.stringify(leases.map(({ name, node }) => [name, node]).sort());
  return text(a) === text(b);
}
