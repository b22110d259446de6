import type { StorageEngine } from '../../lsm/engine.ts';
import { LsmError } from '../../lsm/errors.ts';
import type { Log, OpenedLog } from '../../lsm/log/log.ts';
import type { GroupState as LoggedGroup, RecoveredGroup } from '../../lsm/log/types.ts';
import type { kv } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import {
  type Genesis,
  type GenesisGroup,
  type GenesisReplica,
  replicasOf,
} from '../membership/genesis.ts';
import {
  canDoWithout,
  decodeMembers,
  decodeStored,
  encodeStored,
  GENESIS_POSITION,
  genesisConfiguration,
  type StoredConfiguration,
} from './configuration.ts';
import { decodePositions } from './group-position.ts';
import type { RecoveredReplicas, RemovedReplica, SuspectReplica } from './local-groups.ts';
import { CUT_OFF, isInterrupted, rangeOf } from './range-changes.ts';
import type { Replica } from './replica.ts';
import { buildReplica, storedBySnapshot } from './replica-builder.ts';

/** Stages the first state of those of this node's replicas that its log does not hold yet. */
export function addFirstReplicas(
  log: Log,
  genesis: Genesis,
  node: string,
  present: readonly RecoveredGroup[],
): void {
  for (const group of missingGroups(genesis, node, present)) {
    const { replicaId } = replicaOn(node, group) as GenesisReplica;
    log.addGroup({
      group: group.group,
      replicaId,
      hardState: { term: GENESIS_POSITION.term, vote: 0, commit: GENESIS_POSITION.index },
      configuration: encodeStored(firstConfiguration(group)),
      logStart: GENESIS_POSITION,
    });
  }
}

/**
 * Why this is not the log that the node had, if it is not: nothing else knows what its replicas have promised. Whoever has
 * opened its log before finds a round in it, and of each group that began here the replica, or that it is gone.
 */
export function lossOf(
  { replicasLost, recoveredRound, groups }: OpenedLog,
  genesis: Genesis,
  node: string,
): string | undefined {
  if (replicasLost) return 'its log does not tell any more which replicas it had';
  if (recoveredRound === 0) return 'its log is gone';
  const missing = missingGroups(genesis, node, groups).map(({ group }) => group);
  if (missing.length === 0) return undefined;
  return `its log has lost all traces of ${missing.length} groups, such as ${missing[0]}`;
}

/** Groups that began on this node and that its log does not know: not even that their replicas are gone. */
function missingGroups(
  genesis: Genesis,
  node: string,
  present: readonly RecoveredGroup[],
): GenesisGroup[] {
  const known = new Set(present.map(({ group }) => group));
  return genesis.groups.filter(
    (each) => replicaOn(node, each) !== undefined && !known.has(each.group),
  );
}

function replicaOn(node: string, group: GenesisGroup): GenesisReplica | undefined {
  return replicasOf(group).find((replica) => replica.node === node);
}

function firstConfiguration(group: GenesisGroup): StoredConfiguration {
  const { firstSlot, slotCount } = group;
  return { firstSlot, slotCount, configurations: [genesisConfiguration(group)], removed: false };
}

/**
 * What an engine has rebuilt after damage may lack anything, so replicas of groups whose others decide without them are
 * built anew from those, also if the node ends before that. Where nobody else has a majority, what is here is the best there is.
 */
export async function distrustRebuilt(options: {
  readonly log: Log;
  readonly engine: StorageEngine;
  readonly loggedGroups: readonly RecoveredGroup[];
}): Promise<readonly RecoveredGroup[]> {
  const { log, engine, loggedGroups } = options;
  if (!engine.isRebuilt) return loggedGroups;
  const now = loggedGroups.map((found) => {
    const stored = decodeStored(found.configuration);
    if (stored.suspect !== undefined || !othersDecide(found, stored)) return found;
    const configuration = encodeStored({ ...stored, suspect: REBUILT });
    log.setConfiguration(found.group, configuration);
    log.stage(found.group, found.hardState, []);
    return { ...found, configuration };
  });
  await log.commitRound();
  await engine.acceptRebuilt().catch((error: unknown) => {
    // Then the next start does the same again.
    if (!(error instanceof LsmError) || error.code !== 'DISK_FULL') throw error;
  });
  return now;
}

const REBUILT = 'the manifest of its tables was damaged, and they were put together without it';

function othersDecide({ replicaId }: RecoveredGroup, stored: StoredConfiguration): boolean {
  const newest = stored.configurations.at(-1);
  if (stored.removed || newest === undefined) return false;
  return canDoWithout(decodeMembers(newest.data), replicaId, () => true);
}

/** Puts each local replica together from what the log and the engine hold. */
export function recoverReplicas(options: {
  readonly env: Env;
  readonly log: Log;
  readonly loggedGroups: readonly RecoveredGroup[];
  readonly engine: StorageEngine;
}): RecoveredReplicas {
  const { env, engine, log } = options;
  const positions = decodePositions(engine.flushedPositions());
  const replicas: Replica[] = [];
  const suspects: SuspectReplica[] = [];
  const removed: RemovedReplica[] = [];
  for (const found of options.loggedGroups) {
    const { group, replicaId } = found;
    const stored = decodeStored(found.configuration);
    const { displaces = 0 } = stored;
    if (stored.removed) {
      removed.push({ group, replicaId, displaces });
      continue;
    }
    // That of an earlier replica on this node says nothing about this one.
    const flushed = positions.get(group);
    const position = flushed?.replicaId === replicaId ? flushed : undefined;
    const installed = snapshotOverLog(found, position);
    if (installed !== undefined) log.addGroup(installed);
    const logged = installed === undefined ? found : emptyLog(installed);
    const reason =
      stored.suspect ?? wasCutOff(engine, stored) ?? reasonToDistrust(engine, logged, position);
    if (reason !== undefined) suspects.push({ group, replicaId, displaces, reason });
    else replicas.push(buildReplica({ env, engine, found: logged, position }));
  }
  return { replicas, suspects, removed };
}

/**
 * A crash between the two steps of installing a snapshot: the tables have it, the log does not know yet. What the
 * log holds is void then (DESIGN §5 ▣, Snapshots); the vote stays. Returns how the log begins anew.
 */
export function snapshotOverLog(
  found: RecoveredGroup,
  position: kv.GroupPosition | undefined,
): LoggedGroup | undefined {
  if (found.suspect !== undefined || position === undefined) return undefined;
  const { appliedIndex: index, appliedTerm: term, snapshotIndex } = position;
  if (snapshotIndex === 0 || index !== snapshotIndex) return undefined;
  // Tables from before the log begins have lost a later edit of theirs, and the log may be all there is of an entry.
  if (index < found.logStart.index || termAt(found, index) === term) return undefined;
  const { hardState } = found;
  const kept = hardState.term >= term ? hardState : { term, vote: 0 };
  const { suspect, displaces = 0 } = decodeStored(found.configuration);
  return {
    group: found.group,
    replicaId: found.replicaId,
    hardState: { ...kept, commit: index },
    configuration: encodeStored({ ...storedBySnapshot(position), suspect, displaces }),
    logStart: { index, term },
  };
}

export function emptyLog(state: LoggedGroup): RecoveredGroup {
  return { ...state, lastIndex: state.logStart.index, terms: [] };
}

function termAt(found: RecoveredGroup, index: number): number | undefined {
  const { logStart, lastIndex, terms } = found;
  if (index === logStart.index) return logStart.term;
  if (index < logStart.index || index > lastIndex) return undefined;
  return terms.findLast(({ firstIndex }) => firstIndex <= index)?.term;
}

export function wasCutOff(engine: StorageEngine, stored: StoredConfiguration): string | undefined {
  return isInterrupted(engine, rangeOf(stored)) ? CUT_OFF : undefined;
}

export function reasonToDistrust(
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
