import type { ClusterDoor, DataPlane } from '../broker/data-plane.ts';
import { Log } from '../lsm/log/log.ts';
import type { cluster } from '../protos/index.ts';
import { ActiveNode } from './active-node.ts';
import type { AlertSettings } from './alerts/alerts.ts';
import { type EngineChoice, LSM_ENGINE, refuseOtherEngine } from './engine-choice.ts';
import type { Env } from './env.ts';
import { NodeError } from './errors.ts';
import { engineFolder, logFolder } from './folders.ts';
import { Admission } from './membership/admission.ts';
import { ClusterRecord } from './membership/cluster-record.ts';
import { type Entrance, Formation } from './membership/formation.ts';
import type { Genesis } from './membership/genesis.ts';
import { removedSentence } from './membership/greeting.ts';
import {
  type Identity,
  readIdentity,
  startIdentity,
  writeIdentity,
} from './membership/identity.ts';
import { PeerMemory, type Progress } from './membership/peer-memory.ts';
import {
  declareLost,
  type RecoveryOrder,
  readOrder,
  removeOrder,
} from './membership/recovery-order.ts';
import { beginAnew, endSuccession, entranceOf, isOutside } from './membership/succession.ts';
import { NodeMessages } from './messages/node-messages.ts';
import { metaGroup } from './ring/slots.ts';
import { editNodeTable, isRemoved, setNodeAddresses } from './settings/nodes.ts';
import type { InitialRules, Settings } from './settings/settings.ts';
import { addFirstReplicas, lossOf } from './shard/recovery.ts';
import { ClusterLink } from './transport/cluster-link.ts';
import type { Transport } from './transport/transport.ts';
import { storageSizes } from './upkeep/storage-budget.ts';

export interface StorageNodeOptions {
  readonly env: Env;
  readonly directory: string;
  readonly name: string;
  readonly mqttAddress: string;
  /** Asked when it is told to others. */
  readonly httpAddress: () => string;
  readonly secret: string;
  /** Of this node against others, and where it is; what the node table begins with. Default: 1, in none. */
  readonly weight?: number;
  readonly zone?: string;
  readonly entrance: Entrance;
  readonly replicationFactor: number;
  readonly shardCount: number;
  /** Default: `lsm`. */
  readonly engine?: EngineChoice;
  readonly memtableBytes?: number;
  /** At this rate tables are read to find damage early. Default 0: they are not. */
  readonly scrubBytesPerSecond?: number;
  /** The replicas of each group are compared once in so many hours. Default 0: they are not. */
  readonly verifyHours?: number;
  /** At this rate snapshots leave for replicas that the log cannot bring up to date. Default 64 MiB. */
  readonly snapshotBytesPerSecond?: number;
  /** A node that is silent for longer is dead: its data is replicated elsewhere. Default five minutes. */
  readonly deadAfterMs?: number;
  /** So long may a round of the log wait for more writes. Default 0: it does not. */
  readonly roundsMaxWaitMs?: number;
  /** A log segment that is larger gets no further round. */
  readonly segmentBytes?: number;
  /** Of log and tables together; 0 or nothing: no budget. */
  readonly storageMaxBytes?: number;
  /** Default: every rule as it is in the table, no webhook, and what was is forgotten with the process. */
  readonly alerts?: AlertSettings;
  /** What the settings of a new cluster begin with. */
  readonly initialRules?: InitialRules;
  readonly transport: (identity: Identity) => Transport;
  /** What the machine, and what this node is connected to, says of itself, for heartbeats. */
  readonly load?: () => Pick<
    cluster.Heartbeat.$Properties,
    | 'memoryBytes'
    | 'memoryMaxBytes'
    | 'diskUsedBytes'
    | 'diskTotalBytes'
    | 'load'
    | 'links'
    | 'version'
    | 'uptimeMs'
    | 'publishesPerSecond'
    | 'putsPerSecond'
    | 'commitP99Ms'
    | 'loopDelayP99Ms'
    | 'connections'
  >;
  /** The log or the engine failed: the process must end and start again. */
  readonly onFatal: (error: Error) => void;
  /** This node is no part of the cluster any more: the process is to stop. */
  readonly onEnded?: (end: NodeEnd) => void;
}

/** It has left, as it was told to; or the others go on without it, which is an error. */
export type NodeEnd =
  | { readonly kind: 'left'; readonly message: string }
  | { readonly kind: 'removed'; readonly error: NodeError };

/** What is remembered of others is written so often; and addresses where nobody is any more are left. */
const TIDY_MS = 30_000;
/** And once sooner: a node that ends again and again would else never write what it has heard. */
const FIRST_TIDY_MS = 5_000;

/**
 * One storage node without its edges: identity, formation, log, engine, shards and data plane, over `Env`
 * and a transport. `main.ts` puts a broker, HTTP and MQTT around it, the simulator a simulated network.
 */
export class StorageNode {
  #identity: Identity;
  /** Ordinary messages to and from other nodes; the broker starts it. */
  readonly messages: NodeMessages;
  readonly #options: StorageNodeOptions;
  readonly #memory: PeerMemory;
  readonly #record: ClusterRecord;
  readonly #entrance: Entrance;
  readonly #link: ClusterLink;
  readonly #formation: Formation;
  #stopTidying: (() => void) | undefined;
  #active: ActiveNode | undefined;
  /** To go on without nodes that are lost, until the cluster counts them out. */
  #order: RecoveryOrder | undefined;
  #hasEnded = false;

  /** Reads, or draws, who this node is. It says nothing to anybody before `join`. */
  static async open(options: StorageNodeOptions): Promise<StorageNode> {
    const { env, directory, name, engine = LSM_ENGINE } = options;
    const { vfs, events, random } = env;
    const known = await ClusterRecord.open(vfs, directory, events);
    const stored = await readIdentity(vfs, directory);
    const identity = isDistrusted(stored)
      ? await beginAnew(stored, { env, directory, name, record: known })
      : await startIdentity(vfs, directory, name, random);
    await refuseOtherEngine(vfs, directory, engine, identity.generation);
    await layOut(options, identity);
    const memory = await PeerMemory.open(vfs, directory, events);
    const record = isOutside(identity, known) ? ClusterRecord.empty(vfs, directory) : known;
    return new StorageNode(options, { identity, memory, record });
  }

  private constructor(
    options: StorageNodeOptions,
    state: {
      readonly identity: Identity;
      readonly memory: PeerMemory;
      readonly record: ClusterRecord;
    },
  ) {
    const { env, secret, mqttAddress, weight = 1, zone = '' } = options;
    const { identity, memory, record } = state;
    const own = { node: identity.node, startCounter: identity.startCounter };
    this.#options = options;
    this.#identity = identity;
    this.#memory = memory;
    this.#record = record;
    this.#entrance = entranceOf(options.entrance, identity);
    this.#link = new ClusterLink({
      env,
      own,
      secret,
      transport: options.transport(identity),
      memory,
      onHello: (from, message, reply) => this.#formation.handle(from.node, message, reply),
      onRefused: (address) => this.#formation.refusedAt(address),
    });
    this.messages = new NodeMessages({
      env,
      own,
      rpc: { call: (...call) => this.#link.rpc.call(...call) },
      others: () => this.#active?.members.others() ?? [],
      deciding: () => this.#active?.map.voters(metaGroup) ?? [],
      send: (to, payload) => this.#link.sendMessages(to, payload),
    });
    const { node, name } = identity;
    this.#formation = new Formation({
      ...options,
      identity,
      entrance: this.#entrance,
      self: { node, name, mqttAddress, weight, zone, httpAddress: options.httpAddress },
      rpc: this.#link.helloRpc,
      memory,
      record,
      learnAddress: (node, address) => this.#link.learnAddress(node, address),
    });
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** Where the broker hands in what other nodes publish. */
  get door(): ClusterDoor {
    return this.#link.door;
  }

  /**
   * Finds or creates the cluster, recovers what this node holds, and takes part.
   *
   * @throws {NodeError} why it cannot. After BEGINS_ANEW and `stop` the directory can be opened again, as a new node
   */
  async join(): Promise<void> {
    if (this.identity.isRemoved) throw this.#removal();
    try {
      await this.#join();
    } catch (error) {
      if (error instanceof NodeError && error.code === 'NODE_REMOVED') await this.#spend();
      throw error;
    }
  }

  async #join(): Promise<void> {
    const { env, directory, name, engine = LSM_ENGINE } = this.#options;
    const others = this.#entrance.peers.filter((peer) => peer.name !== name);
    for (const { mqttAddress } of others) this.#link.connect(mqttAddress);
    for (const address of this.#entrance.join?.addresses ?? []) this.#link.connect(address);
    const genesis = await this.#formation.enter();
    this.#identity = await endSuccession(this.identity, this.#options);
    this.#order = await this.#countOut();
    this.#learnAddresses();
    const opened = await this.#openLog(genesis);
    if (opened.loss !== undefined) await this.#beginAnew(opened.log, opened.loss);
    const remembered = await this.#formation.hearMajority();
    this.#learnAddresses();
    if (this.#isRolledBack(remembered, opened.recoveredRound)) {
      const reason = 'it holds less than other nodes remember: it was restored or copied';
      await this.#beginAnew(opened.log, reason);
    }
    // Not sooner: peers would remember the round that opened the log today beside those that it must have held.
    this.#link.syncedRound = () => opened.log.syncedRound;
    const { node, startCounter, generation } = this.identity;
    this.#active = await ActiveNode.open({
      ...opened,
      options: this.#options,
      tables: `${directory}/${engineFolder(engine.name, generation)}`,
      order: this.#order,
      own: { node, startCounter },
      genesis,
      nodes: this.#record.rows,
      link: this.#link,
      messages: this.messages,
    });
    this.#active.start();
    this.#followNodeTable(this.#active, genesis);
    void this.#declareLost(this.#active);
    const cancels = [
      env.timers.after(FIRST_TIDY_MS, () => this.#tidy()),
      env.timers.every(TIDY_MS, () => this.#tidy()),
    ];
    this.#stopTidying = () => {
      for (const cancel of cancels) cancel();
    };
    this.#persist();
  }

  /** What exists once the node has joined. @throws before that */
  get active(): ActiveNode {
    if (this.#active === undefined) throw new Error('the node has not joined a cluster yet');
    return this.#active;
  }

  get hasJoined(): boolean {
    return this.#active !== undefined;
  }

  get dataPlane(): DataPlane {
    return this.active.dataPlane;
  }

  async stop(): Promise<void> {
    this.messages.stop();
    this.#formation.stop();
    this.#stopTidying?.();
    await this.#active?.stop();
    await this.#link.close();
    await this.#memory.persist().catch(() => {});
    await this.#record.persist().catch(() => {});
  }

  /** Nobody waits for those who are lost for good, if somebody says so. */
  async #countOut(): Promise<RecoveryOrder | undefined> {
    const { env, directory } = this.#options;
    const { node } = this.identity;
    const order = await readOrder(env.vfs, directory, { node, events: env.events });
    if (order === undefined) return undefined;
    const alive = await this.#formation.answering(order.lost);
    if (alive.length > 0) {
      await removeOrder(env.vfs, directory);
      const sentence = `${alive.join(' and ')} ${alive.length === 1 ? 'answers, and was' : 'answer, and were'} said to be lost for ever ("dss recover"): nothing was changed, and at its next start the node goes on as before.`;
      throw new NodeError('CONFIG_INVALID', sentence);
    }
    this.#record.countOut(order.lost, env.clock.nowMs());
    return order;
  }

  /** What is not done now is tried again when it is time to tidy up. */
  async #declareLost({ settings, genesis }: ActiveNode): Promise<void> {
    const { env, directory } = this.#options;
    const order = this.#order;
    if (order === undefined) return;
    const isDone = await declareLost(order, { genesis, settings, clock: env.clock });
    if (!isDone || this.#order === undefined) return;
    this.#order = undefined;
    await removeOrder(env.vfs, directory).catch(() => {});
  }

  /** Of members that have not told theirs in this run: where they were when last heard of, else that of --peers. */
  #learnAddresses(): void {
    const { peers } = this.#entrance;
    for (const { node, name, mqttAddress } of this.#record.liveRows) {
      if (this.#link.knows(node)) continue;
      const listed = peers.find((peer) => peer.name === name);
      if (listed !== undefined) this.#link.learnAddress(node, listed.mqttAddress);
      this.#link.learnAddress(node, mqttAddress);
    }
  }

  /** Connections, members and the file of nodes follow the settings. */
  #followNodeTable(active: ActiveNode, genesis: Genesis): void {
    const { settings, members } = active;
    const { clock } = this.#options.env;
    const isDispensable = (node: string) => !members.has(node) || areAllLedWithout(node, active);
    const admission = new Admission({ genesis, settings, clock, isDispensable });
    this.#formation.admit = (request) => admission.admit(request);
    const follow = ({ revision, nodes }: Settings) => {
      const before = new Map(this.#record.rows.map((row) => [row.node, row]));
      if (!this.#record.learn(revision, nodes)) return;
      this.#persist();
      members.follow(this.#record.rows);
      for (const { node, mqttAddress } of this.#record.liveRows) {
        if (before.get(node)?.mqttAddress === mqttAddress) continue;
        this.#link.learnAddress(node, mqttAddress);
      }
      this.#checkOwnRow();
    };
    settings.onChange(follow);
    follow(settings.current);
    this.#tellAddresses();
  }

  /** A node that is told to go, or given up by the others, ends. */
  #checkOwnRow(): void {
    const row = this.#record.rowOf(this.identity.node);
    if ((row !== undefined && !isRemoved(row)) || this.#hasEnded) return;
    this.#hasEnded = true;
    const message = `${this.identity.name} holds nothing any more and has left the cluster.`;
    const end: NodeEnd = row?.hasLeft
      ? { kind: 'left', message }
      : { kind: 'removed', error: this.#removal() };
    const tell = () => this.#options.onEnded?.(end);
    this.#spend().then(tell, tell);
  }

  /** What this directory holds counts no more, and never will. */
  async #spend(): Promise<void> {
    this.#identity = { ...this.identity, isRemoved: true };
    await writeIdentity(this.#options.env.vfs, this.#options.directory, this.#identity);
  }

  #removal(): NodeError {
    const sentence = removedSentence(this.#record.clusterId, this.identity.name);
    return new NodeError('NODE_REMOVED', sentence);
  }

  #tidy(): void {
    for (const row of this.#record.rows) if (isRemoved(row)) this.#memory.forget(row.node);
    this.#persist();
    if (this.#active === undefined) return;
    this.#link.keepOnly(this.#active.members.others());
    this.#tellAddresses();
    void this.#declareLost(this.#active);
  }

  /** Where this node is now, if the node table has it elsewhere (DESIGN §9). */
  #tellAddresses(): void {
    const { mqttAddress, httpAddress } = this.#options;
    const row = this.#record.rowOf(this.identity.node);
    if (row === undefined || isRemoved(row)) return;
    const addresses = { mqttAddress, httpAddress: httpAddress() || row.httpAddress };
    if (row.mqttAddress === mqttAddress && row.httpAddress === addresses.httpAddress) return;
    const { settings, genesis } = this.active;
    const edit = editNodeTable(genesis, (known) => setNodeAddresses(known, row.node, addresses));
    // What is not done now is tried again when it is time to tidy up.
    void settings.change(edit);
  }

  /** It is no harm if that fails: it is tried again. */
  #persist(): void {
    for (const state of [this.#memory, this.#record]) state.persist().catch(() => {});
  }

  async #openLog(genesis: Genesis) {
    const { env, directory } = this.#options;
    const { node, generation, initialized } = this.identity;
    const { segmentBytes } = storageSizes(this.#options);
    const open = () =>
      Log.open({
        vfs: env.vfs,
        directory: `${directory}/${logFolder(generation)}`,
        newLogId: () => env.random.bytes(8),
        segmentBytes,
      });
    let opened = await open();
    if (!initialized) {
      addFirstReplicas(opened.log, genesis, node, opened.groups);
      if (opened.log.hasStaged) await opened.log.commitRound();
      await opened.log.close();
      this.#identity = { ...this.identity, initialized: true };
      await writeIdentity(env.vfs, directory, this.#identity);
      opened = await open();
    }
    for (const { file, offset, reason, groups } of opened.damage) {
      env.events.emit({
        level: 'error',
        name: 'log-damaged',
        message: `${file} is damaged at ${offset}: ${reason}`,
        data: { groups },
      });
    }
    const { log, groups: loggedGroups, recoveredRound } = opened;
    return { log, loggedGroups, recoveredRound, loss: lossOf(opened, genesis, node) };
  }

  /**
   * Compares what peers remember of this node with what it holds (DESIGN §5 ▣, Identity). Round numbers grow
   * over restarts too, so what was told in any earlier run must have been found now.
   */
  #isRolledBack(remembered: Progress | undefined, recoveredRound: number): boolean {
    const { startCounter } = this.identity;
    const isWhole =
      remembered === undefined ||
      (remembered.startCounter <= startCounter && remembered.syncedRound <= recoveredRound);
    return !isWhole;
  }

  /** The verdict is kept: with every start there is one more round, and soon the directory would seem whole. */
  async #beginAnew(log: Log, distrust: string): Promise<never> {
    const { env, directory } = this.#options;
    this.#identity = { ...this.identity, distrust };
    try {
      await writeIdentity(env.vfs, directory, this.#identity);
    } finally {
      await log.close();
    }
    const sentence = `nothing in ${directory} can be trusted (${distrust}): at its next start the node begins anew.`;
    throw new NodeError('BEGINS_ANEW', sentence);
  }
}

function isDistrusted(
  identity: Identity | undefined,
): identity is Identity & { readonly distrust: string } {
  return identity?.distrust !== undefined && identity.isRemoved !== true;
}

/** A group without a leader may need just this node; and where it leads, another copy of it is at work. */
function areAllLedWithout(node: string, { map, members }: ActiveNode): boolean {
  return map.rows().every(({ group }) => {
    const leader = map.leaderOf(group);
    return leader !== undefined && leader !== node && members.stateOf(leader) === 'active';
  });
}

/** The folders of a node, durably: a log whose folder vanishes in a power cut would be no log. */
async function layOut(
  { env: { vfs }, directory, engine = LSM_ENGINE }: StorageNodeOptions,
  { generation }: Identity,
): Promise<void> {
  const folders = [logFolder(generation), engineFolder(engine.name, generation)];
  for (const folder of folders) await vfs.makeDirectory(`${directory}/${folder}`);
  await vfs.syncDirectory(directory);
  const slash = directory.lastIndexOf('/');
  const parent = slash < 0 ? '.' : directory.slice(0, slash);
  if (parent !== '') await vfs.syncDirectory(parent);
}
