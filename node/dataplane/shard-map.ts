import { type Genesis, replicasOf } from '../membership/genesis.ts';
import { metaGroup, slotOf } from '../ring/slots.ts';

/** A report of who leads a group; the higher (configuration index, term) wins (DESIGN §5 ▣). */
export interface LeaderReport {
  readonly node: string;
  readonly term: number;
  readonly configurationIndex: number;
}

interface Row {
  readonly group: number;
  readonly firstSlot: number;
  readonly slotCount: number;
  /** Voters first, then learners. */
  readonly replicas: readonly string[];
  readonly voterCount: number;
  leader: LeaderReport | undefined;
}

/** The map by which a node routes. A cache of reports: a wrong guess costs one redirect. */
export class ShardMap {
  readonly #rows = new Map<number, Row>();
  readonly #groupOfSlot: number[] = [];

  constructor(genesis: Genesis) {
    for (const genesisGroup of genesis.groups) {
      const { group, firstSlot, slotCount, voters } = genesisGroup;
      const replicas = replicasOf(genesisGroup).map(({ node }) => node);
      const voterCount = voters.length;
      const row = { group, firstSlot, slotCount, replicas, voterCount, leader: undefined };
      this.#rows.set(group, row);
      for (let slot = firstSlot; slot < firstSlot + slotCount; slot++)
        this.#groupOfSlot[slot] = group;
    }
  }

  groupOf(bytes: Uint8Array, keyStart: number, keyEnd: number): number {
    return this.#groupOfSlot[slotOf(bytes, keyStart, keyEnd)] as number;
  }

  /** All groups that hold keys. */
  shards(): readonly Row[] {
    return [...this.#rows.values()].filter(({ group }) => group !== metaGroup);
  }

  rows(): readonly Row[] {
    return [...this.#rows.values()];
  }

  row(group: number): Row {
    const row = this.#rows.get(group);
    if (row === undefined) throw new RangeError(`there is no group ${group}`);
    return row;
  }

  /** Returns whether it says more than was known. */
  report(group: number, report: LeaderReport): boolean {
    const row = this.#rows.get(group);
    if (row === undefined) return false;
    const known = row.leader;
    const isNewer =
      known === undefined ||
      report.configurationIndex > known.configurationIndex ||
      (report.configurationIndex === known.configurationIndex && report.term > known.term);
    if (isNewer) row.leader = report;
    return isNewer;
  }

  leaderOf(group: number): string | undefined {
    return this.#rows.get(group)?.leader?.node;
  }

  /** Where to try for a group: the leader we know of, then its other replicas. */
  candidates(group: number): string[] {
    const { leader, replicas } = this.row(group);
    if (leader === undefined) return [...replicas];
    return [leader.node, ...replicas.filter((node) => node !== leader.node)];
  }
}
