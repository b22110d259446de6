import type { Machine } from '../cluster.ts';
import type { Fault, FaultSite } from './site.ts';

/** Nothing gets through on these ways, until it ends. */
function cut(site: FaultSite, ways: readonly (readonly [from: Machine, to: Machine])[]) {
  const { cuts } = site.cluster.network;
  const names = ways.map(([from, to]) => `${from.address}>${to.address}`);
  const added = names.filter((name) => !cuts.has(name));
  for (const name of added) cuts.add(name);
  return () => {
    for (const name of added) cuts.delete(name);
  };
}

function bothWays(some: readonly Machine[], others: readonly Machine[]) {
  return some.flatMap((one) =>
    others.flatMap((other) => [[one, other] as const, [other, one] as const]),
  );
}

function shuffled(site: FaultSite): Machine[] {
  const left = [...site.cluster.machines];
  const order: Machine[] = [];
  while (left.length > 0) order.push(...left.splice(site.random.below(left.length), 1));
  return order;
}

const PARTITION_MS = [300, 15_000] as const;

/** Two sides that do not hear each other. */
export const partition: Fault = {
  name: 'partition',
  lastsMs: PARTITION_MS,
  begin: (site) => {
    const machines = shuffled(site);
    const size = 1 + site.random.below(machines.length - 1);
    return cut(site, bothWays(machines.slice(0, size), machines.slice(size)));
  },
};

/** One side hears the other, and is not heard. */
export const oneWayPartition: Fault = {
  name: 'one-way partition',
  lastsMs: PARTITION_MS,
  begin: (site) => {
    const machines = shuffled(site);
    const size = 1 + site.random.below(machines.length - 1);
    const some = machines.slice(0, size);
    const others = machines.slice(size);
    return cut(
      site,
      some.flatMap((from) => others.map((to) => [from, to] as const)),
    );
  },
};

/** Two nodes do not hear each other, and the others hear both. */
export const pairCut: Fault = {
  name: 'pair cut',
  lastsMs: PARTITION_MS,
  begin: (site) => {
    const [one, other] = shuffled(site);
    return cut(site, bothWays([one as Machine], [other as Machine]));
  },
};

/** Whoever leads most groups is alone. */
export const leaderIsolated: Fault = {
  name: 'leader isolated',
  lastsMs: PARTITION_MS,
  begin: (site) => {
    const leads = (machine: Machine) =>
      machine.joined
        ? [...machine.active.host.replicas()].filter(({ raft }) => raft.role === 'leader').length
        : 0;
    const [busiest, ...others] = [...site.cluster.machines].sort((a, b) => leads(b) - leads(a));
    if (busiest === undefined || leads(busiest) === 0) return undefined;
    return cut(site, bothWays([busiest], others));
  },
};

/** Messages are lost, and others come twice. */
export const badWire: Fault = {
  name: 'loss and duplicates',
  lastsMs: [500, 10_000],
  begin: ({ cluster: { network }, random }) => {
    network.lossRatio = random.pick([0.01, 0.05, 0.3]);
    network.duplicateRatio = random.pick([0.01, 0.05, 0.3]);
    return () => {
      network.lossRatio = 0;
      network.duplicateRatio = 0;
    };
  },
};

/** Messages take long, each another time: those of one connection stay in order, others overtake them. */
export const slowWire: Fault = {
  name: 'delay',
  lastsMs: [500, 10_000],
  begin: (site) => {
    const { network } = site.cluster;
    if (site.random.chance(0.5)) {
      const before = network.delayMsMax;
      network.delayMsMax = site.random.pick([20, 150, 600]);
      return () => {
        network.delayMsMax = before;
      };
    }
    const [one, other] = shuffled(site) as [Machine, Machine];
    const way = `${one.address}>${other.address}`;
    network.delaysMs.set(way, site.random.pick([50, 400, 1_500]));
    return () => void network.delaysMs.delete(way);
  },
};

/** The connections of two nodes break, and are made anew at once. */
export const reset: Fault = {
  name: 'reset',
  lastsMs: [1, 1],
  begin: (site) => {
    const [one, other] = shuffled(site) as [Machine, Machine];
    site.cluster.network.reset(one.address, other.address);
    return () => {};
  },
};
