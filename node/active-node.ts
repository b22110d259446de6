import type { StorageEngine } from '../lsm/engine.ts';
import type { Log } from '../lsm/log/log.ts';
import type { RecoveredGroup } from '../lsm/log/types.ts';
import { cluster, decode, encode } from '../protos/index.ts';
import { Alerts } from './alerts/alerts.ts';
import { alertSources } from './alerts/gather.ts';
import { Rebalancer } from './balance/rebalancer.ts';
import { BalanceView } from './balance/view.ts';
import { NodeDataPlane } from './dataplane/data-plane.ts';
import { Reads } from './dataplane/reads.ts';
import { ShardMap } from './dataplane/shard-map.ts';
import { Watches } from './dataplane/watches.ts';
import type { Genesis } from './membership/genesis.ts';
import { HEARTBEAT_MS, Members } from './membership/members.ts';
import type { RecoveryOrder } from './membership/recovery-order.ts';
import { Silence } from './membership/silence.ts';
import type { NodeMessages } from './messages/node-messages.ts';
import { openEngine } from './open-engine.ts';
import type { RaftEvent } from './raft/types.ts';
import { Repairs } from './repair/repairs.ts';
import type { Corruption } from './repair/table-damage.ts';
import { encodeFilterState } from './retention/filter-state.ts';
import { metaGroup } from './ring/slots.ts';
import { ServedRequests } from './served-requests.ts';
import {
  editNodeTable,
  type NodeRow,
  type NodeState,
  nodeTable,
  setNodeState,
} from './settings/nodes.ts';
import { EMPTY_SETTINGS, type Settings } from './settings/settings.ts';
import { SettingsService } from './settings/settings-service.ts';
import type { Place } from './shard/configuration.ts';
import { carryOut } from './shard/forced-recovery.ts';
import { suspectEvent } from './shard/group-changes.ts';
import { encodePositions } from './shard/group-position.ts';
import type { ShardHost } from './shard/host.ts';
import { LogRelease } from './shard/log-release.ts';
import { NodeGroups } from './shard/node-groups.ts';
import { distrustRebuilt, recoverReplicas } from './shard/recovery.ts';
import type { Replica } from './shard/replica.ts';
import { TICK_MS } from './shard/replica-builder.ts';
import type { StorageNodeOptions } from './storage-node.ts';
import type { ClusterLink } from './transport/cluster-link.ts';
import type { RpcBody, RpcMessage, RpcOrigin } from './transport/rpc.ts';
import { MetaGroup } from './upkeep/meta-group.ts';
import { storageSizes } from './upkeep/storage-budget.ts';
import { Upkeep } from './upkeep/upkeep.ts';

/** So long the progress of several groups is gathered. */
const PROGRESS_DELAY_MS = 50;
/** Of snapshots for other replicas, leaving this node. */
const SNAPSHOT_BYTES_PER_SECOND = 64 * 1024 * 1024;

interface ActiveNodeParts {
  readonly options: StorageNodeOptions;
  readonly own: RpcOrigin;
  readonly genesis: Genesis;
  readonly nodes: readonly NodeRow[];
  readonly link: ClusterLink;
  readonly messages: NodeMessages;
  readonly log: Log;
  readonly engine: StorageEngine;
  readonly groups: NodeGroups;
}

/** A node that belongs to a cluster: its shards, its data plane, and what it does every second. */
export class ActiveNode {
  readonly genesis: Genesis;
  readonly log: Log;
  readonly engine: StorageEngine;
  readonly groups: NodeGroups;
  readonly map: ShardMap;
  readonly members: Members;
  readonly watches: Watches;
  readonly dataPlane: NodeDataPlane;
  readonly settings: SettingsService;
  readonly rebalancer: Rebalancer;
  readonly balance: BalanceView;
  readonly repairs: Repairs;
  readonly alerts: Alerts;
  readonly messages: NodeMessages;
  readonly #options: StorageNodeOptions;
  readonly #own: RpcOrigin;
  readonly #link: ClusterLink;
  readonly #requests: ServedRequests;
  readonly #meta: MetaGroup;
  readonly #upkeep: Upkeep;
  readonly #logRelease: LogRelease;
  readonly #silence = new Silence();
  readonly #cancels: (() => void)[] = [];
  #announceScheduled = false;
  #progressScheduled = false;
  #stopped = false;

  /** Opens the engine and puts the replicas together. Nothing votes, acknowledges or serves before `start`. */
  static async open(input: {
    readonly options: StorageNodeOptions;
    readonly own: RpcOrigin;
    readonly genesis: Genesis;
    /** As they were last known. */
    readonly nodes: readonly NodeRow[];
    readonly link: ClusterLink;
    readonly messages: NodeMessages;
    readonly log: Log;
    readonly loggedGroups: readonly RecoveredGroup[];
    /** Where its tables are. */
    readonly tables: string;
    /** To go on without nodes that are lost. */
    readonly order: RecoveryOrder | undefined;
  }): Promise<ActiveNode> {
    const { options, genesis, link, log, own, order } = input;
    const { env } = options;
    let node: ActiveNode | undefined;
    let opened: StorageEngine | undefined;
    const foundAtOpen: Corruption[] = [];
    const engine = await openEngine(options, {
      directory: input.tables,
      genesis,
      notePositions: () => encodePositions(node?.host.replicas() ?? [], opened?.flushedPositions()),
      filterState: () => node && encodeFilterState(node.retentions()),
      onCorruption: (corruption) => {
        if (node === undefined) foundAtOpen.push(corruption);
        else node.repairs.damaged(corruption);
      },
    });
    opened = engine;
    const { loggedGroups: afterOrder, ...recovery } = await carryOut({
      ...{ log, engine, order, own: own.node, loggedGroups: input.loggedGroups },
    });
    const loggedGroups = await distrustRebuilt({ log, engine, loggedGroups: afterOrder });
    const layouts = new Map(genesis.groups.map((each) => [each.group, each]));
    const groups = new NodeGroups({
      env,
      log,
      engine,
      recovered: recoverReplicas({ env, log, engine, loggedGroups }),
      roundsMaxWaitMs: options.roundsMaxWaitMs ?? 0,
      layout: (group) => layouts.get(group),
      sendRaft: (to, messages) => link.sendRaft(to, messages),
      callBulk: (to, body, timeoutMs) => link.rpc.call(to, 'bulk', body, timeoutMs),
      snapshotBytesPerSecond: () => options.snapshotBytesPerSecond ?? SNAPSHOT_BYTES_PER_SECOND,
      isWell: (group, place) => node?.isWell(group, place) === true,
      onRaftEvent: (replica, event) => node?.onRaftEvent(replica, event),
      onProgress: (replica) => node?.onProgress(replica),
      onChecksum: (replica, entry) => node?.repairs.onChecksum(replica, entry),
      onHalted: (replica) => node?.repairs.onHalted(replica),
      observer: {
        suspected: (...suspect) => node?.repairs.observer.suspected(...suspect),
        admitted: (group) => node?.repairs.observer.admitted(group),
        replaced: (group) => node?.repairs.observer.replaced(group),
      },
      onFatal: options.onFatal,
    });
    node = new ActiveNode({ ...input, engine, groups });
    for (const corruption of foundAtOpen) node.repairs.damaged(corruption);
    node.repairs.forced(recovery);
    await node.alerts.recall();
    return node;
  }

  private constructor(parts: ActiveNodeParts) {
    const { options, own, genesis, nodes, link, log, engine, groups } = parts;
    const { env } = options;
    const { host } = groups;
    this.#options = options;
    this.#own = own;
    this.#link = link;
    this.messages = parts.messages;
    this.genesis = genesis;
    this.log = log;
    this.engine = engine;
    this.groups = groups;
    this.members = new Members({ own: own.node, nodes, clock: env.clock });
    this.map = new ShardMap(genesis, this.members);
    const shared = { own: own.node, env, host, engine, map: this.map, rpc: link.rpc };
    this.watches = new Watches(shared);
    const reads = new Reads({
      ...shared,
      onDifference: (group) => this.repairs.readDiffered(group),
    });
    const { watches } = this;
    this.dataPlane = new NodeDataPlane({ ...shared, own, reads, watches });
    this.#meta = new MetaGroup(host);
    this.settings = new SettingsService({
      env,
      meta: this.#meta,
      own: own.node,
      metaNodes: () => this.map.allCandidates(metaGroup),
      call: (to, body, timeoutMs) => link.rpc.call(to, 'consensus', body, timeoutMs),
    });
    const { map, members, dataPlane, settings } = this;
    const suspects = () => groups.suspects();
    this.#logRelease = new LogRelease({ log, engine, host, suspects, ...storageSizes(options) });
    this.rebalancer = new Rebalancer({
      env,
      shards: this.map.shards(),
      replicationFactor: genesis.replicationFactor,
      // Before it knows the node table it would take those who joined since genesis for strangers.
      leadsMeta: () =>
        this.#meta.settings !== undefined && host.replica(metaGroup)?.raft.role === 'leader',
      table: () => nodeTable(settings.current, genesis),
      heard: () => members.list(),
      setNodeState: (node, state) => this.#setNodeState(node, state),
      call: (to, body, timeoutMs) => this.#callAnyone(to, body, timeoutMs),
      ...(options.deadAfterMs === undefined ? {} : { deadAfterMs: options.deadAfterMs }),
    });
    this.balance = new BalanceView({
      rebalancer: this.rebalancer,
      incidents: () => this.repairs.incidents.documents(members.nameOf(own.node)),
      nameOf: (node) => members.nameOf(node),
      others: () => members.others().filter((node) => members.stateOf(node) === 'active'),
      call: (to, body, timeoutMs) => link.rpc.call(to, 'consensus', body, timeoutMs),
    });
    this.repairs = new Repairs({
      ...{ env, own: own.node, engine, groups, members, rpc: link.rpc },
      shards: this.map.shards(),
      leaderOf: (group) => this.map.leaderOf(group),
      isWell: (group, place) => this.isWell(group, place),
      verifyMs: (options.verifyHours ?? 0) * 3_600_000,
    });
    const { messages, balance, repairs } = this;
    this.#requests = new ServedRequests(
      { messages, dataPlane, reads, settings, groups, balance, watches, repairs },
      (error) => this.#complain(error),
    );
    this.#upkeep = new Upkeep({
      ...{ env, host, engine, log, map, members, dataPlane, settings },
      storageMaxBytes: options.storageMaxBytes ?? 0,
    });
    const { alerts = {} } = options;
    this.alerts = new Alerts(alertSources(this, { env, own: own.node, settings: alerts }), alerts);
  }

  get host(): ShardHost {
    return this.groups.host;
  }

  /** Replicas on this node that it cannot trust. */
  get suspects() {
    return this.groups.suspects();
  }

  start(): void {
    const { env } = this.#options;
    for (const { group, reason } of this.suspects) {
      env.events.emit(suspectEvent(group, reason));
    }
    this.#link.attach(this.genesis.clusterId, {
      raft: (peer, messages) => this.host.receive(peer, messages),
      heartbeat: (peer, heartbeat) => this.#onHeartbeat(peer, heartbeat),
      rpc: (from, message, reply) => this.#requests.serve(from, message, reply),
      messages: (peer, payload) => this.messages.receive(peer, payload),
      disconnected: (peer) => this.#onDisconnected(peer),
      connected: (peer) => this.dataPlane.reached(peer),
      heard: (peer) => this.#onHeard(peer),
    });
    this.groups.start();
    void this.settings.start();
    this.#upkeep.start();
    this.rebalancer.start();
    this.repairs.start();
    this.alerts.start();
    this.#cancels.push(
      env.timers.every(TICK_MS, () => this.#learnSettings()),
      env.timers.every(TICK_MS, () => {
        this.#silence.tick();
        this.host.tick();
      }),
      env.timers.every(HEARTBEAT_MS, () => {
        this.#sendHeartbeat();
        this.#releaseLog();
      }),
    );
    this.#sendHeartbeat();
  }

  /** Another node leads what this one led; then nothing is acknowledged any more and the log takes no more rounds. */
  async stop(): Promise<void> {
    await this.groups.handOver();
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.settings.stop();
    this.rebalancer.stop();
    this.repairs.stop();
    this.#upkeep.stop();
    this.dataPlane.stop();
    this.groups.stop();
    await this.alerts.stop();
    await this.log.close().catch(() => {});
    await this.engine.close().catch(() => {});
  }

  isWell(group: number, { node, replicaId }: Place): boolean {
    const suspects = this.members.heartbeatOf(node)?.suspects ?? [];
    const isSuspect = suspects.some((each) => each.group === group && each.replicaId === replicaId);
    return this.members.stateOf(node) === 'active' && !isSuspect;
  }

  onRaftEvent(replica: Replica, event: RaftEvent): void {
    const { group, replicaId } = replica.identity;
    if (event.kind === 'leader-changed') {
      const node = replica.nodeOf(event.leader);
      if (node !== undefined) this.dataPlane.leaderReported(group, node, event.term);
      return;
    }
    if (event.role !== 'leader') return;
    if (group === metaGroup) this.#seedSettings();
    this.dataPlane.leaderReported(group, this.#own.node, event.term);
    this.#options.env.events.emit({
      level: 'debug',
      name: 'became-leader',
      message: `group ${group}: replica ${replicaId} leads in term ${event.term}`,
      data: { group, term: event.term },
    });
    this.#announceSoon();
  }

  #seedSettings(): void {
    const firstNodes = nodeTable(EMPTY_SETTINGS, this.genesis);
    void this.settings.seed(this.#options.initialRules ?? {}, firstNodes);
  }

  /** The others route by what the leader tells, and the balancer waits for it. */
  onProgress({ raft }: Replica): void {
    if (raft.role !== 'leader' || this.#progressScheduled) return;
    this.#progressScheduled = true;
    this.#options.env.timers.after(PROGRESS_DELAY_MS, () => {
      this.#progressScheduled = false;
      if (!this.#stopped) this.#sendHeartbeat();
    });
  }

  /** What this node stores, and what it may. */
  get storage() {
    return this.#upkeep.storage;
  }

  /** What each shard hides, for compaction. */
  retentions() {
    return [...this.host.replicas()]
      .filter(({ identity }) => identity.slotCount > 0)
      .map(({ identity: { firstSlot, slotCount }, state: { retention } }) => ({
        firstSlot,
        slotCount,
        retention,
      }));
  }

  async #setNodeState(node: string, state: NodeState): Promise<boolean> {
    const nowMs = this.#options.env.clock.nowMs();
    const edit = (settings: Settings) => setNodeState(settings, node, state, nowMs);
    const outcome = await this.settings.change(editNodeTable(this.genesis, edit));
    return outcome.kind === 'settled';
  }

  /** Asks for a step of a change; the group may be led here. */
  #callAnyone(to: string, body: RpcBody, timeoutMs: number): Promise<RpcMessage | undefined> {
    const request = body.configurationRequest;
    if (to !== this.#own.node || request == null)
      return this.#link.rpc.call(to, 'consensus', body, timeoutMs);
    const configurationReply = this.groups.change(new cluster.ConfigurationRequest(request));
    return Promise.resolve(new cluster.Rpc({ configurationReply }));
  }

  #learnSettings(): void {
    const { settings } = this.#meta;
    if (settings !== undefined) this.settings.applied(settings);
  }

  #onHeartbeat(peer: string, heartbeat: cluster.Heartbeat): void {
    this.members.heard(peer, heartbeat);
    this.settings.heardRevision(peer, heartbeat.settingsRevision);
    this.dataPlane.leadsReported(peer, heartbeat.leads);
    for (const lead of heartbeat.leads) this.groups.learn(lead as cluster.Lead);
    if (heartbeat.leads.length > 0) this.rebalancer.news();
    if (heartbeat.heardAgain.includes(this.#own.node)) this.dataPlane.reached(peer);
  }

  /** What it answered in the meantime is lost; it is told that what it sent is lost too. */
  #onHeard(peer: string): void {
    if (!this.#silence.heard(peer)) return;
    this.dataPlane.reached(peer);
    this.#announceSoon();
  }

  #onDisconnected(peer: string): void {
    this.host.nodeUnreachable(peer);
    this.watches.nodeUnreachable(peer);
    this.messages.disconnected(peer);
  }

  /** Nodes without a replica learn of new leaders from heartbeats: do not let them wait for the next. */
  #announceSoon(): void {
    if (this.#announceScheduled) return;
    this.#announceScheduled = true;
    this.#options.env.yield(() => {
      this.#announceScheduled = false;
      if (!this.#stopped) this.#sendHeartbeat();
    });
  }

  #sendHeartbeat(): void {
    const { env, name, mqttAddress, httpAddress, load } = this.#options;
    const { storage } = this.#upkeep;
    const leads = this.groups.reports();
    for (const lead of leads) this.groups.learn(new cluster.Lead(lead));
    const payload = encode(cluster.Heartbeat, {
      format: 1,
      ...this.#own,
      name,
      syncedRound: this.log.syncedRound,
      clockMs: env.clock.nowMs(),
      mqttAddress,
      httpAddress: httpAddress(),
      leads,
      state: this.members.rowOf(this.#own.node)?.state ?? 'active',
      suspects: this.groups.lost().map(({ group, replicaId }) => ({ group, replicaId })),
      settingsRevision: this.settings.current.revision,
      storageUsedBytes: storage.usedBytes,
      storageMaxBytes: storage.maxBytes,
      storageFull: storage.isFull,
      heardAgain: this.#silence.takeReturned(),
      ...this.alerts.forHeartbeat(),
      ...load?.(),
    });
    this.members.heard(this.#own.node, decode(cluster.Heartbeat, payload));
    this.dataPlane.leadsReported(this.#own.node, leads);
    this.rebalancer.news();
    this.#link.sendHeartbeat(this.members.others(), payload);
  }

  #releaseLog(): void {
    this.#logRelease.run().catch((error) => {
      if (!this.#stopped) this.#options.onFatal(error as Error);
    });
  }

  #complain(error: unknown): void {
    if (this.#stopped) return;
    this.#options.env.events.emit({
      level: 'error',
      name: 'request-failed',
      message: error instanceof Error ? error.message : String(error),
    });
  }
}
