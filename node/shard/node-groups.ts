import type { StorageEngine } from '../../lsm/engine.ts';
import type { Log } from '../../lsm/log/log.ts';
import type { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { Entry, RaftEvent } from '../raft/types.ts';
import type { Shard } from '../ring/slots.ts';
import type { Call } from '../transport/rpc.ts';
import { canDoWithout, type Place } from './configuration.ts';
import { reportOf, serveConfigurationRequest } from './configuration-steps.ts';
import { GroupChanges, type GroupObserver } from './group-changes.ts';
import { ShardHost } from './host.ts';
import { LocalGroups, type RecoveredReplicas } from './local-groups.ts';
import type { GroupMessage } from './outgoing-messages.ts';
import { CUT_OFF, RangeChanges, rangeOf } from './range-changes.ts';
import type { Replica } from './replica.ts';
import { SnapshotReceiver } from './snapshot-receiver.ts';
import { SnapshotSender } from './snapshot-sender.ts';

export interface NodeGroupsOptions {
  readonly env: Env;
  readonly log: Log;
  readonly engine: StorageEngine;
  readonly recovered: RecoveredReplicas;
  readonly roundsMaxWaitMs: number;
  /** The slots of a group; undefined: there is no such group. */
  readonly layout: (group: number) => Shard | undefined;
  readonly sendRaft: (node: string, messages: readonly GroupMessage[]) => void;
  /** Calls on the bulk channel. */
  readonly callBulk: Call;
  readonly snapshotBytesPerSecond: () => number;
  /** Whether a replica on another node takes part, as far as that node can be heard. */
  readonly isWell: (group: number, place: Place) => boolean;
  readonly onRaftEvent: (replica: Replica, event: RaftEvent) => void;
  /** Who is in a group here has changed, for good, or how far a newcomer is. */
  readonly onProgress: (replica: Replica) => void;
  /** A checksum entry has just been applied. */
  readonly onChecksum: (replica: Replica, entry: Entry) => void;
  readonly onHalted: (replica: Replica) => void;
  readonly observer: GroupObserver;
  readonly onFatal: (error: Error) => void;
}

const UPKEEP_MS = 5_000;
/** Handing over takes a round trip; whoever does not get there is elected without. */
const HAND_OVER_MAX_MS = 1_500;
const HAND_OVER_POLL_MS = 20;

/** The groups of a node: their replicas at work, and how these come, go, and are brought up to date. */
export class NodeGroups {
  readonly host: ShardHost;
  readonly sender: SnapshotSender;
  readonly #options: NodeGroupsOptions;
  readonly #local: LocalGroups;
  readonly #changes: GroupChanges;
  readonly #receiver: SnapshotReceiver;
  /** Of the groups here, as last estimated. */
  readonly #bytes = new Map<number, number>();
  #cancelTimer = () => {};
  #stopped = false;

  constructor(options: NodeGroupsOptions) {
    const { env, log, engine, recovered, layout, onRaftEvent } = options;
    // What is cut off because log and engine are closed under it goes on at the next start.
    const onFatal = (error: unknown) => {
      if (this.#stopped) return;
      options.onFatal(error instanceof Error ? error : new Error(String(error)));
    };
    const groups = new LocalGroups(recovered);
    const ranges = new RangeChanges(engine);
    const shared = { env, log, engine, groups, ranges, layout, onFatal };
    this.#options = options;
    this.#local = groups;
    this.#changes = new GroupChanges({
      ...shared,
      host: () => this.host,
      onGone: (replica) => this.#receiver.abandon(replica),
      observer: options.observer,
    });
    this.host = new ShardHost({
      ...shared,
      roundsMaxWaitMs: options.roundsMaxWaitMs,
      send: options.sendRaft,
      onRaftEvent,
      onUnknown: (_node, group, replicaId) => this.#changes.admit(group, replicaId),
      onAppendWhileInstalling: (replica, term) => this.#receiver.leaderAppends(replica, term),
      onSnapshotNeeded: (replica, to, term) => this.sender.send(replica, to, term),
      onRemoved: (replica) => void this.#changes.remove(replica),
      onConfigured: options.onProgress,
      onChecksum: options.onChecksum,
      onHalted: options.onHalted,
    });
    this.sender = new SnapshotSender({
      ...shared,
      call: options.callBulk,
      bytesPerSecond: options.snapshotBytesPerSecond,
      onEnd: (replica) => {
        this.host.touch(replica);
        options.onProgress(replica);
      },
    });
    this.#receiver = new SnapshotReceiver({
      ...shared,
      replicaFor: (group, replicaId) => this.#addressee(group, replicaId),
      whenIdle: (replica) => this.host.whenIdle(replica),
      persist: () => this.host.persist(),
      restart: (replica) => this.#changes.restart(replica),
      onEmptied: (replica) => this.#changes.suspect(replica, CUT_OFF),
    });
  }

  /** Replicas that this node cannot trust: their groups are to replace them. */
  suspects() {
    return this.#local.suspects();
  }

  /** And those that have another replica in their place, as long as their groups may count on them. */
  lost() {
    return this.#local.lost();
  }

  start(): void {
    this.host.start();
    const { removed } = this.#options.recovered;
    void this.#changes.finishRemovals(removed.map(({ group }) => group));
    this.#cancelTimer = this.#options.env.timers.every(UPKEEP_MS, () => {
      void this.#receiver.expire();
      this.#measure().catch(() => {}); // An engine that closes meanwhile has nothing to report.
    });
  }

  /** Hands the leadership of every group to another voter that has it all, as far as there is time. */
  async handOver(): Promise<void> {
    const { clock, timers } = this.#options.env;
    const untilMs = clock.monotonicMs() + HAND_OVER_MAX_MS;
    for (const replica of this.host.replicas()) {
      if (replica.handOver()) this.host.touch(replica);
    }
    const isLeading = () =>
      [...this.host.replicas()].some(
        ({ raft, members }) => raft.role === 'leader' && members.voters.length > 1,
      );
    while (isLeading() && clock.monotonicMs() < untilMs) {
      await new Promise<void>((resolve) => timers.after(HAND_OVER_POLL_MS, resolve));
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.sender.stop();
    this.host.stop();
  }

  /** What this node leads, for its heartbeats. */
  reports(): cluster.Lead.$Properties[] {
    return [...this.host.replicas()]
      .filter(({ raft, isServing }) => raft.role === 'leader' && isServing)
      .map((replica) => reportOf(replica, this.#bytes.get(replica.identity.group) ?? 0));
  }

  async #measure(): Promise<void> {
    for (const { identity } of this.host.replicas()) {
      if (identity.slotCount === 0) continue;
      this.#bytes.set(identity.group, await this.#options.engine.estimateBytes(rangeOf(identity)));
    }
  }

  /** What another node's heartbeat says of a group that it leads. */
  learn(lead: cluster.Lead): void {
    const { group, nextReplicaId, committed: isCommitted } = lead;
    const replicas = lead.replicas.map(({ replicaId = 0 }) => ({ replicaId }));
    this.#changes.learnMembers(group, { replicas, nextReplicaId, isCommitted });
  }

  change(request: cluster.ConfigurationRequest): cluster.ConfigurationReply.$Properties {
    const replica = this.host.replica(request.group);
    const reply = serveConfigurationRequest(replica, request);
    if (replica !== undefined) this.host.touch(replica);
    return reply;
  }

  /**
   * The replica here has turned out to be wrong: it takes no further part, and its group is to replace it. Returns
   * whether that is so: not while the group cannot go on without it.
   */
  distrust(group: number, reason: string): boolean {
    const replica = this.#local.get(group);
    if (replica === undefined) return false;
    const isWell = (place: Place) => this.#options.isWell(group, place);
    if (!canDoWithout(replica.members, replica.identity.replicaId, isWell)) return false;
    this.#changes.suspect(replica, reason);
    return true;
  }

  beginSnapshot(begin: cluster.SnapshotBegin) {
    return this.#receiver.begin(begin);
  }

  takeBlocks(blocks: cluster.SnapshotBlocks) {
    return this.#receiver.blocks(blocks);
  }

  #addressee(group: number, replicaId: number): Replica | undefined {
    const replica = this.#local.get(group);
    if (replica?.identity.replicaId === replicaId) return replica;
    return this.#changes.admit(group, replicaId);
  }
}
