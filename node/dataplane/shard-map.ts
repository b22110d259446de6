import { type Genesis, replicasOf } from '../membership/genesis.ts';
import { metaGroup, slotOf } from '../ring/slots.ts';

/** `outgoing`: a voter of the configuration that is being left, and of that alone. */
export type PlaceRole = 'voter' | 'outgoing' | 'learner';

/** Where one replica of a group is. While one is swapped for another, a node may have two places. */
export interface Place {
  readonly node: string;
  readonly role: PlaceRole;
}

/** What the leader of a group says of it. Our own Raft names leaders too, but not who is in the group. */
export interface GroupReport {
  readonly node: string;
  readonly term: number;
  readonly configuration?: { readonly index: number; readonly places: readonly Place[] };
}

/** Of what another node knows of a group; its leader may be newer than whoever reported the places. */
export interface RelayedRow {
  readonly leader: Leader | undefined;
  readonly configuration: PlacesReport;
}

interface Leader {
  readonly node: string;
  readonly term: number;
}

interface PlacesReport {
  /** Of the leader that reported it. */
  readonly term: number;
  readonly index: number;
  readonly places: readonly Place[];
}

export interface MapRow extends RelayedRow {
  readonly group: number;
  readonly firstSlot: number;
  /** 0 for the meta group. */
  readonly slotCount: number;
  /** The nodes of its replicas, each once: voters first, learners last. */
  readonly replicas: readonly string[];
}

export interface MapChange {
  readonly group: number;
  /** In a later term than before; the same node too. */
  readonly isNewLeader: boolean;
}

/** The nodes that take part in the cluster, as the node table says. */
export interface TakingPart {
  has(node: string): boolean;
  others(): readonly string[];
}

type Row = { -readonly [Field in keyof MapRow]: MapRow[Field] };

const ROLES: readonly PlaceRole[] = ['voter', 'outgoing', 'learner'];

/**
 * The map by which a node routes: a cache of what leaders report, so a wrong guess costs one redirect (DESIGN §5 ▣).
 * It begins with the genesis; the slots of a group never change.
 *
 * The report of the later term wins, and within a term that of the later configuration. A leader of a later term
 * knows every configuration that counts; one of an earlier term may have named one that was cut from the log
 * (docs/adr/0011-later-term-wins-in-the-map.md).
 */
export class ShardMap {
  readonly #rows = new Map<number, Row>();
  readonly #groupOfSlot: number[] = [];
  readonly #members: TakingPart;
  readonly #listeners: ((change: MapChange) => void)[] = [];

  constructor(genesis: Genesis, members: TakingPart) {
    this.#members = members;
    for (const genesisGroup of genesis.groups) {
      const { group, firstSlot, slotCount, voters } = genesisGroup;
      const places = replicasOf(genesisGroup).map(({ node }, i): Place => {
        return { node, role: i < voters.length ? 'voter' : 'learner' };
      });
      const configuration = { term: 0, index: 0, places };
      const row = { group, firstSlot, slotCount, leader: undefined };
      this.#rows.set(group, { ...row, configuration, replicas: nodesOf(places) });
      for (let slot = firstSlot; slot < firstSlot + slotCount; slot++)
        this.#groupOfSlot[slot] = group;
    }
  }

  groupOf(bytes: Uint8Array, keyStart: number, keyEnd: number): number {
    return this.#groupOfSlot[slotOf(bytes, keyStart, keyEnd)] as number;
  }

  /** All groups that hold keys. */
  shards(): readonly MapRow[] {
    return [...this.#rows.values()].filter(({ group }) => group !== metaGroup);
  }

  rows(): readonly MapRow[] {
    return [...this.#rows.values()];
  }

  /** Undefined: there is no such group. */
  find(group: number): MapRow | undefined {
    return this.#rows.get(group);
  }

  row(group: number): MapRow {
    const row = this.find(group);
    if (row === undefined) throw new RangeError(`there is no group ${group}`);
    return row;
  }

  /** Returns whether it names a leader of a later term than was known. */
  report(group: number, { node, term, configuration }: GroupReport): boolean {
    return this.#learn(group, { node, term }, configuration && { ...configuration, term });
  }

  /** What another node knows, in the same way. */
  relay(group: number, { leader, configuration }: RelayedRow): boolean {
    return this.#learn(group, leader, configuration);
  }

  /** Calls `listener` at every change of a row. */
  onChange(listener: (change: MapChange) => void): void {
    this.#listeners.push(listener);
  }

  /** The nodes of which a majority decides in a group, as its leader said last. */
  voters(group: number): readonly string[] {
    const { places } = this.row(group).configuration;
    return places.filter(({ role }) => role === 'voter').map(({ node }) => node);
  }

  leaderOf(group: number): string | undefined {
    return this.#rows.get(group)?.leader?.node;
  }

  /** Where a group should be: at the leader we know of, then at its other replicas. */
  candidates(group: number): string[] {
    const { leader, replicas } = this.row(group);
    const nodes = leader === undefined ? replicas : [leader.node, ...replicas];
    return [...new Set(nodes)].filter((node) => this.#members.has(node));
  }

  /** And where it might be, if the map is so old that none of these has it: at every other node. */
  allCandidates(group: number): string[] {
    const others = this.#members.others().filter((node) => this.#members.has(node));
    return [...new Set([...this.candidates(group), ...others])];
  }

  /** The first candidate, without making a list. */
  likeliest(group: number): string | undefined {
    const leader = this.leaderOf(group);
    if (leader !== undefined && this.#members.has(leader)) return leader;
    return this.row(group).replicas.find((node) => this.#members.has(node));
  }

  #learn(
    group: number,
    leader: Leader | undefined,
    configuration: PlacesReport | undefined,
  ): boolean {
    const row = this.#rows.get(group);
    if (row === undefined) return false;
    const isNewLeader = leader !== undefined && leader.term > (row.leader?.term ?? 0);
    const isNewConfiguration =
      configuration !== undefined && isLater(configuration, row.configuration);
    if (isNewLeader) row.leader = leader;
    if (isNewConfiguration) {
      row.configuration = configuration;
      row.replicas = nodesOf(configuration.places);
    }
    if (isNewLeader || isNewConfiguration) {
      for (const listener of this.#listeners) listener({ group, isNewLeader });
    }
    return isNewLeader;
  }
}

function isLater(a: PlacesReport, b: PlacesReport): boolean {
  return a.term > b.term || (a.term === b.term && a.index > b.index);
}

function nodesOf(places: readonly Place[]): string[] {
  const inOrder = ROLES.flatMap((role) => places.filter((place) => place.role === role));
  return [...new Set(inOrder.map(({ node }) => node))];
}

/**
 * How many replicas at least have a write fsynced when it is acknowledged: a majority of the voters and, while a
 * configuration is being left, of those before. Not all of these are known; those of them that stay stand among the
 * voters.
 */
export function acknowledgedCopies({ places }: { readonly places: readonly Place[] }): number {
  const majorityOf = (role: PlaceRole) => {
    const count = places.filter((place) => place.role === role).length;
    return count === 0 ? 0 : Math.floor(count / 2) + 1;
  };
  return Math.max(majorityOf('voter'), majorityOf('outgoing'));
}
