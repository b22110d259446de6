import type {
  CompareAndSet,
  CompareAndSetOutcome,
  DataPlane,
  GetOptions,
  GetOutcome,
  HistoryOutcome,
  HistoryQuery,
  ListOutcome,
  ListQuery,
  Watch,
  Watcher,
  WatchPosition,
  WriteSink,
} from '../../broker/data-plane.ts';
import { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import type { ForwardedBatch } from '../shard/entry.ts';
import type { ShardHost } from '../shard/host.ts';
import type { ForwardOutcome } from '../shard/replica.ts';
import type { WriteCondition } from '../shard/write-batch.ts';
import type { RpcBody, RpcHub, RpcOrigin } from '../transport/rpc.ts';
import { reportOfLead, rowFromWire, rowToWire } from './map-codec.ts';
import { PendingCompareAndSet } from './pending-compare-and-set.ts';
import type { Reads } from './reads.ts';
import type { MapChange, ShardMap } from './shard-map.ts';
import type { Watches } from './watches.ts';
import { type SealedBatch, WriteStream } from './write-stream.ts';

/** A put that is not committed by then is not acknowledged (DESIGN §6). */
export const PUT_DEADLINE_MS = 10_000;
const QUEUE_BYTES_MAX = 32 * 1024 * 1024;
const TICK_MS = 100;

const { ForwardStatus } = cluster;

/** Routes what the broker asks for to the shards, wherever their leaders are. */
export class NodeDataPlane implements DataPlane {
  /** From a write handed in here to its commit; all writes of a batch are counted like its first. */
  readonly commitLatency = new LatencyHistogram();
  readonly #own: RpcOrigin;
  readonly #env: Env;
  readonly #host: ShardHost;
  readonly #map: ShardMap;
  readonly #rpc: RpcHub;
  readonly #reads: Reads;
  readonly #watches: Watches;
  readonly #streams = new Map<number, WriteStream>();
  /** Streams that something was written to in this turn. */
  readonly #touched = new Set<WriteStream>();
  readonly #held = new Set<WriteSink>();
  /** Counts through the candidates of a group while the map does not say who leads it, or is wrong. */
  readonly #guess = new Map<number, number>();
  readonly #stopTicking: () => void;
  #fullGroups: ReadonlySet<number> = new Set();
  #pumpScheduled = false;
  #queuedBytes = 0;
  #stopped = false;

  constructor(options: {
    readonly own: RpcOrigin;
    readonly env: Env;
    readonly host: ShardHost;
    readonly map: ShardMap;
    readonly rpc: RpcHub;
    readonly reads: Reads;
    readonly watches: Watches;
  }) {
    this.#own = options.own;
    this.#env = options.env;
    this.#host = options.host;
    this.#map = options.map;
    this.#rpc = options.rpc;
    this.#reads = options.reads;
    this.#watches = options.watches;
    this.#map.onChange((change) => this.#follow(change));
    this.#stopTicking = this.#env.timers.every(TICK_MS, () => this.#tick());
  }

  write(
    sink: WriteSink,
    token: number,
    buffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    time = 0,
    ttlMs = 0,
  ): boolean {
    return this.#write(
      sink,
      token,
      buffer,
      keyStart,
      keyEnd,
      valueStart,
      valueEnd,
      time,
      ttlMs,
      undefined,
    );
  }

  compareAndSet(request: CompareAndSet): Promise<CompareAndSetOutcome> {
    const { key, value, ifVersion, ttlMs, token } = request;
    const condition = { kind: 'version', ifVersion: ifVersion ?? 0, token } as const;
    return new Promise((resolve) => {
      this.#writeConditionally(new PendingCompareAndSet(resolve), key, value, ttlMs, condition);
    });
  }

  /** Ends a value that has expired, if it still is current. Resolves with whether that is settled. */
  expire(key: Uint8Array, version: number): Promise<boolean> {
    return new Promise((resolve) => {
      const sink = {
        writeCommitted: () => resolve(true),
        writeFailed: () => resolve(false),
        writesDrained: () => {},
      };
      const condition = { kind: 'expired', ifVersion: version } as const;
      this.#writeConditionally(sink, key, NOTHING, 0, condition);
    });
  }

  /** Puts to these groups are refused: a replica's node has no room left, and no history to drop. */
  storageFull(groups: ReadonlySet<number>): void {
    this.#fullGroups = groups;
  }

  #writeConditionally(
    sink: WriteSink,
    key: Uint8Array,
    value: Uint8Array,
    ttlMs: number,
    condition: WriteCondition,
  ): void {
    const bytes = new Uint8Array(key.length + value.length);
    bytes.set(key);
    bytes.set(value, key.length);
    this.#write(sink, 0, bytes, 0, key.length, key.length, bytes.length, 0, ttlMs, condition);
  }

  #write(
    sink: WriteSink,
    token: number,
    buffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    time: number,
    ttlMs: number,
    condition: WriteCondition | undefined,
  ): boolean {
    if (this.#stopped) {
      this.#env.yield(() => sink.writeFailed(token, 'stopping'));
      return true;
    }
    const group = this.#map.groupOf(buffer, keyStart, keyEnd);
    // Deletes make room.
    if (this.#fullGroups.size > 0 && valueEnd > valueStart && this.#fullGroups.has(group)) {
      this.#env.yield(() => sink.writeFailed(token, 'storage-full'));
      return true;
    }
    const stream = this.#stream(group);
    const before = stream.queuedBytes;
    stream.add(sink, token, buffer, keyStart, keyEnd, valueStart, valueEnd, time, ttlMs, condition);
    this.#queuedBytes += stream.queuedBytes - before;
    this.#touched.add(stream);
    this.#schedulePump();
    if (this.#queuedBytes < QUEUE_BYTES_MAX) return true;
    this.#held.add(sink);
    return false;
  }

  forget(sink: WriteSink): void {
    this.#held.delete(sink);
    for (const stream of this.#streams.values()) stream.forget(sink);
    this.#recount();
  }

  get(key: Uint8Array, options?: GetOptions): Promise<GetOutcome> {
    return this.#reads.get(key, options);
  }

  history(query: HistoryQuery): Promise<HistoryOutcome> {
    return this.#reads.history(query);
  }

  list(query: ListQuery): Promise<ListOutcome> {
    return this.#reads.list(query);
  }

  watch(filter: string, watcher: Watcher, after?: WatchPosition): Watch {
    return this.#watches.open(filter, watcher, after);
  }

  /** A replica on this node says who leads its group. */
  leaderReported(group: number, node: string, term: number): void {
    this.#map.report(group, { node, term });
  }

  /** A node says that it leads these groups, and who is in them. */
  leadsReported(node: string, leads: readonly cluster.Lead.$Properties[]): void {
    for (const lead of leads) this.#map.report(lead.group ?? 0, reportOfLead(node, lead));
  }

  /** What was sent to this node may be lost, and from now on it can be reached: what it has not answered goes again. */
  reached(node: string): void {
    if (this.#stopped) return;
    for (const [group, stream] of this.#streams) {
      if (this.#target(group) === node) stream.resendAll();
    }
  }

  /** A batch that another node forwards to a group that we may lead. */
  serveForward(
    from: RpcOrigin,
    request: NonNullable<cluster.Rpc['forwardRequest']>,
    reply: (body: RpcBody) => void,
  ): void {
    const { group = 0, number = 0, count = 0, crc = 0, batch = NOTHING } = request;
    this.#env.stages?.count('route', count);
    const { node, startCounter } = from;
    const bytes = batch.slice();
    this.#propose(group, { node, startCounter, number, count, crc, bytes }, (outcome) => {
      const forwardReply = wireOutcome(group, number, outcome);
      if (outcome.kind === 'not-leader')
        Object.assign(forwardReply, rowToWire(this.#map.find(group)));
      reply({ forwardReply });
    });
  }

  forwardAnswered(from: string, reply: NonNullable<cluster.Rpc['forwardReply']>): void {
    const { group = 0, number = 0, row } = reply;
    this.#answered(from, group, number, outcomeOf(reply));
    if (row != null) this.#map.relay(group, rowFromWire(row));
  }

  /** Nothing that waits is acknowledged from here on. */
  stop(): void {
    this.#stopped = true;
    this.#stopTicking();
    for (const stream of this.#streams.values()) stream.stop();
    this.#watches.stop();
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  #stream(group: number): WriteStream {
    const existing = this.#streams.get(group);
    if (existing !== undefined) return existing;
    const stream = new WriteStream({
      nowMs: () => this.#env.clock.monotonicMs(),
      send: (batch) => this.#send(group, batch),
      committed: (writes, afterMs) => this.commitLatency.add(afterMs, writes),
      unanswered: () => this.#redirect(group, this.#target(group), undefined),
    });
    this.#streams.set(group, stream);
    return stream;
  }

  #schedulePump(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    this.#env.yield(() => {
      this.#pumpScheduled = false;
      const outer = this.#env.stages?.enter('batch');
      for (const stream of this.#touched) stream.pump();
      this.#touched.clear();
      this.#env.stages?.leave(outer);
    });
  }

  #send(group: number, batch: SealedBatch): void {
    const { stages } = this.#env;
    stages?.count('front', batch.count);
    stages?.count('batch', batch.count);
    const { number, count, crc, bytes } = batch;
    const target = this.#target(group);
    if (target === this.#own.node) {
      const { node, startCounter } = this.#own;
      this.#propose(group, { node, startCounter, number, count, crc, bytes }, (outcome) =>
        this.#answered(target, group, number, outcome),
      );
      return;
    }
    stages?.count('route', count);
    this.#rpc.post(target, 'consensus', this.#rpc.newId(), {
      forwardRequest: { group, number, count, crc, batch: bytes },
    });
  }

  #target(group: number): string {
    const guess = this.#guess.get(group) ?? 0;
    const likeliest = guess === 0 ? this.#map.likeliest(group) : undefined;
    if (likeliest !== undefined) return likeliest;
    const candidates = this.#map.allCandidates(group);
    return candidates[guess % candidates.length] ?? this.#own.node;
  }

  /** Batches are spelled out where they come from: V8 makes a dictionary, ten times as large, of `{ ...from, number }`. */
  #propose(group: number, batch: ForwardedBatch, done: (outcome: ForwardOutcome) => void): void {
    const replica = this.#host.replica(group);
    if (replica === undefined) return done({ kind: 'not-leader', leader: undefined });
    this.#env.stages?.count('propose', batch.count);
    replica.propose(batch, done);
    this.#host.touch(replica);
  }

  #answered(from: string, group: number, number: number, outcome: ForwardOutcome): void {
    const stream = this.#streams.get(group);
    if (stream === undefined || this.#stopped) return;
    if (outcome.kind === 'not-leader') this.#redirect(group, from, outcome.leader);
    const { stages } = this.#env;
    const outer = stages?.enter('acknowledge');
    const count = stream.answered(number, outcome);
    if (outcome.kind === 'committed') this.#recount();
    stages?.count('acknowledge', count);
    stages?.leave(outer);
  }

  /**
   * The next try goes where the answer points, or to the next node in line. Several batches are on their way at a
   * time, and each brings the same answer: only the first counts, or every other node would be left out.
   */
  #redirect(group: number, from: string, leader: string | undefined): void {
    if (from !== this.#target(group)) return;
    const hinted = leader === undefined ? -1 : this.#map.allCandidates(group).indexOf(leader);
    this.#guess.set(group, hinted >= 0 ? hinted : (this.#guess.get(group) ?? 0) + 1);
  }

  /** A new leader may not have what the one before was sent. */
  #follow({ group, isNewLeader }: MapChange): void {
    if (!isNewLeader || this.#stopped) return;
    this.#guess.delete(group);
    this.#streams.get(group)?.resendAll();
  }

  #tick(): void {
    const nowMs = this.#env.clock.monotonicMs();
    for (const stream of this.#streams.values()) {
      if (!stream.isIdle) stream.tick(nowMs, PUT_DEADLINE_MS);
    }
    this.#recount();
  }

  #recount(): void {
    let bytes = 0;
    for (const stream of this.#streams.values()) bytes += stream.queuedBytes;
    this.#queuedBytes = bytes;
    if (this.#held.size === 0 || bytes > QUEUE_BYTES_MAX / 2) return;
    const held = [...this.#held];
    this.#held.clear();
    for (const sink of held) sink.writesDrained();
  }
}

function wireOutcome(
  group: number,
  number: number,
  outcome: ForwardOutcome,
): cluster.ForwardReply.$Properties {
  switch (outcome.kind) {
    case 'committed': {
      const { baseVersion, results = [] } = outcome;
      const status = ForwardStatus.COMMITTED;
      return { group, number, status, baseVersion, results: [...results] };
    }
    case 'not-leader': {
      const { leader: leaderNode = '' } = outcome;
      return { group, number, status: ForwardStatus.NOT_LEADER, leaderNode };
    }
    case 'out-of-order': {
      const { expectedNumber } = outcome;
      return { group, number, status: ForwardStatus.OUT_OF_ORDER, expectedNumber };
    }
    case 'busy':
      return { group, number, status: ForwardStatus.BUSY };
    case 'bad-batch':
      return { group, number, status: ForwardStatus.BAD_BATCH };
  }
}

function outcomeOf(reply: NonNullable<cluster.Rpc['forwardReply']>): ForwardOutcome {
  switch (reply.status) {
    case ForwardStatus.COMMITTED:
      return {
        kind: 'committed',
        baseVersion: reply.baseVersion ?? 0,
        results: (reply.results ?? []) as cluster.ConditionalResult[],
      };
    case ForwardStatus.NOT_LEADER: {
      const leader = reply.leaderNode ?? '';
      return { kind: 'not-leader', leader: leader === '' ? undefined : leader };
    }
    case ForwardStatus.OUT_OF_ORDER:
      return { kind: 'out-of-order', expectedNumber: reply.expectedNumber ?? 0 };
    case ForwardStatus.BAD_BATCH:
      return { kind: 'bad-batch' };
    default:
      return { kind: 'busy' };
  }
}

const NOTHING = new Uint8Array(0);
