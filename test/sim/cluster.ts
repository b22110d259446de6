import {
  type DataPlane,
  unixMsToVersion,
  type WatchedValue,
  type WriteSink,
} from '../../broker/data-plane.ts';
import { loadCompactionFilter } from '../../lsm/compaction/filter.ts';
import { Db } from '../../lsm/db.ts';
import { InlineOffload } from '../../lsm/offload/inline.ts';
import { CrashableMemVfs, type VfsOperation } from '../../lsm/vfs/mem.ts';
import type { ActiveNode } from '../../node/active-node.ts';
import type { AlertSettings } from '../../node/alerts/alerts.ts';
import { type EngineChoice, LSM_ENGINE } from '../../node/engine-choice.ts';
import type { Env } from '../../node/env.ts';
import { NodeError } from '../../node/errors.ts';
import type { Entrance, PeerAddress } from '../../node/membership/formation.ts';
import { compactionFilterModule } from '../../node/retention/compaction-filter.ts';
import type { InitialRules } from '../../node/settings/settings.ts';
import { type NodeEnd, StorageNode } from '../../node/storage-node.ts';
import { credentials } from '../../node/transport/secret.ts';
import { SeededRandom } from '../support/random.ts';
import { text as decode, utf8 as encode } from '../support/text.ts';
import { Network } from './network.ts';
import { Life, WALL_CLOCK_START_MS, World } from './world.ts';

export { decode, encode };

// An import ends at no simulated time: it is done before there is any.
await loadCompactionFilter(compactionFilterModule);

const DIRECTORY = '/data';

/** Which codecs there are depends on the machine; what a seed does must not. */
const ENGINE: EngineChoice = {
  ...LSM_ENGINE,
  open: (options) => Db.open({ ...options, codec: 'none' }),
};

/** One machine: its disk outlives the runs of its node. */
export class Machine {
  readonly name: string;
  address: string;
  vfs = new CrashableMemVfs();
  life: Life | undefined;
  node: StorageNode | undefined;
  /** The id of its node, also while that is off. */
  nodeId = '';
  fatal: Error | undefined;
  skewMs = 0;
  joined = false;
  secret = 'secret';
  /** The other nodes that it is told of; all, if nothing is said. */
  peers: readonly Machine[] | undefined;
  /** How it gets into a cluster, if not by `peers`. */
  entrance: Omit<Entrance, 'peers'> | undefined;
  zone = '';
  /** Why its node has stopped taking part, if it has. */
  ended: NodeEnd | undefined;
  /** The budget of its disk, where it is not that of all. */
  storageMaxBytes: number | undefined;
  /** How long a sync of the disk takes. */
  syncMs = 1;
  /** What a sync of this path fails with, if it does. */
  failSync: ((path: string) => Error | undefined) | undefined;
  /** Called before each operation of the disk: a place to crash at. */
  beforeOperation: ((operation: VfsOperation) => void) | undefined;
  /** Set: every sync of the disk waits for this. */
  syncGate: Promise<void> | undefined;
  readonly syncsHeld: string[] = [];

  constructor(name: string, address: string) {
    this.name = name;
    this.address = address;
  }

  /** The node as a member of its cluster. @throws before it has joined */
  get active(): ActiveNode {
    if (this.node === undefined) throw new Error(`${this.name} does not run`);
    return this.node.active;
  }
}

/** Real hosts over a simulated clock, network and disks. */
export class SimCluster {
  readonly world = new World();
  readonly random: SeededRandom;
  readonly network: Network;
  readonly machines: Machine[] = [];
  /** A node has joined, and nothing has reached its shards yet. */
  onJoined: ((machine: Machine) => void) | undefined;
  /** A node that had joined ends, and its disk is still as it left it. */
  onEnding: ((machine: Machine) => void) | undefined;
  readonly #options: {
    replicationFactor: number;
    shardCount: number;
    memtableBytes?: number;
    segmentBytes?: number;
    storageMaxBytes?: number;
    initialRules?: InitialRules;
    deadAfterMs?: number;
    alerts?: AlertSettings;
    scrubBytesPerSecond?: number;
    verifyHours?: number;
    roundsMaxWaitMs?: number;
    snapshotBytesPerSecond?: number;
  };

  constructor(options: {
    readonly nodes: number;
    readonly seed: number;
    readonly replicationFactor?: number;
    readonly shardCount?: number;
    readonly memtableBytes?: number;
    readonly segmentBytes?: number;
    readonly storageMaxBytes?: number;
    readonly initialRules?: InitialRules;
    readonly deadAfterMs?: number;
    readonly alerts?: AlertSettings;
    readonly scrubBytesPerSecond?: number;
    readonly verifyHours?: number;
    readonly roundsMaxWaitMs?: number;
    readonly snapshotBytesPerSecond?: number;
  }) {
    this.random = new SeededRandom(options.seed);
    this.network = new Network(this.world, this.random);
    const {
      replicationFactor = 3,
      shardCount = 4,
      memtableBytes,
      segmentBytes,
      storageMaxBytes,
      initialRules,
      deadAfterMs,
      scrubBytesPerSecond,
      verifyHours,
      alerts,
      roundsMaxWaitMs,
      snapshotBytesPerSecond,
    } = options;
    this.#options = {
      replicationFactor,
      shardCount,
      ...(memtableBytes === undefined ? {} : { memtableBytes }),
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
      ...(storageMaxBytes === undefined ? {} : { storageMaxBytes }),
      ...(initialRules === undefined ? {} : { initialRules }),
      ...(deadAfterMs === undefined ? {} : { deadAfterMs }),
      ...(scrubBytesPerSecond === undefined ? {} : { scrubBytesPerSecond }),
      ...(verifyHours === undefined ? {} : { verifyHours }),
      ...(alerts === undefined ? {} : { alerts }),
      ...(roundsMaxWaitMs === undefined ? {} : { roundsMaxWaitMs }),
      ...(snapshotBytesPerSecond === undefined ? {} : { snapshotBytesPerSecond }),
    };
    for (let i = 1; i <= options.nodes; i++) {
      this.machines.push(new Machine(`n${i}`, `10.0.0.${i}:1883`));
    }
  }

  machine(index: number): Machine {
    return this.machines[index] as Machine;
  }

  /** One more machine, empty, which is to enter the cluster like this. The others are not told of it. */
  addMachine(entrance: Omit<Entrance, 'peers'>): Machine {
    for (const machine of this.machines) {
      machine.peers ??= machine.entrance === undefined ? [...this.machines] : [];
    }
    const ordinal = this.machines.length + 1;
    const machine = new Machine(`n${ordinal}`, `10.0.0.${ordinal}:1883`);
    machine.entrance = entrance;
    this.machines.push(machine);
    return machine;
  }

  /** Starts a node; it joins as simulated time passes. */
  async start(machine: Machine): Promise<void> {
    const life = this.launch(machine);
    const isOver = () => machine.node !== undefined || machine.fatal !== undefined || !life.alive;
    await this.world.until(`${machine.name} opens`, isOver);
  }

  /** Starts a node without waiting for anything. */
  launch(machine: Machine): Life {
    const life = new Life(this.world, machine.name, () => machine.skewMs);
    machine.life = life;
    machine.fatal = undefined;
    machine.ended = undefined;
    machine.joined = false;
    const join = async (): Promise<void> => {
      const node = await this.#open(machine, life);
      if (!life.alive) return;
      machine.node = node;
      machine.nodeId = node.identity.node;
      this.network.listen(machine.address, { node: node.identity.node, door: node.door, life });
      try {
        await node.join();
      } catch (error) {
        if (!(error instanceof NodeError) || error.code !== 'BEGINS_ANEW') throw error;
        await node.stop();
        if (!life.alive) return;
        this.network.die(machine.address);
        return join();
      }
      if (!life.alive) return;
      this.onJoined?.(machine);
      machine.joined = true;
    };
    join().catch((error: unknown) => {
      if (life.alive) machine.fatal = error as Error;
    });
    return life;
  }

  #open(machine: Machine, life: Life): Promise<StorageNode> {
    const { secret, address, storageMaxBytes } = machine;
    const env = this.#envOf(machine, life);
    return StorageNode.open({
      env,
      engine: ENGINE,
      directory: DIRECTORY,
      name: machine.name,
      mqttAddress: address,
      httpAddress: () => '',
      secret,
      zone: machine.zone,
      entrance: { peers: this.#peersOf(machine), ...machine.entrance },
      onEnded: (end) => {
        if (!life.alive) return;
        machine.ended = end;
        this.kill(machine);
      },
      ...this.#options,
      ...(storageMaxBytes === undefined ? {} : { storageMaxBytes }),
      transport: ({ node }) =>
        this.network.transport({
          address,
          node,
          life,
          credentials: () => credentials(secret, node, env.random.bytes(16)),
        }),
      onFatal: (error) => {
        // The process ends with the first.
        if (!life.alive) return;
        machine.fatal = error;
        this.kill(machine);
      },
    });
  }

  #peersOf(machine: Machine): PeerAddress[] {
    const others = machine.peers ?? (machine.entrance === undefined ? this.machines : []);
    return this.machines
      .filter((each) => each === machine || others.includes(each))
      .map((each) => ({ name: each.name, mqttAddress: each.address }));
  }

  #envOf(machine: Machine, life: Life): Env {
    const { vfs } = machine;
    vfs.onOperation = (operation) => {
      if (life.alive) machine.beforeOperation?.(operation);
      if (!life.alive) return new Promise(() => {});
      if (operation.kind !== 'sync') return undefined;
      const failure = machine.failSync?.(operation.path);
      if (failure !== undefined) throw failure;
      if (machine.syncGate !== undefined) machine.syncsHeld.push(operation.path);
      return machine.syncGate ?? new Promise((resolve) => life.after(machine.syncMs, resolve));
    };
    return {
      clock: life,
      timers: life,
      events: life,
      random: {
        below: (bound) => this.random.below(bound),
        bytes: (length) => Uint8Array.from({ length }, () => this.random.below(256)),
      },
      vfs,
      offload: new InlineOffload(vfs),
      yield: (task) => void life.after(0, task),
    };
  }

  async startAll(): Promise<void> {
    for (const machine of this.machines) await this.start(machine);
    await this.untilLed();
  }

  /** `kill -9`: what was written survives in the page cache. */
  kill(machine: Machine): void {
    this.#end(machine, () => machine.vfs.processCrashClone());
  }

  /** Power loss: of what was not synced a random part survives, or none. */
  cutPower(machine: Machine, unsyncedKeepRatio = 0): void {
    const random = () => this.random.fraction();
    this.#end(machine, () => machine.vfs.crashClone({ unsyncedKeepRatio, random }));
  }

  async untilLed(machines: readonly Machine[] = this.machines): Promise<void> {
    await this.world.until('every group has a leader that everybody knows', () => {
      for (const machine of machines) if (machine.fatal !== undefined) throw machine.fatal;
      return this.isLed(machines, machines);
    });
  }

  /** Whether all of these know, of every group, which machine (of `leaders`) leads it. */
  isLed(machines: readonly Machine[], leaders: readonly Machine[] = this.machines): boolean {
    return machines.every(
      ({ node }) =>
        node?.hasJoined === true &&
        node.active.map.rows().every(({ group }) => {
          const leader = node.active.map.leaderOf(group);
          return leaders.some(
            (other) =>
              other.node?.identity.node === leader &&
              other.node?.hasJoined &&
              other.node.active.host.replica(group)?.raft.role === 'leader',
          );
        }),
    );
  }

  dataPlane(machine: Machine): DataPlane {
    return (machine.node as StorageNode).dataPlane;
  }

  /** Puts through this node's data plane; resolves when it is acknowledged, rejects when it fails. */
  put(machine: Machine, key: string, value: string, time = 0, ttlMs = 0): Promise<number> {
    return put(this.dataPlane(machine), key, value, time, ttlMs);
  }

  /** Reads through this node; the text of the value, or the kind of outcome. */
  async get(machine: Machine, key: string): Promise<string> {
    const reading = this.dataPlane(machine).get(encode(key));
    const outcome = await this.world.resolve(`get ${key}`, reading);
    return outcome.kind === 'found' ? decode(outcome.value) : `<${outcome.kind}>`;
  }

  leaderOf(key: string): Machine {
    const bytes = encode(key);
    for (const machine of this.machines) {
      if (machine.node?.hasJoined !== true || !machine.life?.alive) continue;
      const group = machine.node.active.map.groupOf(bytes, 0, bytes.length);
      if (machine.node.active.host.replica(group)?.raft.role === 'leader') return machine;
    }
    throw new Error(`no leader for ${key}`);
  }

  /** Has this machine lead the key's shard: whoever else does is killed and started again. */
  async makeLead(machine: Machine, key: string, restartAfterMs = 0): Promise<void> {
    for (let tries = 0; this.leaderOf(key) !== machine; tries++) {
      if (tries === 30) throw new Error(`${machine.name} is never elected`);
      const leader = this.leaderOf(key);
      this.kill(leader);
      await this.world.run(restartAfterMs);
      await this.start(leader);
      await this.untilLed();
    }
  }

  /** The wall clock of a machine that is right, in version units. */
  get now(): number {
    return unixMsToVersion(WALL_CLOCK_START_MS + this.world.nowMs);
  }

  #end(machine: Machine, nextDisk: () => CrashableMemVfs): void {
    if (machine.joined && machine.life?.alive === true) this.onEnding?.(machine);
    if (machine.life !== undefined) machine.life.alive = false;
    machine.vfs = nextDisk();
    machine.node = undefined;
    machine.joined = false;
    this.network.die(machine.address);
  }
}

export function put(
  dataPlane: DataPlane,
  key: string,
  value: string,
  time = 0,
  ttlMs = 0,
): Promise<number> {
  const bytes = encode(key + value);
  const keyEnd = encode(key).length;
  return new Promise((resolve, reject) => {
    const sink: WriteSink = {
      writeCommitted: (_token, version) => resolve(version),
      writeFailed: (_token, failure) => reject(new Error(failure)),
      writesDrained: () => {},
    };
    dataPlane.write(sink, 1, bytes, 0, keyEnd, keyEnd, bytes.length, time, ttlMs);
  });
}

/** Collects what a watch tells. */
export function watch(dataPlane: DataPlane, filter: string) {
  const seen: (WatchedValue & { readonly text: string; readonly keyText: string })[] = [];
  const state = { seen, snapshotDone: false, close: () => {} };
  const handle = dataPlane.watch(filter, {
    value: (item) => {
      seen.push({ ...item, text: decode(item.value), keyText: decode(item.key) });
      return undefined;
    },
    snapshotDone: () => {
      state.snapshotDone = true;
    },
  });
  state.close = () => handle.close();
  return state;
}
