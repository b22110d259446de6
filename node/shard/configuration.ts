import { decode, encode, kv } from '../../protos/index.ts';
import type { GenesisGroup } from '../membership/genesis.ts';
import { quorumValue } from '../raft/quorum.ts';
import type {
  Configuration,
  ConfigurationAt,
  ConfigurationCodec,
  ReplicaId,
} from '../raft/types.ts';

/** A replica id and the node that holds it. */
export interface Place {
  readonly replicaId: ReplicaId;
  readonly node: string;
}

/** Who is in a group, as its log says (DESIGN §5 ▣): the core sees the replica ids, its host the nodes too. */
export interface GroupMembers {
  readonly voters: readonly Place[];
  /** The voters before, during joint consensus. */
  readonly outgoing: readonly Place[];
  readonly learners: readonly Place[];
  /** Of the outgoing: they stay as learners. */
  readonly demoted: readonly Place[];
  /** Lower ids are given no more: of those that are not named here none is in a configuration that follows. */
  readonly nextReplicaId: ReplicaId;
}

/** The genesis counts as the first entry of every group: who is added later has less, and needs a snapshot. */
export const GENESIS_POSITION = { index: 1, term: 1 } as const;

const FORMAT = 1;

export const NO_MEMBERS: GroupMembers = {
  voters: [],
  outgoing: [],
  learners: [],
  demoted: [],
  nextReplicaId: 0,
};

export function encodeMembers(members: GroupMembers): Uint8Array {
  return encode(kv.ConfigurationRecord, recordOf(members));
}

/** @throws {ProtocolError} */
export function decodeMembers(data: Uint8Array): GroupMembers {
  return membersOfRecord(decode(kv.ConfigurationRecord, data));
}

/** How the Raft core reads what its host wrote. */
export const configurationCodec: ConfigurationCodec = {
  read: (data): Configuration => {
    const { voters, outgoing, learners } = decodeMembers(data);
    return { voters: idsOf(voters), outgoing: idsOf(outgoing), learners: idsOf(learners) };
  },
  leaveJoint: (data) => {
    const { voters, learners, demoted, nextReplicaId } = decodeMembers(data);
    const stay = [...learners, ...demoted];
    return encodeMembers({ voters, outgoing: [], learners: stay, demoted: [], nextReplicaId });
  },
};

/** Everybody who gets entries, each once. */
export function placesOf({ voters, outgoing, learners }: GroupMembers): Place[] {
  const places = new Map(
    [...voters, ...outgoing, ...learners].map((each) => [each.replicaId, each]),
  );
  return [...places.values()];
}

/** Whether this id never counts again, once these are the members by a committed configuration. */
export function isGone(members: GroupMembers, replicaId: ReplicaId): boolean {
  if (replicaId >= members.nextReplicaId) return false;
  return !placesOf(members).some((place) => place.replicaId === replicaId);
}

/** Whether these replicas decide without any other. */
export function hasMajority(members: GroupMembers, replicas: ReadonlySet<ReplicaId>): boolean {
  const configuration = {
    voters: idsOf(members.voters),
    outgoing: idsOf(members.outgoing),
    learners: [],
  };
  return quorumValue(configuration, (replicaId) => (replicas.has(replicaId) ? 1 : 0)) === 1;
}

/**
 * Whether the others who are well decide without this replica. One that is being replaced where it is was lost before, and
 * of a group of one voter or of two nobody is left who decides.
 */
export function canDoWithout(
  members: GroupMembers,
  replicaId: ReplicaId,
  isWell: (place: Place) => boolean,
): boolean {
  const { voters } = members;
  const isReplaced = (place: Place) =>
    voters.some(({ node, replicaId: id }) => node === place.node && id > place.replicaId);
  const others = placesOf(members).filter((place) => {
    return place.replicaId !== replicaId && !isReplaced(place) && isWell(place);
  });
  return hasMajority(members, new Set(idsOf(others)));
}

export function genesisConfiguration(group: GenesisGroup): ConfigurationAt {
  const { voters, learners } = group;
  const highest = Math.max(...[...voters, ...learners].map(({ replicaId }) => replicaId));
  const members = { ...NO_MEMBERS, voters, learners, nextReplicaId: highest + 1 };
  return { ...GENESIS_POSITION, data: encodeMembers(members) };
}

/** What a node keeps of a group beside its log. */
export interface StoredConfiguration {
  readonly firstSlot: number;
  /** 0 for the meta group. */
  readonly slotCount: number;
  readonly configurations: readonly ConfigurationAt[];
  /** The replica is gone; its id is kept, so that it never comes back. */
  readonly removed: boolean;
  /** Why the replica is not to be trusted, once that has turned out. */
  readonly suspect?: string | undefined;
  /** A suspect in whose place the replica is, as long as the group may not have agreed to that; 0: none. */
  readonly displaces?: ReplicaId;
}

export function storedToProto(stored: StoredConfiguration): kv.GroupConfiguration.$Properties {
  const { firstSlot, slotCount, removed, suspect = '', displaces = 0 } = stored;
  const configurations = stored.configurations.map(({ index, term, data }) => ({
    index,
    term,
    record: decode(kv.ConfigurationRecord, data),
  }));
  return { format: FORMAT, firstSlot, slotCount, configurations, removed, suspect, displaces };
}

export function storedFromProto(wire: kv.GroupConfiguration.$Properties): StoredConfiguration {
  const configurations = (wire.configurations ?? []).map(({ index, term, record }) => ({
    index: index ?? 0,
    term: term ?? 0,
    data: encode(kv.ConfigurationRecord, record ?? {}),
  }));
  const { firstSlot = 0, slotCount = 0, removed = false, displaces = 0 } = wire;
  const suspect = wire.suspect || undefined;
  return { firstSlot, slotCount, configurations, removed, suspect, displaces };
}

export function encodeStored(stored: StoredConfiguration): Uint8Array {
  return encode(kv.GroupConfiguration, storedToProto(stored));
}

/** @throws {ProtocolError} */
export function decodeStored(bytes: Uint8Array): StoredConfiguration {
  return storedFromProto(decode(kv.GroupConfiguration, bytes));
}

function recordOf(members: GroupMembers): kv.ConfigurationRecord.$Properties {
  const { voters, outgoing, learners, demoted, nextReplicaId } = members;
  return {
    format: FORMAT,
    voters: [...voters],
    outgoing: [...outgoing],
    learners: [...learners],
    demoted: [...demoted],
    nextReplicaId,
  };
}

function membersOfRecord(record: kv.ConfigurationRecord): GroupMembers {
  const places = (from: readonly kv.ReplicaPlace.$Properties[]) =>
    from.map(({ replicaId = 0, node = '' }) => ({ replicaId, node }));
  return {
    voters: places(record.voters),
    outgoing: places(record.outgoing),
    learners: places(record.learners),
    demoted: places(record.demoted),
    nextReplicaId: record.nextReplicaId,
  };
}

function idsOf(places: readonly Place[]): ReplicaId[] {
  return places.map(({ replicaId }) => replicaId);
}
