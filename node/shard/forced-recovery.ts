import type { StorageEngine } from '../../lsm/engine.ts';
import type { Log } from '../../lsm/log/log.ts';
import type { LogEntry, GroupState as LoggedGroup, RecoveredGroup } from '../../lsm/log/types.ts';
import type { kv } from '../../protos/index.ts';
import type { RecoveryOrder } from '../membership/recovery-order.ts';
import { EntryKind, type ReplicaId } from '../raft/types.ts';
import {
  decodeMembers,
  decodeStored,
  encodeMembers,
  encodeStored,
  type GroupMembers,
  hasMajority,
  NO_MEMBERS,
  placesOf,
} from './configuration.ts';
import { firstFreeId } from './configuration-change.ts';
import { decodePositions, withPosition } from './group-position.ts';
import { RangeChanges, rangeOf } from './range-changes.ts';
import { emptyLog, reasonToDistrust, snapshotOverLog, wasCutOff } from './recovery.ts';
import { storedBySnapshot } from './replica-builder.ts';

/**
 * What an order makes of a group, as far as the log here tells.
 *
 * - `untouched`: those who are left decide without it, or nothing is held here.
 * - `forced`: it goes on with the copy here alone.
 * - `shared`: those who are left cannot decide, and the copy here is not the only one.
 */
export interface Judgement {
  readonly group: number;
  readonly kind: 'untouched' | 'forced' | 'shared';
  /** Other nodes that are not lost and hold a copy. */
  readonly others: readonly string[];
}

/** @param isSuspect whether the replica here cannot be trusted: then it does not count among those who decide */
export function judge(
  found: RecoveredGroup,
  own: string,
  order: Pick<RecoveryOrder, 'lost' | 'takesShared'>,
  isSuspect = isSuspectInLog(found),
): Judgement {
  const { group, replicaId } = found;
  const members = membersOf(found);
  const left = members === undefined ? [] : placesOf(members);
  const alive = left.filter(({ node }) => !order.lost.includes(node));
  const others = alive.filter(({ node }) => node !== own).map(({ node }) => node);
  const isMember = alive.some((place) => place.replicaId === replicaId);
  if (members === undefined || !isMember) return { group, kind: 'untouched', others };
  const trusted = alive
    .map((place) => place.replicaId)
    .filter((id) => !isSuspect || id !== replicaId);
  if (hasMajority(members, new Set(trusted))) return { group, kind: 'untouched', others };
  return { group, kind: others.length === 0 || order.takesShared ? 'forced' : 'shared', others };
}

/** By the newest configuration in the log; undefined: the replica is gone, or has none yet. */
function membersOf(found: RecoveredGroup): GroupMembers | undefined {
  const { removed, configurations } = decodeStored(found.configuration);
  const newest = configurations.at(-1);
  return removed || newest === undefined ? undefined : decodeMembers(newest.data);
}

function isSuspectInLog({ suspect, configuration }: RecoveredGroup): boolean {
  return suspect !== undefined || decodeStored(configuration).suspect !== undefined;
}

export interface ForcedRecovery {
  readonly loggedGroups: readonly RecoveredGroup[];
  readonly forced: readonly number[];
  /** Groups that have no other copy, and whose tables had lost something: that is put up with. */
  readonly givenUp: readonly number[];
  /** Groups that were to be forced, and of which what is here does not fit together. */
  readonly hopeless: readonly number[];
}

/**
 * Makes the replicas of this node the only ones of groups that can never decide again (`dss recover`): all that their
 * logs hold counts as committed, and a configuration of one voter, under a new replica id and in a new term, follows it.
 * What the lost ones say, should they come back, is for nobody here.
 *
 * Tables first, then the log, group by group. A crash between leaves what the same order carries on with: the ids
 * follow from what the log holds.
 */
export async function carryOut(options: {
  readonly log: Log;
  readonly engine: StorageEngine;
  readonly loggedGroups: readonly RecoveredGroup[];
  readonly own: string;
  readonly order: RecoveryOrder | undefined;
}): Promise<ForcedRecovery> {
  const { log, engine, loggedGroups, own, order } = options;
  if (order === undefined) return { loggedGroups, forced: [], givenUp: [], hopeless: [] };
  const positions = decodePositions(engine.flushedPositions());
  const plans: Plan[] = [];
  const hopeless: number[] = [];
  for (const found of loggedGroups) {
    const position = positions.get(found.group);
    const members = membersOf(found);
    if (members === undefined) continue;
    const term = Math.max(found.hardState.term, position?.appliedTerm ?? 0) + 1;
    const replicaId = firstFreeId(members, term);
    const isOwn = position?.replicaId === found.replicaId || position?.replicaId === replicaId;
    const usable = isOwn ? position : undefined;
    const isSuspect =
      isSuspectInLog(found) || reasonToDistrust(engine, found, usable) !== undefined;
    if (judge(found, own, order, isSuspect).kind !== 'forced') continue;
    const logged = whatFits(engine, found, usable);
    if (logged === undefined) hopeless.push(found.group);
    else plans.push({ logged, position: usable, term, replicaId });
  }
  // Where nothing was ever flushed there is nothing to name.
  if (plans.some(({ position }) => position !== undefined)) await nameInTables(engine, plans);
  const done = new Map<number, RecoveredGroup>();
  for (const plan of plans) done.set(plan.logged.group, await nameInLog(log, plan, own));
  const now = loggedGroups.map((found) => done.get(found.group) ?? found);
  const alone = now.filter((found) => isAlone(found) && !hopeless.includes(found.group));
  const givenUp: number[] = [];
  for (const { group, configuration } of alone) {
    if (await engine.acceptLosses(rangeOf(decodeStored(configuration)))) givenUp.push(group);
  }
  return { loggedGroups: now, forced: [...done.keys()], givenUp, hopeless };
}

function isAlone(found: RecoveredGroup): boolean {
  const members = membersOf(found);
  const [only, ...others] = members === undefined ? [] : placesOf(members);
  return only?.replicaId === found.replicaId && others.length === 0;
}

interface Plan {
  readonly logged: RecoveredGroup;
  readonly position: kv.GroupPosition | undefined;
  readonly term: number;
  readonly replicaId: ReplicaId;
}

/** A log that the tables lead to, whatever it lacks beyond; undefined: nobody knows what the tables lack. */
function whatFits(
  engine: StorageEngine,
  found: RecoveredGroup,
  position: kv.GroupPosition | undefined,
): RecoveredGroup | undefined {
  const { suspect: _, ...log } = found;
  const installed = snapshotOverLog(log, position);
  if (installed !== undefined) return emptyLog(installed);
  if (position !== undefined && position.appliedIndex > log.lastIndex) {
    return emptyLog(beginningAt(position, log));
  }
  const stored = decodeStored(log.configuration);
  // Of meta nothing was in the range: there `nameInTables` may have been cut off itself.
  const isInterrupted = stored.slotCount > 0 && wasCutOff(engine, stored) !== undefined;
  return isInterrupted || reasonToDistrust(engine, log, position) !== undefined ? undefined : log;
}

function beginningAt(position: kv.GroupPosition, log: RecoveredGroup): LoggedGroup {
  const { appliedIndex: index, appliedTerm: term } = position;
  const configuration = encodeStored(storedBySnapshot(position));
  return { ...log, configuration, logStart: { index, term } };
}

async function nameInTables(engine: StorageEngine, plans: readonly Plan[]): Promise<void> {
  const noKeys = rangeOf({ firstSlot: 0, slotCount: 0 });
  await new RangeChanges(engine).empty(noKeys, (flushed) => {
    let positions = flushed ?? new Uint8Array(0);
    for (const { logged, position, replicaId } of plans) {
      if (position === undefined) continue;
      positions = withPosition(positions, logged.group, { ...position, replicaId });
    }
    return positions;
  });
}

async function nameInLog(
  log: Log,
  { logged, term, replicaId }: Plan,
  own: string,
): Promise<RecoveredGroup> {
  const { group, logStart } = logged;
  const first = logStart.index + 1;
  const entries = await log.read(group, first, logged.lastIndex, Number.POSITIVE_INFINITY);
  const index = first + entries.length;
  const data = encodeMembers({
    ...NO_MEMBERS,
    voters: [{ replicaId, node: own }],
    nextReplicaId: replicaId + 1,
  });
  const last: LogEntry = { index, term, kind: EntryKind.configuration, data };
  const { firstSlot, slotCount, configurations } = decodeStored(logged.configuration);
  const kept = configurations.filter((each) => each.index < index);
  const state: LoggedGroup = {
    group,
    replicaId,
    hardState: { term, vote: replicaId, commit: index },
    configuration: encodeStored({
      ...{ firstSlot, slotCount, removed: false },
      configurations: [...kept, { index, term, data }],
    }),
    logStart,
  };
  log.addGroup(state);
  log.stage(group, state.hardState, [...entries, last]);
  await log.commitRound();
  const terms = logged.terms.filter(({ firstIndex }) => firstIndex < index);
  return { ...state, lastIndex: index, terms: [...terms, { firstIndex: index, term }] };
}
