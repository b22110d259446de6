import type { StorageEngine } from '../../lsm/engine.ts';
import type { Log } from '../../lsm/log/log.ts';
import type { GroupState as LoggedGroup } from '../../lsm/log/types.ts';
import type { Env, NodeEvent } from '../env.ts';
import type { ReplicaId } from '../raft/types.ts';
import type { Shard } from '../ring/slots.ts';
import { withPosition } from './group-position.ts';
import type { ShardHost } from './host.ts';
import type { LocalGroups } from './local-groups.ts';
import { type RangeChanges, rangeOf } from './range-changes.ts';
import type { Replica } from './replica.ts';
import { buildReplica, newcomer, tombstone } from './replica-builder.ts';

export interface GroupChangesOptions {
  readonly env: Env;
  readonly log: Log;
  readonly engine: StorageEngine;
  readonly groups: LocalGroups;
  readonly ranges: RangeChanges;
  readonly host: () => ShardHost;
  /** The slots of a group; undefined: there is no such group. */
  readonly layout: (group: number) => Shard | undefined;
  /** The replica is no more; whatever was on its way to it is given up. */
  readonly onGone: (replica: Replica) => Promise<void>;
  readonly observer: GroupObserver;
  readonly onFatal: (error: unknown) => void;
}

/** Told of what becomes of the groups on this node. */
export interface GroupObserver {
  /** A replica cannot be trusted any more. */
  suspected(group: number, replicaId: ReplicaId, reason: string): void;
  /** There is a new replica, which has nothing yet. */
  admitted(group: number): void;
  /** Everything that this node stored of the group has given way to a snapshot, or to nothing. */
  replaced(group: number): void;
}

/** What a leader's report says about who is in a group. */
export interface ReportedMembers {
  readonly replicas: readonly { readonly replicaId: ReplicaId }[];
  readonly nextReplicaId: ReplicaId;
  /** Only then is who is missing gone for good. */
  readonly isCommitted: boolean;
}

/** Replicas that come to this node and leave it while it runs. */
export class GroupChanges {
  readonly #options: GroupChangesOptions;
  /** Groups whose replica is on its way out: nothing is begun there before its traces are gone. */
  readonly #leaving = new Set<number>();

  constructor(options: GroupChangesOptions) {
    this.#options = options;
  }

  /**
   * The leader of a group speaks to a replica that is not here. If its id is above all that were, the group has just
   * added it: it begins with nothing, and is brought up to date by a snapshot.
   */
  admit(group: number, replicaId: ReplicaId): Replica | undefined {
    const { env, log, engine, groups, layout } = this.#options;
    const shard = layout(group);
    if (shard === undefined || this.#leaving.has(group)) return undefined;
    if (!groups.isNew(group, replicaId)) return undefined;
    const earlier = groups.get(group);
    if (earlier !== undefined) {
      void this.remove(earlier);
      return undefined;
    }
    const state = newcomer(shard, replicaId);
    log.addGroup(state);
    const found = { ...state, lastIndex: 0, terms: [] };
    const replica = buildReplica({ env, engine, found, position: undefined });
    groups.add(replica);
    this.#options.observer.admitted(group);
    return replica;
  }

  /** Stops a replica at once, as if its node were gone from the group. After a restart it is still not trusted. */
  suspect(replica: Replica, reason: string): void {
    const { env, log, groups, host, observer, onGone } = this.#options;
    const { group, replicaId } = replica.identity;
    replica.enter('gone');
    replica.close();
    groups.suspect({ group, replicaId, reason });
    const { term, vote, commitIndex: commit } = replica.raft.status();
    log.setConfiguration(group, replica.storedConfiguration(reason));
    log.stage(group, { term, vote, commit }, []);
    void host().persist();
    env.events.emit(suspectEvent(group, reason));
    observer.suspected(group, replicaId, reason);
    void onGone(replica);
  }

  /** The group goes on without this replica: what it held leaves the log, then the tables. */
  async remove(replica: Replica): Promise<void> {
    const { group, replicaId } = replica.identity;
    if (this.#leaving.has(group)) return;
    this.#leaving.add(group);
    replica.enter('gone');
    replica.close();
    const { log, groups, host, onGone, onFatal } = this.#options;
    try {
      await onGone(replica);
      await host().whenIdle(replica);
      groups.remove(group, replicaId);
      log.addGroup(tombstone(group, replicaId));
      await host().persist();
      await this.#empty(group);
    } catch (error) {
      onFatal(error);
    } finally {
      this.#leaving.delete(group);
    }
  }

  /** At the start: a crash has cut off the removal of these groups' replicas. */
  async finishRemovals(groups: readonly number[]): Promise<void> {
    for (const group of groups) await this.#empty(group);
  }

  /** A leader tells who is in its group: a learner that was removed while it was away hears of it in no other way. */
  learnMembers(group: number, { replicas, nextReplicaId, isCommitted }: ReportedMembers): void {
    if (!isCommitted) return;
    const { groups } = this.#options;
    const isGone = (id: ReplicaId) =>
      id < nextReplicaId && !replicas.some(({ replicaId }) => replicaId === id);
    const replica = groups.get(group);
    if (replica !== undefined && isGone(replica.identity.replicaId)) void this.remove(replica);
    const suspect = groups.suspects().find((each) => each.group === group);
    if (suspect !== undefined && isGone(suspect.replicaId)) {
      groups.remove(group, suspect.replicaId);
      this.#options.log.addGroup(tombstone(group, suspect.replicaId));
      void this.#options.host().persist();
    }
  }

  async #empty(group: number): Promise<void> {
    const shard = this.#options.layout(group);
    if (shard === undefined) return;
    const without = (flushed: Uint8Array | undefined) => withPosition(flushed, group, undefined);
    await this.#options.ranges.empty(rangeOf(shard), without);
    this.#options.observer.replaced(group);
  }

  /** After a snapshot: the log goes on where it ends. Resolves when that is durable. */
  async restart(replica: Replica): Promise<void> {
    const { log, host } = this.#options;
    log.addGroup(afterSnapshot(replica));
    await host().persist();
    this.#options.observer.replaced(replica.identity.group);
  }
}

/** What an operator is told of a replica that cannot be trusted. */
export function suspectEvent(group: number, reason: string): NodeEvent {
  return {
    level: 'error',
    name: 'replica-suspect',
    message: `group ${group}: the replica on this node cannot be trusted (${reason}); it neither votes nor serves until it is replaced`,
    data: { group },
  };
}

function afterSnapshot(replica: Replica): LoggedGroup {
  const { term, vote, commitIndex: commit, logStart } = replica.raft.status();
  const { group, replicaId } = replica.identity;
  const configuration = replica.storedConfiguration();
  return { group, replicaId, hardState: { term, vote, commit }, configuration, logStart };
}
