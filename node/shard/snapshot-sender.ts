import type { StorageEngine } from '../../lsm/engine.ts';
import { LsmError } from '../../lsm/errors.ts';
import { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { ReplicaId, Term } from '../raft/types.ts';
import type { Call, RpcBody, RpcMessage } from '../transport/rpc.ts';
import { ChunkWindow } from './chunk-window.ts';
import { positionOf } from './group-position.ts';
import { chunksOf, rangeOf } from './range-changes.ts';
import type { Replica } from './replica.ts';

const { SnapshotStatus } = cluster;

export interface SnapshotSenderOptions {
  readonly env: Env;
  readonly engine: StorageEngine;
  /** On the bulk channel. */
  readonly call: Call;
  /** At this rate blocks leave this node; asked again and again, as it may change. */
  readonly bytesPerSecond: () => number;
  /** The core was told how a snapshot ended: look at the replica in the coming turn. */
  readonly onEnd: (replica: Replica) => void;
}

/** What is on its way, for display. */
export interface OutgoingSnapshot {
  readonly group: number;
  readonly to: ReplicaId;
  readonly node: string;
  readonly index: number;
  readonly sentBytes: number;
  readonly sinceMs: number;
}

interface Transfer {
  readonly replica: Replica;
  readonly to: ReplicaId;
  readonly term: Term;
  readonly node: string;
  readonly sinceMs: number;
  index: number;
  sentBytes: number;
}

const CHUNK_BYTES_MAX = 512 * 1024;
const CHUNK_BYTES_MIN = 16 * 1024;
/** So much of one snapshot is on its way and not answered, so that neither side waits for the other's turn. */
const CHUNKS_IN_FLIGHT = 2;
const CALL_DEADLINE_MS = 5_000;
const BUSY_PAUSE_MS = 200;
const TRIES_MAX = 5;
/** Installing cuts ranges out of tables and waits for memtables to be flushed: it is asked for a minute how it goes. */
const INSTALL_TRIES_MAX = 12;
/** At once: while one begins or is being installed, another one uses the rate. */
const TRANSFERS_MAX = 4;
const TRANSFERS_PER_NODE_MAX = 2;

/**
 * Sends the state of a group to replicas that its log cannot bring up to date (DESIGN §5 ▣, Snapshots): a consistent
 * view of the shard as sorted blocks, then the position that goes with it. Each call is answered, so that only so much
 * is on its way; the rate is that of the whole node.
 */
export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  #waiting: Transfer[] = [];
  readonly #active = new Set<Transfer>();
  /** When the next chunk may leave. */
  #nextChunkMs = 0;
  #sentBytes = 0;
  #installed = 0;
  #failed = 0;
  #lastNumber = 0;
  #isStopped = false;

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  /** The leader of `replica`'s group needs to bring `to` up to date. */
  send(replica: Replica, to: ReplicaId, term: Term): void {
    const node = replica.nodeOf(to);
    if (node === undefined) return this.#end(replica, to, term, undefined);
    const sinceMs = this.#options.env.clock.monotonicMs();
    this.#waiting.push({ replica, to, term, node, sinceMs, index: 0, sentBytes: 0 });
    this.#startNext();
  }

  outgoing(): OutgoingSnapshot[] {
    return Array.from(this.#active, ({ replica, to, node, index, sentBytes, sinceMs }) => ({
      group: replica.identity.group,
      to,
      node,
      index,
      sentBytes,
      sinceMs,
    }));
  }

  /** Since the start, but for those under way; `failed` are also those that nobody needed any more. */
  get counts() {
    return {
      underWay: this.#active.size,
      installed: this.#installed,
      failed: this.#failed,
      sentBytes: this.#sentBytes,
    };
  }

  stop(): void {
    this.#isStopped = true;
    this.#waiting = [];
  }

  #startNext(): void {
    const hasRoom = (node: string) =>
      [...this.#active].filter((each) => each.node === node).length < TRANSFERS_PER_NODE_MAX;
    while (this.#active.size < TRANSFERS_MAX && !this.#isStopped) {
      const at = this.#waiting.findIndex(({ node }) => hasRoom(node));
      const [transfer] = at < 0 ? [] : this.#waiting.splice(at, 1);
      if (transfer === undefined) return;
      this.#active.add(transfer);
      void this.#run(transfer);
    }
  }

  async #run(transfer: Transfer): Promise<void> {
    const { replica, to, term, node } = transfer;
    let isInstalled = false;
    try {
      if (this.#isWanted(transfer)) isInstalled = await this.#transfer(transfer);
    } catch (error) {
      this.#options.env.events.emit({
        level: 'warn',
        name: 'snapshot-failed',
        message: `group ${replica.identity.group}: the snapshot for replica ${to} on node ${node} failed: ${(error as Error).message}`,
      });
      // A leader that cannot read its tables cannot be spared either, until somebody has brought the other up to date.
      if (isDamage(error)) replica.handOver();
    }
    this.#active.delete(transfer);
    if (isInstalled) this.#installed += 1;
    else this.#failed += 1;
    this.#end(replica, to, term, isInstalled ? transfer.index : undefined);
    this.#startNext();
  }

  #end(replica: Replica, to: ReplicaId, term: Term, index: number | undefined): void {
    if (this.#isStopped || replica.phase === 'gone') return;
    replica.raft.snapshotFinished(to, term, index);
    this.#options.onEnd(replica);
  }

  /** It still leads, and that replica still is one of its group. */
  #isWanted({ replica, to, term }: Transfer): boolean {
    const { raft, phase } = replica;
    return (
      !this.#isStopped &&
      phase === 'running' &&
      raft.term === term &&
      raft.role === 'leader' &&
      replica.nodeOf(to) !== undefined
    );
  }

  async #transfer(transfer: Transfer): Promise<boolean> {
    const { replica, to, term } = transfer;
    const { group } = replica.identity;
    const { engine } = this.#options;
    // Between two entries: what the engine shows and the position are of the same moment.
    const snapshot = engine.snapshot();
    const position = positionOf(replica);
    transfer.index = replica.state.appliedIndex;
    replica.raft.pinSnapshot(to, transfer.index);
    try {
      const fromReplica = replica.identity.replicaId;
      const number = this.#takeNumber();
      const begin = { group, fromReplica, toReplica: to, term, position, transfer: number };
      const begun = await this.#call(transfer, { snapshotBegin: begin });
      if (begun !== SnapshotStatus.SNAPSHOT_WANTED)
        return begun === SnapshotStatus.SNAPSHOT_INSTALLED;
      const blocksOf = (at: number, blocks: Uint8Array[], last: boolean) => ({
        snapshotBlocks: { group, toReplica: to, transfer: number, number: at, blocks, last },
      });
      const chunkBytes = this.#chunkBytes();
      const chunks = new ChunkWindow({
        bytesMax: CHUNKS_IN_FLIGHT * chunkBytes,
        triesMax: TRIES_MAX,
        send: async (at, blocks) => {
          const body = blocksOf(at, [...blocks], false);
          return (await this.#ask(transfer, body))?.snapshotReply ?? undefined;
        },
        pause: () => this.#pause(BUSY_PAUSE_MS),
      });
      for await (const chunk of chunksOf(snapshot, rangeOf(replica.identity), chunkBytes)) {
        const bytes = bytesOf(chunk);
        await this.#awaitRate(bytes);
        if (!this.#isWanted(transfer) || !(await chunks.add(chunk, bytes))) return false;
        transfer.sentBytes += bytes;
      }
      if (!(await chunks.settle())) return false;
      const last = blocksOf(chunks.count, [], true);
      const status = await this.#call(transfer, last, INSTALL_TRIES_MAX);
      return status === SnapshotStatus.SNAPSHOT_INSTALLED;
    } finally {
      snapshot.close();
    }
  }

  /** By the clock, so that the numbers of an earlier run of this process are lower. */
  #takeNumber(): number {
    this.#lastNumber = Math.max(this.#lastNumber + 1, this.#options.env.clock.nowMs());
    return this.#lastNumber;
  }

  /** Asks again when the answer is lost or the other side is busy: it knows what it has taken already. */
  async #call(
    transfer: Transfer,
    body: RpcBody,
    triesMax = TRIES_MAX,
  ): Promise<cluster.SnapshotStatus | undefined> {
    for (let tries = 0; tries < triesMax && this.#isWanted(transfer); tries++) {
      const status = (await this.#ask(transfer, body))?.snapshotReply?.status;
      if (status !== undefined && status !== SnapshotStatus.SNAPSHOT_BUSY) return status;
      await this.#pause(BUSY_PAUSE_MS);
    }
    return undefined;
  }

  #ask({ node }: Transfer, body: RpcBody): Promise<RpcMessage | undefined> {
    return this.#options.call(node, body, CALL_DEADLINE_MS);
  }

  /** At most a second's worth: all who receive at a low rate are to hear something long before they give up. */
  #chunkBytes(): number {
    const bytes = Math.max(CHUNK_BYTES_MIN, this.#options.bytesPerSecond());
    return Math.min(CHUNK_BYTES_MAX, bytes);
  }

  async #awaitRate(bytes: number): Promise<void> {
    this.#sentBytes += bytes;
    const nowMs = this.#options.env.clock.monotonicMs();
    const startMs = Math.max(nowMs, this.#nextChunkMs);
    this.#nextChunkMs = startMs + (bytes * 1_000) / this.#options.bytesPerSecond();
    if (startMs > nowMs) await this.#pause(Math.ceil(startMs - nowMs));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.env.timers.after(ms, resolve));
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof LsmError && error.code === 'CORRUPTION';
}

function bytesOf(blocks: readonly Uint8Array[]): number {
  return blocks.reduce((sum, block) => sum + block.length, 0);
}
