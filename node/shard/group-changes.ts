import { isDiskFull } from '../../lsm/disk-full.ts';
import type { StorageEngine } from '../../lsm/engine.ts';
import type { Log } from '../../lsm/log/log.ts';
import type { GroupState as LoggedGroup } from '../../lsm/log/types.ts';
import type { Env, NodeEvent } from '../env.ts';
import type { ReplicaId } from '../raft/types.ts';
import type { Shard } from '../ring/slots.ts';
import { decodePositions, withPosition } from './group-position.ts';
import type { ShardHost } from './host.ts';
import type { LocalGroups } from './local-groups.ts';
import { isVacant, type RangeChanges, rangeOf } from './range-changes.ts';
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

/** After the disk was too full to remove something. */
const RETRY_MS = 5_000;

/** Replicas that come to this node and leave it while it runs. */
export class GroupChanges {
  readonly #options: GroupChangesOptions;
  /** Groups that something is on its way out of. */
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
    const state = newcomer(shard, replicaId, groups.placeTakenIn(group));
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
    groups.suspect({ group, replicaId, displaces: replica.displaces, reason });
    const { term, vote, commitIndex: commit } = replica.raft.status();
    log.setConfiguration(group, replica.storedConfiguration(reason));
    log.stage(group, { term, vote, commit }, []);
    void host().persist();
    env.events.emit(suspectEvent(group, reason));
    observer.suspected(group, replicaId, reason);
    void this.#leave(group, () => onGone(replica));
  }

  /** The group goes on without this replica: what it held leaves the log, then the tables. */
  remove(replica: Replica): Promise<void> {
    const { host, onGone } = this.#options;
    const { group, replicaId } = replica.identity;
    return this.#leave(group, async () => {
      replica.enter('gone');
      replica.close();
      await onGone(replica);
      await host().whenIdle(replica);
      await this.#bury(group, replicaId);
    });
  }

  /** At the start: a crash may have cut off the removal of these groups' replicas. */
  async finishRemovals(groups: readonly number[]): Promise<void> {
    const finish = async (group: number) => {
      if (await this.#hasTraces(group)) await this.#empty(group);
    };
    await Promise.all(groups.map((group) => this.#leave(group, () => finish(group))));
  }

  /** A leader tells who is in its group: a learner that was removed while it was away hears of it in no other way. */
  learnMembers(group: number, members: ReportedMembers): void {
    if (!members.isCommitted) return;
    const { groups } = this.#options;
    if (isOut(groups.displacedIn(group), members)) groups.forgetDisplaced(group);
    const replica = groups.get(group);
    if (replica !== undefined && isOut(replica.identity.replicaId, members)) {
      void this.remove(replica);
    }
    const suspect = groups.suspectOf(group);
    if (suspect !== undefined && isOut(suspect.replicaId, members)) {
      void this.#leave(group, () => this.#bury(group, suspect.replicaId));
    }
  }

  /** Until `work` is done nothing is begun in the group, and nothing else leaves it. */
  async #leave(group: number, work: () => Promise<void>): Promise<void> {
    if (this.#leaving.has(group)) return;
    this.#leaving.add(group);
    try {
      await work();
    } catch (error) {
      this.#options.onFatal(error);
    } finally {
      this.#leaving.delete(group);
    }
  }

  /** In this order: recovery goes on with the tables when the log says that the replica is gone. */
  async #bury(group: number, replicaId: ReplicaId): Promise<void> {
    const { log, groups, host } = this.#options;
    const displaces = groups.displacedIn(group);
    groups.remove({ group, replicaId, displaces });
    log.addGroup(tombstone(group, replicaId, displaces));
    await host().persist();
    await this.#empty(group);
  }

  /** Of a replica that was not trusted the position need not be known, but its values can be there. */
  async #hasTraces(group: number): Promise<boolean> {
    const { engine, layout } = this.#options;
    const shard = layout(group);
    if (shard === undefined) return false;
    return (
      decodePositions(engine.flushedPositions()).has(group) ||
      !(await isVacant(engine, rangeOf(shard)))
    );
  }

  /** Where the disk is full, as soon as there is the room that it takes to make some. */
  async #empty(group: number): Promise<void> {
    const { env, layout, ranges, observer } = this.#options;
    const shard = layout(group);
    if (shard === undefined) return;
    const without = (flushed: Uint8Array | undefined) => withPosition(flushed, group, undefined);
    const isDone = () =>
      ranges.empty(rangeOf(shard), without).then(
        () => true,
        (error: unknown) => {
          if (!isDiskFull(error)) throw error;
          return false;
        },
      );
    while (!(await isDone())) {
      await new Promise<void>((resolve) => env.timers.after(RETRY_MS, resolve));
    }
    observer.replaced(group);
  }

  /** After a snapshot: the log goes on where it ends. Resolves when that is durable. */
  async restart(replica: Replica): Promise<void> {
    const { log, host } = this.#options;
    log.addGroup(afterSnapshot(replica));
    await host().persist();
    this.#options.observer.replaced(replica.identity.group);
  }
}

/** Whether its id was given, and nobody has it any more. */
function isOut(id: ReplicaId, { replicas, nextReplicaId }: ReportedMembers): boolean {
  return id < nextReplicaId && !replicas.some(({ replicaId }) => replicaId === id);
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
