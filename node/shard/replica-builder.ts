import type { StorageEngine } from '../../lsm/engine.ts';
import type { GroupState as LoggedGroup, RecoveredGroup } from '../../lsm/log/types.ts';
import type { kv } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { RaftOptions, ReplicaId } from '../raft/types.ts';
import {
  configurationCodec,
  decodeStored,
  encodeStored,
  type StoredConfiguration,
  storedFromProto,
} from './configuration.ts';
import { stateOf } from './group-state.ts';
import { Replica } from './replica.ts';
import { StateMachine } from './state-machine.ts';

/** Beats every tick; an election after 5 to 10 ticks of 200 ms without a leader (DESIGN §6). */
export const TICK_MS = 200;
const RAFT_LIMITS = {
  heartbeatTicks: 1,
  electionTicks: 5,
  /** Who was not heard for 10 s holds no log any more (DESIGN §5 ▣, Segments). */
  releaseTicks: 50,
  appendBytesMax: 512 * 1024,
  inflightBytesMax: 1024 * 1024,
  /** A group without a quorum takes no more (DESIGN §5 ▣, Segments). */
  uncommittedBytesMax: 1024 * 1024,
  committedBytesMax: 1024 * 1024,
} as const;

/** A replica out of what its log and, if anything was flushed of it, the engine hold. */
export function buildReplica(options: {
  readonly env: Env;
  readonly engine: StorageEngine;
  readonly found: RecoveredGroup;
  readonly position: kv.GroupPosition | undefined;
}): Replica {
  const { env, engine, found, position } = options;
  const { group, replicaId, logStart } = found;
  const { firstSlot, slotCount, configurations, displaces = 0 } = decodeStored(found.configuration);
  const start = { appliedIndex: logStart.index, appliedTerm: logStart.term };
  const state = stateOf(position ?? start);
  const raft: RaftOptions = {
    ...RAFT_LIMITS,
    replicaId,
    configurations,
    configurationCodec,
    hardState: found.hardState,
    logStart,
    lastIndex: found.lastIndex,
    terms: found.terms,
    appliedIndex: state.appliedIndex,
    randomBelow: (bound) => env.random.below(bound),
  };
  return new Replica({
    identity: { group, firstSlot, slotCount, replicaId },
    raft,
    state: new StateMachine({ engine, firstSlot, slotCount, ...state }),
    snapshotIndex: position?.snapshotIndex ?? 0,
    displaces,
    nowMs: () => env.clock.nowMs(),
    monotonicMs: () => env.clock.monotonicMs(),
    stages: env.stages,
  });
}

/** How the log of a replica begins that a change of its group has just added. `displaces`: a suspect; 0: none. */
export function newcomer(
  shard: { readonly group: number; readonly firstSlot: number; readonly slotCount: number },
  replicaId: ReplicaId,
  displaces: ReplicaId,
): LoggedGroup {
  const { group, firstSlot, slotCount } = shard;
  const stored = { firstSlot, slotCount, configurations: [], removed: false, displaces };
  return {
    group,
    replicaId,
    hardState: { term: 0, vote: 0, commit: 0 },
    configuration: encodeStored(stored),
    logStart: { index: 0, term: 0 },
  };
}

/** What a node keeps of a group whose replica is gone from it. `displaces`: as above. */
export function tombstone(group: number, replicaId: ReplicaId, displaces: ReplicaId): LoggedGroup {
  const stored = { firstSlot: 0, slotCount: 0, configurations: [], removed: true, displaces };
  return {
    group,
    replicaId,
    hardState: { term: 0, vote: 0, commit: 0 },
    configuration: encodeStored(stored),
    logStart: { index: 0, term: 0 },
  };
}

/** The configurations of a log that begins with a snapshot. */
export function storedBySnapshot(position: kv.GroupPosition.$Properties): StoredConfiguration {
  return storedFromProto(position.configuration ?? {});
}
