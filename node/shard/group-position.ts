import { decode, encode, kv } from '../../protos/index.ts';
import { settingsToProto } from '../settings/settings-codec.ts';
import { storedToProto } from './configuration.ts';
import type { Replica } from './replica.ts';

/**
 * Where a replica stands, between two entries: what a flush stores with its tables and a snapshot carries. With it
 * and the values of the shard any replica of the group can go on from `appliedIndex`.
 */
export function positionOf(replica: Replica): kv.GroupPosition.$Properties {
  const { identity, state, raft } = replica;
  const { group, firstSlot, slotCount, replicaId } = identity;
  const { appliedIndex } = state;
  const configurations = raft.configurations.filter(({ index }) => index <= appliedIndex).slice(-1);
  return {
    group,
    replicaId,
    appliedIndex,
    appliedTerm: state.appliedTerm,
    configuration: storedToProto({ firstSlot, slotCount, configurations, removed: false }),
    highestVersion: state.highestVersion,
    streams: Array.from(state.streams.entries(), ([node, stream]) => ({ node, ...stream })),
    retention: state.retention.toProto(),
    settings: settingsToProto(state.settings),
    snapshotIndex: replica.snapshotIndex,
  };
}

/**
 * Where every group stands, as of now: goes into the manifest with the memtable that is frozen now. A group
 * without a replica here stays where it was `before`: a suspect one would else pass for new at the next start.
 */
export function encodePositions(
  replicas: Iterable<Replica>,
  before: Uint8Array | undefined,
): Uint8Array {
  const present = new Map(Array.from(replicas, (each) => [each.identity.group, positionOf(each)]));
  return encodeAll([...absent(before, [...present.keys()]), ...present.values()]);
}

/** `before`, with the position of one group replaced or, if there is none, left out. */
export function withPosition(
  before: Uint8Array | undefined,
  group: number,
  position: kv.GroupPosition.$Properties | undefined,
): Uint8Array {
  const others = absent(before, [group]);
  return encodeAll(position === undefined ? others : [...others, position]);
}

export function decodePositions(bytes: Uint8Array | undefined): Map<number, kv.GroupPosition> {
  if (bytes === undefined) return new Map();
  const { groups } = decode(kv.GroupPositions, bytes);
  return new Map((groups as kv.GroupPosition[]).map((position) => [position.group, position]));
}

function absent(
  before: Uint8Array | undefined,
  present: readonly number[],
): kv.GroupPosition.$Properties[] {
  return [...decodePositions(before).values()].filter(({ group }) => !present.includes(group));
}

function encodeAll(groups: kv.GroupPosition.$Properties[]): Uint8Array {
  return encode(kv.GroupPositions, { format: 1, groups });
}
