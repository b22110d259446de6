import type { Watch, Watcher, WatchPosition } from '../../broker/data-plane.ts';
import { keyBytes } from '../../broker/reserved-keys.ts';
import type { StorageEngine } from '../../lsm/engine.ts';
import type { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import { pauseNowAndThen } from '../shard/current-values.ts';
import type { ShardHost } from '../shard/host.ts';
import type { Replica } from '../shard/replica.ts';
import { isLiteral, type WatchSink } from '../shard/watch-feed.ts';
import type { RpcHub } from '../transport/rpc.ts';
import { confirmRead } from './confirm-read.ts';
import { rowFromWire, rowToWire } from './map-codec.ts';
import { itemOf } from './read-codec.ts';
import { RemoteSink } from './remote-sink.ts';
import type { ShardMap } from './shard-map.ts';
import { WatchPart } from './watch-part.ts';

const RETRY_MS = 200;
/** A serving node says at least every second where it stands. */
const KEEP_ALIVE_MS = 1_000;
const SILENCE_MAX_MS = 5_000;
const CREDIT_BYTES = 256 * 1024;
/** The reason of a watcher that closes. */
const NOT_INTERESTED = '';

interface WatchesOptions {
  readonly own: string;
  readonly env: Env;
  readonly host: ShardHost;
  readonly engine: StorageEngine;
  readonly map: ShardMap;
  readonly rpc: RpcHub;
}

/**
 * Watches over the whole cluster: one part per shard, at the local replica where there is one, else at
 * another node, opened again elsewhere when that fails (DESIGN §6).
 */
export class Watches {
  readonly #options: WatchesOptions;
  readonly #open = new Set<WatchPart>();
  /** Parts served by other nodes, by the id of the conversation. */
  readonly #remote = new Map<number, WatchPart>();
  /** What this node serves to others, by node and id. */
  readonly #served = new Map<string, RemoteSink>();
  readonly #stopTicking: () => void;

  constructor(options: WatchesOptions) {
    this.#options = options;
    this.#stopTicking = options.env.timers.every(KEEP_ALIVE_MS, () => this.#tick());
  }

  open(filter: string, watcher: Watcher, after?: WatchPosition): Watch {
    const { map } = this.#options;
    const key = keyBytes(filter);
    const groups = isLiteral(filter)
      ? [map.groupOf(key, 0, key.length)]
      : map.shards().map(({ group }) => group);
    let unfinished = groups.length;
    const snapshotDone = () => {
      unfinished -= 1;
      if (unfinished === 0) watcher.snapshotDone();
    };
    const unserved = (part: WatchPart) => this.#startSoon(part);
    const shared = { filter, watcher, snapshotDone, unserved };
    const parts = groups.map(
      (group) => new WatchPart({ ...shared, group, after: after?.get(group) }),
    );
    for (const part of parts) {
      this.#open.add(part);
      void this.#start(part);
    }
    return {
      position: () => positionOf(parts),
      close: () => {
        for (const part of parts) this.#close(part);
      },
    };
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** A node asks us to serve a watch. */
  async serve(
    from: string,
    id: number,
    request: NonNullable<cluster.Rpc['watchOpen']>,
  ): Promise<void> {
    const { host, rpc, map } = this.#options;
    const { group = 0, filters = [], after = 0, creditBytes = 0 } = request;
    const replica = host.replica(group);
    const refuse = (reason: string) => {
      const row = rowToWire(map.find(group));
      rpc.post(from, 'bulk', id, { watchClose: { reason, ...row } });
    };
    if (replica === undefined) return refuse('no replica here');
    if (!(await confirmRead(host, replica))) return refuse('no leader confirmed the read');
    if (host.replica(group) !== replica) return refuse('its replica is not here any more');
    const key = `${from} ${id}`;
    const onClose = () => {
      this.#served.delete(key);
      handle.close();
    };
    const sink = new RemoteSink({ rpc, node: from, id, creditBytes, refuse, onClose });
    this.#served.get(key)?.close();
    const handle = this.#openFeed(replica, { filter: filters[0] ?? '', after, sink }, () =>
      sink.refuse('its snapshot could not be read'),
    );
    this.#served.set(key, sink);
  }

  credited(from: string, id: number, bytes: number): void {
    this.#served.get(`${from} ${id}`)?.credit(bytes);
  }

  /**
   * Either side ends it. A watcher that is not interested any more gives no reason, a server that cannot go on
   * does: two nodes that watch each other may have given both conversations the same number.
   */
  closedBy(from: string, id: number, close: cluster.WatchClose.$Properties): void {
    const { reason = NOT_INTERESTED, row } = close;
    if (reason === NOT_INTERESTED) {
      this.#served.get(`${from} ${id}`)?.close();
      return;
    }
    const part = this.#remote.get(id);
    if (part?.servedBy !== from) return;
    if (row != null && this.#options.map.relay(part.group, rowFromWire(row))) part.forgetTried();
    this.#reopen(part);
  }

  eventsArrived(from: string, id: number, events: NonNullable<cluster.Rpc['watchEvents']>): void {
    const { env, rpc } = this.#options;
    const part = this.#remote.get(id);
    if (part === undefined || part.servedBy !== from) {
      rpc.post(from, 'bulk', id, { watchClose: { reason: NOT_INTERESTED } });
      return;
    }
    const items = ((events.items ?? []) as cluster.Item[]).map(itemOf);
    const batch = {
      fromIndex: events.fromIndex ?? 0,
      toIndex: events.toIndex ?? 0,
      snapshot: events.snapshot ?? false,
      snapshotDone: events.snapshotDone ?? false,
      highestVersion: events.highestVersion ?? 0,
      items,
    };
    part.heardAtMs = env.clock.monotonicMs();
    const expected = batch.snapshot ? part.snapshotMessages++ : part.coveredIndex;
    if (batch.fromIndex !== expected) return this.#reopen(part);
    const consumed = part.deliver(batch) ?? Promise.resolve();
    const bytes = items.reduce((sum, item) => sum + item.key.length + item.value.length + 32, 0);
    void consumed.then(() => {
      if (part.remoteId !== id) return;
      part.consumedBytes = (part.consumedBytes + bytes) % 0x1_0000_0000;
      // In answer to a keep-alive too: the last credit may have been lost.
      if (part.consumedBytes === 0) return;
      rpc.post(from, 'bulk', id, { watchCredit: { bytes: part.consumedBytes } });
    });
  }

  nodeUnreachable(node: string): void {
    for (const part of [...this.#remote.values()]) {
      if (part.servedBy === node) this.#reopen(part);
    }
    for (const sink of [...this.#served.values()]) if (sink.node === node) sink.close();
  }

  stop(): void {
    this.#stopTicking();
    for (const part of [...this.#open]) this.#close(part);
    for (const sink of [...this.#served.values()]) sink.close();
  }

  /** Finds somebody to serve this part, and tries on until it is closed. */
  async #start(part: WatchPart): Promise<void> {
    const { host, own, map } = this.#options;
    while (!part.closed) {
      // At the start of a cluster: who is asked before there is a leader may not even answer.
      if (map.leaderOf(part.group) === undefined) {
        await this.#rest();
        continue;
      }
      const replica = host.replica(part.group);
      const isReadable = replica !== undefined && replica !== part.unreadable;
      if (isReadable && (await confirmRead(host, replica))) {
        if (part.closed) return;
        // It may have left this node meanwhile, or be taking over a snapshot.
        if (host.replica(part.group) === replica) return this.#startHere(part, replica);
      }
      if (part.closed) return;
      const node = part.nextOf(map.allCandidates(part.group).filter((each) => each !== own));
      if (node !== undefined) return this.#startAt(part, node);
      await this.#rest();
    }
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => this.#options.env.timers.after(RETRY_MS, resolve));
  }

  #startHere(part: WatchPart, replica: Replica): void {
    const request = { ...part.request(), sink: part };
    const handle = this.#openFeed(replica, request, () => {
      // A damaged table: this node cannot read what the watch begins with, the other replicas can.
      part.unreadable = replica;
      part.leaveHere();
      this.#startSoon(part);
    });
    part.openedLocally(handle);
  }

  #startAt(part: WatchPart, node: string): void {
    const { rpc, env } = this.#options;
    const id = rpc.newId();
    part.openedRemotely(node, id, env.clock.monotonicMs());
    this.#remote.set(id, part);
    const { filter, after } = part.request();
    rpc.post(node, 'bulk', id, {
      watchOpen: { group: part.group, filters: [filter], after, creditBytes: CREDIT_BYTES },
    });
  }

  /** Not at once: a feed that closes is in the middle of something. */
  #startSoon(part: WatchPart): void {
    this.#options.env.yield(() => {
      if (!part.closed && !part.isServed) void this.#start(part);
    });
  }

  #openFeed(
    replica: Replica,
    request: { filter: string; after: number; sink: WatchSink },
    onFailed: () => void,
  ) {
    const { engine, env } = this.#options;
    const handle = replica.feed.open(request, {
      snapshot: engine.snapshot(),
      appliedIndex: replica.state.appliedIndex,
      highestVersion: replica.state.highestVersion,
      tombstoneCutoff: replica.state.retention.highestTombstoneCutoff,
      firstSlot: replica.identity.firstSlot,
      slotCount: replica.identity.slotCount,
      pause: pauseNowAndThen(() => new Promise((resolve) => env.yield(resolve))),
    });
    handle.done.catch((error: unknown) => {
      env.events.emit({
        level: 'error',
        name: 'watch-failed',
        message: `a watch of group ${replica.identity.group} ended: ${String(error)}`,
      });
      handle.close();
      onFailed();
    });
    return handle;
  }

  #reopen(part: WatchPart): void {
    this.#leave(part);
    if (part.closed) return;
    this.#options.env.timers.after(RETRY_MS, () => {
      if (!part.closed && !part.isServed) void this.#start(part);
    });
  }

  #close(part: WatchPart): void {
    part.close();
    this.#open.delete(part);
    this.#leave(part);
  }

  /** Ends the conversation with the node that serves this part. */
  #leave(part: WatchPart): void {
    if (part.servedBy === undefined) return;
    this.#remote.delete(part.remoteId);
    const { rpc } = this.#options;
    rpc.post(part.servedBy, 'bulk', part.remoteId, { watchClose: { reason: NOT_INTERESTED } });
    part.servedBy = undefined;
  }

  #tick(): void {
    const nowMs = this.#options.env.clock.monotonicMs();
    for (const sink of this.#served.values()) sink.keepAlive();
    for (const part of [...this.#remote.values()]) {
      if (nowMs - part.heardAtMs > SILENCE_MAX_MS) this.#reopen(part);
    }
  }
}

function positionOf(parts: readonly WatchPart[]): WatchPosition {
  const known = parts.filter(({ deliveredVersion }) => deliveredVersion > 0);
  return new Map(known.map(({ group, deliveredVersion }) => [group, deliveredVersion]));
}
