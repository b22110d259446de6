import type { StorageEngine } from '../../lsm/engine.ts';
import type { Log } from '../../lsm/log/log.ts';
import type { RecoveredGroup } from '../../lsm/log/types.ts';
import { cluster, decode, encode, kv } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import {
  type Genesis,
  type GenesisGroup,
  type GenesisReplica,
  groupOf,
  groupProperties,
  replicasOf,
} from '../membership/genesis.ts';
import type { RaftOptions } from '../raft/types.ts';
import { Retention } from '../retention/retention.ts';
import { EMPTY_SETTINGS } from '../settings/settings.ts';
import { settingsFromProto, settingsToProto } from '../settings/settings-codec.ts';
import { Replica, type ReplicaIdentity } from './replica.ts';
import { StateMachine } from './state-machine.ts';
import { Streams } from './streams.ts';

/** Beats every tick; an election after 5 to 10 ticks of 200 ms without a leader (DESIGN §6). */
export const TICK_MS = 200;
const RAFT_LIMITS = {
  heartbeatTicks: 1,
  electionTicks: 5,
  releaseTicks: 50,
  appendBytesMax: 512 * 1024,
  inflightBytesMax: 1024 * 1024,
  uncommittedBytesMax: 8 * 1024 * 1024,
  committedBytesMax: 1024 * 1024,
} as const;

/** A replica that may have lost something: it neither votes, acknowledges nor serves (DESIGN §5 ▣). */
export interface SuspectReplica {
  readonly group: number;
  readonly replicaId: number;
  readonly reason: string;
}

/** Stages the first state of those of this node's replicas that its log does not hold yet. */
export function addFirstReplicas(
  log: Log,
  genesis: Genesis,
  node: string,
  present: readonly RecoveredGroup[],
): void {
  for (const group of genesis.groups) {
    const own = replicasOf(group).find((replica) => replica.node === node);
    if (own === undefined || present.some((found) => found.group === group.group)) continue;
    log.addGroup({
      group: group.group,
      replicaId: own.replicaId,
      hardState: { term: 0, vote: 0, commit: 0 },
      configuration: encodeConfiguration(group),
      logStart: { index: 0, term: 0 },
    });
  }
}

/** Puts each local replica together from what the log and the engine hold. */
export function recoverReplicas(options: {
  readonly env: Env;
  readonly genesis: Genesis;
  readonly node: string;
  readonly groups: readonly RecoveredGroup[];
  readonly engine: StorageEngine;
  /** Distrust everything: the directory is older than what others remember, or lost its log. */
  readonly distrust: string | undefined;
}): { replicas: Replica[]; suspects: SuspectReplica[] } {
  const positions = decodePositions(options.engine.flushedPositions());
  const recovered = new Map(options.groups.map((group) => [group.group, group]));
  const replicas: Replica[] = [];
  const suspects: SuspectReplica[] = [];
  for (const genesisGroup of options.genesis.groups) {
    const own = replicasOf(genesisGroup).find(({ node }) => node === options.node);
    if (own === undefined) continue;
    const { group } = genesisGroup;
    const found = recovered.get(group);
    const position = positions.get(group);
    const reason = options.distrust ?? reasonToDistrust(found, position);
    if (reason !== undefined || found === undefined) {
      suspects.push({ group, replicaId: own.replicaId, reason: reason ?? '' });
    } else {
      replicas.push(buildReplica(options.env, options.engine, found, position));
    }
  }
  return { replicas, suspects };
}

function reasonToDistrust(
  found: RecoveredGroup | undefined,
  position: kv.GroupPosition | undefined,
): string | undefined {
  if (found === undefined) return 'its log is gone';
  if (found.suspect !== undefined) return found.suspect;
  const applied = position?.appliedIndex ?? 0;
  if (applied < found.logStart.index) return 'its tables end before its log begins';
  if (applied > found.lastIndex) return 'its log ends before its tables do';
  return undefined;
}

function buildReplica(
  env: Env,
  engine: StorageEngine,
  found: RecoveredGroup,
  position: kv.GroupPosition | undefined,
): Replica {
  const identity = identityOf(found);
  const appliedIndex = position?.appliedIndex ?? 0;
  const raft: RaftOptions = {
    ...RAFT_LIMITS,
    replicaId: found.replicaId,
    configurations: [{ ...found.logStart, data: found.configuration }],
    configurationCodec: { read: () => identity.configuration, leaveJoint: (data) => data },
    hardState: found.hardState,
    logStart: found.logStart,
    lastIndex: found.lastIndex,
    terms: found.terms,
    appliedIndex,
    randomBelow: (bound) => env.random.below(bound),
  };
  const streams = (position?.streams ?? []).map(
    ({ node, startCounter, number }) => [node, { startCounter, number }] as const,
  );
  const state = new StateMachine({
    engine,
    firstSlot: identity.firstSlot,
    slotCount: identity.slotCount,
    appliedIndex,
    appliedTerm: position?.appliedTerm ?? 0,
    highestVersion: position?.highestVersion ?? 0,
    streams: new Streams(streams),
    retention:
      position?.retention == null ? Retention.initial : Retention.fromProto(position.retention),
    settings: position?.settings == null ? EMPTY_SETTINGS : settingsFromProto(position.settings),
  });
  return new Replica({
    identity,
    raft,
    state,
    nowMs: () => env.clock.nowMs(),
    monotonicMs: () => env.clock.monotonicMs(),
  });
}

/** The truth about who is in a group is its configuration in its own log (DESIGN §5 ▣). */
function identityOf(found: RecoveredGroup): ReplicaIdentity {
  const configured = groupOf(decode(cluster.GenesisGroup, found.configuration));
  const { group, firstSlot, slotCount, voters, learners } = configured;
  const idsOf = (replicas: readonly GenesisReplica[]) => replicas.map(({ replicaId }) => replicaId);
  return {
    group,
    firstSlot,
    slotCount,
    replicaId: found.replicaId,
    members: new Map(replicasOf(configured).map(({ replicaId, node }) => [replicaId, node])),
    configuration: { voters: idsOf(voters), outgoing: [], learners: idsOf(learners) },
  };
}

function encodeConfiguration(group: GenesisGroup): Uint8Array {
  return encode(cluster.GenesisGroup, groupProperties(group));
}

/**
 * Where every group stands, as of now: goes into the manifest with the memtable that is frozen now. A group
 * without a replica here stays where it was `before`: a suspect one would else pass for new at the next start.
 */
export function encodePositions(
  replicas: Iterable<Replica>,
  before: Uint8Array | undefined,
): Uint8Array {
  const positions = Array.from(replicas, ({ identity, state }) => ({
    group: identity.group,
    replicaId: identity.replicaId,
    appliedIndex: state.appliedIndex,
    appliedTerm: state.appliedTerm,
    highestVersion: state.highestVersion,
    streams: Array.from(state.streams.entries(), ([node, stream]) => ({ node, ...stream })),
    retention: state.retention.toProto(),
    settings: settingsToProto(state.settings),
  }));
  const present = new Set(positions.map(({ group }) => group));
  const absent = [...decodePositions(before).values()].filter(({ group }) => !present.has(group));
  const groups = [...positions, ...absent];
  return encode(kv.GroupPositions, { format: 1, groups });
}

export function decodePositions(bytes: Uint8Array | undefined): Map<number, kv.GroupPosition> {
  if (bytes === undefined) return new Map();
  const { groups } = decode(kv.GroupPositions, bytes);
  return new Map((groups as kv.GroupPosition[]).map((position) => [position.group, position]));
}
