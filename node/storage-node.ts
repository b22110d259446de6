import type { ClusterDoor, DataPlane } from '../broker/data-plane.ts';
import { Log } from '../lsm/log/log.ts';
import type { Vfs } from '../lsm/vfs/vfs.ts';
import type { cluster } from '../protos/index.ts';
import { ActiveNode } from './active-node.ts';
import {
  ENGINE_FOLDERS,
  type EngineChoice,
  LSM_ENGINE,
  refuseOtherEngine,
} from './engine-choice.ts';
import type { Env } from './env.ts';
import { Formation, type PeerAddress } from './membership/formation.ts';
import type { Genesis } from './membership/genesis.ts';
import { type Identity, startIdentity, writeIdentity } from './membership/identity.ts';
import { PeerMemory, type Progress } from './membership/peer-memory.ts';
import type { InitialRules } from './settings/settings.ts';
import { addFirstReplicas } from './shard/recovery.ts';
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
  /** All nodes of the first membership, this one included; the first of them creates the cluster. */
  readonly peers: readonly PeerAddress[];
  readonly replicationFactor: number;
  readonly shardCount: number;
  /** Default: `lsm`. */
  readonly engine?: EngineChoice;
  readonly memtableBytes?: number;
  /** At this rate tables are read to find damage early. Default 0: they are not. */
  readonly scrubBytesPerSecond?: number;
  /** At this rate snapshots leave for replicas that the log cannot bring up to date. Default 64 MiB. */
  readonly snapshotBytesPerSecond?: number;
  /** A log segment that is larger gets no further round. */
  readonly segmentBytes?: number;
  /** Of log and tables together; 0 or nothing: no budget. */
  readonly storageMaxBytes?: number;
  /** What the settings of a new cluster begin with. */
  readonly initialRules?: InitialRules;
  readonly transport: (identity: Identity) => Transport;
  /** What the machine says of itself, for heartbeats. */
  readonly load?: () => Pick<
    cluster.Heartbeat.$Properties,
    'memoryBytes' | 'diskUsedBytes' | 'diskTotalBytes' | 'load'
  >;
  /** The log or the engine failed: the process must end and start again. */
  readonly onFatal: (error: Error) => void;
}

const PEER_MEMORY_MS = 30_000;

/**
 * One storage node without its edges: identity, formation, log, engine, shards and data plane, over `Env`
 * and a transport. `main.ts` puts a broker, HTTP and MQTT around it, the simulator a simulated network.
 */
export class StorageNode {
  #identity: Identity;
  readonly #options: StorageNodeOptions;
  readonly #memory: PeerMemory;
  readonly #link: ClusterLink;
  readonly #formation: Formation;
  #stopRemembering: (() => void) | undefined;
  #active: ActiveNode | undefined;

  /** Reads, or draws, who this node is. It says nothing to anybody before `join`. */
  static async open(options: StorageNodeOptions): Promise<StorageNode> {
    const { env, directory, name, engine = LSM_ENGINE } = options;
    await refuseOtherEngine(env.vfs, directory, engine);
    await layOut(env.vfs, directory, ENGINE_FOLDERS[engine.name]);
    const identity = await startIdentity(env.vfs, directory, name, env.random);
    const memory = await PeerMemory.open(env.vfs, directory, env.events);
    return new StorageNode(options, identity, memory);
  }

  private constructor(options: StorageNodeOptions, identity: Identity, memory: PeerMemory) {
    const { env, secret } = options;
    const own = { node: identity.node, startCounter: identity.startCounter };
    this.#options = options;
    this.#identity = identity;
    this.#memory = memory;
    this.#link = new ClusterLink({
      env,
      own,
      secret,
      transport: options.transport(identity),
      memory,
      onHello: (from, message, reply) => this.#formation.handle(from.node, message, reply),
    });
    this.#formation = new Formation({
      ...options,
      vfs: env.vfs,
      identity,
      rpc: this.#link.helloRpc,
      memory,
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

  /** Finds or creates the cluster, recovers what this node holds, and takes part. */
  async join(): Promise<void> {
    const { peers, env } = this.#options;
    const { node: own } = this.identity;
    for (const { name, mqttAddress } of peers) {
      if (name !== this.identity.name) this.#link.connect(mqttAddress);
    }
    const genesis = await this.#formation.join();
    for (const { node, name, mqttAddress } of genesis.nodes) {
      const listed = peers.find((peer) => peer.name === name)?.mqttAddress;
      if (node !== own) this.#link.learnAddress(node, listed ?? mqttAddress);
    }
    const opened = await this.#openLog(genesis);
    const remembered = await this.#formation.hearMajority(genesis);
    const distrust = opened.distrust ?? (await this.#rolledBack(remembered, opened.recoveredRound));
    // Not sooner: peers would remember the round that opened the log today beside those that it must have held.
    this.#link.syncedRound = () => opened.log.syncedRound;
    this.#active = await ActiveNode.open({
      ...opened,
      options: this.#options,
      own: { node: own, startCounter: this.identity.startCounter },
      genesis,
      link: this.#link,
      distrust,
    });
    this.#active.start();
    const remember = () => void this.#memory.persist().catch(() => {});
    this.#stopRemembering = env.timers.every(PEER_MEMORY_MS, remember);
    remember();
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
    this.#formation.stop();
    this.#stopRemembering?.();
    await this.#active?.stop();
    await this.#link.close();
    await this.#memory.persist().catch(() => {});
  }

  async #openLog(genesis: Genesis) {
    const { env, directory } = this.#options;
    const { segmentBytes } = storageSizes(this.#options);
    const open = () =>
      Log.open({
        vfs: env.vfs,
        directory: `${directory}/log`,
        newLogId: () => env.random.bytes(8),
        segmentBytes,
      });
    let opened = await open();
    if (!this.identity.initialized) {
      addFirstReplicas(opened.log, genesis, this.identity.node, opened.groups);
      if (opened.log.hasStaged) await opened.log.commitRound();
      await opened.log.close();
      await writeIdentity(env.vfs, directory, { ...this.identity, initialized: true });
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
    const distrust = opened.everythingLost ? 'the log is damaged beyond reading' : undefined;
    const { log, groups, recoveredRound } = opened;
    return { log, loggedGroups: groups, recoveredRound, distrust };
  }

  /**
   * Compares what peers remember of this node with what it holds (DESIGN §5 ▣, Identity). Round numbers grow
   * over restarts too, so what was told in any earlier run must have been found now. The verdict is kept: with
   * every start there is one more round and a higher start counter, and soon the directory would seem whole.
   */
  async #rolledBack(
    remembered: Progress | undefined,
    recoveredRound: number,
  ): Promise<string | undefined> {
    const { identity } = this;
    const isWhole =
      remembered === undefined ||
      (remembered.startCounter <= identity.startCounter &&
        remembered.syncedRound <= recoveredRound);
    if (isWhole) return identity.distrust;
    const distrust =
      identity.distrust ??
      'this directory holds less than other nodes remember: it was restored or copied';
    // Shards take what this node writes for batches of the run that had this counter: acknowledged, not stored.
    const startCounter = Math.max(identity.startCounter, remembered.startCounter) + 1;
    this.#identity = { ...identity, startCounter, initialized: true, distrust };
    const { env, directory } = this.#options;
    await writeIdentity(env.vfs, directory, this.#identity);
    this.#link.countAs(startCounter);
    return distrust;
  }
}

/** The folders of a node, durably: a log whose folder vanishes in a power cut would be no log. */
async function layOut(vfs: Vfs, directory: string, engineFolder: string): Promise<void> {
  for (const folder of ['', '/log', `/${engineFolder}`])
    await vfs.makeDirectory(`${directory}${folder}`);
  await vfs.syncDirectory(directory);
  const parent = directory.slice(0, directory.lastIndexOf('/'));
  if (parent !== '') await vfs.syncDirectory(parent);
}
