import type { Watch, Watcher } from '../../broker/data-plane.ts';
import type { StorageEngine } from '../../lsm/engine.ts';
import type { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { CurrentValue } from '../shard/current-values.ts';
import { pauseNowAndThen } from '../shard/current-values.ts';
import type { ShardHost } from '../shard/host.ts';
import type { Replica } from '../shard/replica.ts';
import { isLiteral, type WatchBatch, type WatchSink } from '../shard/watch-feed.ts';
import type { RpcHub } from '../transport/rpc.ts';
import { itemOf } from './read-codec.ts';
import { confirmRead } from './reads.ts';
import { RemoteSink } from './remote-sink.ts';
import type { ShardMap } from './shard-map.ts';

const RETRY_MS = 200;
/** A serving node says at least every second where it stands. */
const KEEP_ALIVE_MS = 1_000;
const SILENCE_MAX_MS = 5_000;
const CREDIT_BYTES = 256 * 1024;
/** The reason of a watcher that closes. */
const NOT_INTERESTED = '';
/** Below every version, and yet not "none before": what was deleted is told as well. */
const FIRST_VERSION = 1;

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
  readonly #open = new Set<ShardPart>();
  /** Parts served by other nodes, by the id of the conversation. */
  readonly #remote = new Map<number, ShardPart>();
  /** What this node serves to others, by node and id. */
  readonly #served = new Map<string, { readonly sink: RemoteSink; readonly group: number }>();
  readonly #stopTicking: () => void;

  constructor(options: WatchesOptions) {
    this.#options = options;
    this.#stopTicking = options.env.timers.every(KEEP_ALIVE_MS, () => this.#tick());
  }

  open(filter: string, watcher: Watcher): Watch {
    const { map } = this.#options;
    const key = new TextEncoder().encode(filter);
    const groups = isLiteral(filter)
      ? [map.groupOf(key, 0, key.length)]
      : map.shards().map(({ group }) => group);
    let unfinished = groups.length;
    const snapshotDone = () => {
      unfinished -= 1;
      if (unfinished === 0) watcher.snapshotDone();
    };
    const parts = groups.map((group) => new ShardPart(group, filter, watcher, snapshotDone));
    for (const part of parts) {
      this.#open.add(part);
      void this.#start(part);
    }
    return {
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
    const { host, rpc } = this.#options;
    const replica = host.replica(request.group ?? 0);
    const refuse = (reason: string) => rpc.post(from, 'bulk', id, { watchClose: { reason } });
    if (replica === undefined) return refuse('no replica here');
    if (!(await confirmRead(host, replica))) return refuse('no leader confirmed the read');
    const key = `${from} ${id}`;
    const sink = new RemoteSink({
      rpc,
      node: from,
      id,
      creditBytes: request.creditBytes ?? 0,
      onClose: () => {
        this.#served.delete(key);
        handle.close();
      },
    });
    this.#served.get(key)?.sink.close();
    const handle = this.#openFeed(
      replica,
      { filter: request.filters?.[0] ?? '', after: request.after ?? 0, sink },
      () => {
        sink.close();
        refuse('its snapshot could not be read');
      },
    );
    this.#served.set(key, { sink, group: replica.identity.group });
  }

  credited(from: string, id: number, bytes: number): void {
    this.#served.get(`${from} ${id}`)?.sink.credit(bytes);
  }

  /**
   * Either side ends it. A watcher that is not interested any more gives no reason, a server that cannot go on
   * does: two nodes that watch each other may have given both conversations the same number.
   */
  closedBy(from: string, id: number, reason: string): void {
    if (reason === NOT_INTERESTED) {
      this.#served.get(`${from} ${id}`)?.sink.close();
      return;
    }
    const part = this.#remote.get(id);
    if (part?.servedBy === from) this.#reopen(part);
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
    for (const { sink } of [...this.#served.values()]) if (sink.node === node) sink.close();
  }

  stop(): void {
    this.#stopTicking();
    for (const part of [...this.#open]) this.#close(part);
    for (const { sink } of [...this.#served.values()]) sink.close();
  }

  /** Finds somebody to serve this part, and tries on until it is closed. */
  async #start(part: ShardPart): Promise<void> {
    const { host, own, map, rpc, env } = this.#options;
    while (!part.closed) {
      const replica = host.replica(part.group);
      if (replica !== undefined && !part.localFailed && (await confirmRead(host, replica))) {
        if (part.closed) return;
        const request = { ...part.request(), sink: part };
        part.openedLocally(this.#openFeed(replica, request, () => this.#leaveLocal(part)));
        return;
      }
      if (part.closed) return;
      const others = map.candidates(part.group).filter((node) => node !== own);
      const node = others[part.attempts++ % Math.max(1, others.length)];
      if (node !== undefined) {
        const id = rpc.newId();
        part.openedRemotely(node, id, env.clock.monotonicMs());
        this.#remote.set(id, part);
        const { filter, after } = part.request();
        rpc.post(node, 'bulk', id, {
          watchOpen: { group: part.group, filters: [filter], after, creditBytes: CREDIT_BYTES },
        });
        return;
      }
      await new Promise<void>((resolve) => env.timers.after(RETRY_MS, resolve));
    }
  }

  /** A damaged table: this node cannot read what the watch begins with, the other replicas can. */
  #leaveLocal(part: ShardPart): void {
    part.localFailed = true;
    part.leaveHere();
    if (!part.closed) void this.#start(part);
  }

  #openFeed(
    replica: Replica,
    request: { filter: string; after: number; sink: WatchSink },
    onFailed: () => void,
  ) {
    const { engine, env, host } = this.#options;
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
      if (host.replica(replica.identity.group) === undefined) return;
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

  #reopen(part: ShardPart): void {
    this.#leave(part);
    if (part.closed) return;
    this.#options.env.timers.after(RETRY_MS, () => {
      if (!part.closed && part.servedBy === undefined) void this.#start(part);
    });
  }

  #close(part: ShardPart): void {
    part.close();
    this.#open.delete(part);
    this.#leave(part);
  }

  /** Ends the conversation with the node that serves this part. */
  #leave(part: ShardPart): void {
    if (part.servedBy === undefined) return;
    this.#remote.delete(part.remoteId);
    const { rpc } = this.#options;
    rpc.post(part.servedBy, 'bulk', part.remoteId, { watchClose: { reason: NOT_INTERESTED } });
    part.servedBy = undefined;
  }

  #tick(): void {
    const { env, host } = this.#options;
    const nowMs = env.clock.monotonicMs();
    for (const { sink, group } of [...this.#served.values()]) {
      if (host.replica(group) === undefined) sink.refuse('its replica has stopped');
      else sink.keepAlive();
    }
    for (const part of this.#open) {
      if (part.isServedHere && host.replica(part.group) === undefined) {
        part.leaveHere();
        void this.#start(part);
      }
    }
    for (const part of [...this.#remote.values()]) {
      if (nowMs - part.heardAtMs > SILENCE_MAX_MS) this.#reopen(part);
    }
  }
}

/** One shard's part of a watch. */
class ShardPart implements WatchSink {
  readonly group: number;
  closed = false;
  /** The node that serves it, if that is not this one. */
  servedBy: string | undefined;
  remoteId = 0;
  heardAtMs = 0;
  attempts = 0;
  /** This node's own replica could not serve it. */
  localFailed = false;
  /** The log up to here has been told. */
  coveredIndex = 0;
  /** Of this conversation: messages of the snapshot, and bytes that were delivered, modulo 2^32. */
  snapshotMessages = 0;
  consumedBytes = 0;
  readonly #filter: string;
  readonly #watcher: Watcher;
  readonly #snapshotDone: () => void;
  #hadSnapshot = false;
  #hadValues = false;
  /** Everything up to this version has been delivered; a part that is opened again goes on from here. */
  #deliveredVersion = 0;
  #closeFeed: (() => void) | undefined;

  constructor(group: number, filter: string, watcher: Watcher, snapshotDone: () => void) {
    this.group = group;
    this.#filter = filter;
    this.#watcher = watcher;
    this.#snapshotDone = snapshotDone;
  }

  /** After an unfinished snapshot everything is told again, and what was deleted since with it. */
  request(): { filter: string; after: number } {
    const told = this.#hadValues ? FIRST_VERSION : 0;
    return { filter: this.#filter, after: Math.max(told, this.#deliveredVersion) };
  }

  /** A watcher may have closed it while its first values were told. */
  openedLocally(handle: { close(): void }): void {
    if (this.closed) handle.close();
    else this.#closeFeed = handle.close;
  }

  get isServedHere(): boolean {
    return this.#closeFeed !== undefined;
  }

  leaveHere(): void {
    this.#closeFeed?.();
    this.#closeFeed = undefined;
  }

  openedRemotely(node: string, id: number, nowMs: number): void {
    this.servedBy = node;
    this.remoteId = id;
    this.heardAtMs = nowMs;
    this.coveredIndex = 0;
    this.snapshotMessages = 0;
    this.consumedBytes = 0;
  }

  deliver(batch: WatchBatch): Promise<void> | undefined {
    if (this.closed) return undefined;
    const isFirst = batch.snapshot && !this.#hadSnapshot;
    const held = this.#tell(batch.items, isFirst);
    if (batch.snapshot && !batch.snapshotDone) return held;
    this.coveredIndex = batch.toIndex;
    this.#deliveredVersion = Math.max(this.#deliveredVersion, batch.highestVersion);
    if (isFirst) {
      this.#hadSnapshot = true;
      this.#snapshotDone();
    }
    return held;
  }

  close(): void {
    this.closed = true;
    this.#closeFeed?.();
  }

  #tell(items: readonly CurrentValue[], snapshot: boolean): Promise<void> | undefined {
    const holds: Promise<void>[] = [];
    if (items.length > 0) this.#hadValues = true;
    for (const item of items) {
      const held = this.#watcher.value({ ...item, snapshot: snapshot && !item.deleted });
      if (held !== undefined) holds.push(held);
    }
    return holds.length === 0 ? undefined : Promise.all(holds).then(() => {});
  }
}
