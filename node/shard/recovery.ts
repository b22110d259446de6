import { compareBytes } from '../../lsm/bytes.ts';
import type { StorageEngine } from '../../lsm/engine.ts';
import type { Log } from '../../lsm/log/log.ts';
import type { GroupState as LoggedGroup, RecoveredGroup } from '../../lsm/log/types.ts';
import type { kv } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import { type Genesis, type GenesisGroup, replicasOf } from '../membership/genesis.ts';
import type { ReplicaId } from '../raft/types.ts';
import {
  decodeStored,
  encodeStored,
  GENESIS_POSITION,
  genesisConfiguration,
  type StoredConfiguration,
} from './configuration.ts';
import { decodePositions } from './group-position.ts';
import type { RecoveredReplicas, SuspectReplica } from './local-groups.ts';
import { rangeOf } from './range-changes.ts';
import type { Replica } from './replica.ts';
import { buildReplica, storedBySnapshot } from './replica-builder.ts';

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
      hardState: { term: GENESIS_POSITION.term, vote: 0, commit: GENESIS_POSITION.index },
      configuration: encodeStored(firstConfiguration(group)),
      logStart: GENESIS_POSITION,
    });
  }
}

function firstConfiguration(group: GenesisGroup): StoredConfiguration {
  const { firstSlot, slotCount } = group;
  return { firstSlot, slotCount, configurations: [genesisConfiguration(group)], removed: false };
}

/** Puts each local replica together from what the log and the engine hold. */
export function recoverReplicas(options: {
  readonly env: Env;
  readonly genesis: Genesis;
  readonly node: string;
  readonly log: Log;
  readonly loggedGroups: readonly RecoveredGroup[];
  readonly engine: StorageEngine;
  /** Distrust everything: the directory is older than what others remember, or lost its log. */
  readonly distrust: string | undefined;
}): RecoveredReplicas {
  const { env, engine, log, distrust } = options;
  const positions = decodePositions(engine.flushedPositions());
  const replicas: Replica[] = [];
  const suspects: SuspectReplica[] = [];
  const removed = new Map<number, ReplicaId>();
  for (const found of options.loggedGroups) {
    const { group, replicaId } = found;
    const stored = decodeStored(found.configuration);
    if (stored.removed) {
      removed.set(group, replicaId);
      continue;
    }
    // That of an earlier replica on this node says nothing about this one.
    const flushed = positions.get(group);
    const position = flushed?.replicaId === replicaId ? flushed : undefined;
    const installed = distrust === undefined ? snapshotOverLog(found, position) : undefined;
    if (installed !== undefined) log.addGroup(installed);
    const logged = installed === undefined ? found : emptyLog(installed);
    const reason =
      distrust ?? wasCutOff(engine, stored) ?? reasonToDistrust(engine, logged, position);
    if (reason !== undefined) suspects.push({ group, replicaId, reason });
    else replicas.push(buildReplica({ env, engine, found: logged, position }));
  }
  const lost = lostReplicas(options, positions);
  const leftovers = [...removed.keys()].filter((group) => positions.has(group));
  return {
    replicas,
    suspects: [...suspects, ...lost],
    removed,
    leftovers,
    isIncomplete: distrust !== undefined || lost.length > 0,
  };
}

/** First replicas of this node that its log must have held and does not know. */
function lostReplicas(
  options: {
    readonly genesis: Genesis;
    readonly node: string;
    readonly loggedGroups: readonly RecoveredGroup[];
    readonly distrust: string | undefined;
  },
  positions: ReadonlyMap<number, kv.GroupPosition>,
): SuspectReplica[] {
  const logged = new Set(options.loggedGroups.map(({ group }) => group));
  return options.genesis.groups.flatMap((genesisGroup) => {
    const { group } = genesisGroup;
    const own = replicasOf(genesisGroup).find(({ node }) => node === options.node);
    if (own === undefined || logged.has(group)) return [];
    const replicaId = positions.get(group)?.replicaId ?? own.replicaId;
    return [{ group, replicaId, reason: options.distrust ?? 'its log is gone' }];
  });
}

/**
 * A crash between the two steps of installing a snapshot: the tables have it, the log does not know yet. What the
 * log holds is void then (DESIGN §5 ▣, Snapshots); the vote stays. Returns how the log begins anew.
 */
function snapshotOverLog(
  found: RecoveredGroup,
  position: kv.GroupPosition | undefined,
): LoggedGroup | undefined {
  if (found.suspect !== undefined || position === undefined) return undefined;
  const { appliedIndex: index, appliedTerm: term, snapshotIndex } = position;
  if (snapshotIndex === 0 || index !== snapshotIndex) return undefined;
  if (termAt(found, index) === term) return undefined;
  const { hardState } = found;
  const kept = hardState.term >= term ? hardState : { term, vote: 0 };
  return {
    group: found.group,
    replicaId: found.replicaId,
    hardState: { ...kept, commit: index },
    configuration: encodeStored(storedBySnapshot(position)),
    logStart: { index, term },
  };
}

function emptyLog(state: LoggedGroup): RecoveredGroup {
  return { ...state, lastIndex: state.logStart.index, terms: [] };
}

function termAt(found: RecoveredGroup, index: number): number | undefined {
  const { logStart, lastIndex, terms } = found;
  if (index === logStart.index) return logStart.term;
  if (index < logStart.index || index > lastIndex) return undefined;
  return terms.findLast(({ firstIndex }) => firstIndex <= index)?.term;
}

function wasCutOff(engine: StorageEngine, stored: StoredConfiguration): string | undefined {
  const { lower } = rangeOf(stored);
  const isEmptied = engine
    .interruptedReplacements()
    .some((range) => compareBytes(range.lower, lower) === 0);
  return isEmptied ? 'a snapshot was cut off while it replaced its tables' : undefined;
}

function reasonToDistrust(
  engine: StorageEngine,
  found: RecoveredGroup,
  position: kv.GroupPosition | undefined,
): string | undefined {
  if (found.suspect !== undefined) return found.suspect;
  // Every flush notes where all replicas stand, and a snapshot where its own does.
  const isUnknown = position === undefined && engine.statistics().tableCount > 0;
  if (isUnknown && found.logStart.index > 0) return 'it is not known how far its tables go';
  const applied = position?.appliedIndex ?? firstIndexOf(found);
  if (applied < found.logStart.index) return 'its tables end before its log begins';
  if (applied > found.lastIndex) return 'its log ends before its tables do';
  return undefined;
}

/** Before anything was flushed, a first replica stands at the genesis and one that was added at nothing. */
function firstIndexOf({ logStart }: RecoveredGroup): number {
  return logStart.index === 0 ? 0 : GENESIS_POSITION.index;
}
