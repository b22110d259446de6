import type { WatchBatch, WatchSink } from '../shard/watch-feed.ts';
import type { RpcHub } from '../transport/rpc.ts';

/** How far changes may run ahead of what the watcher granted, before it must start again from a snapshot. */
const OVERDRAFT_BYTES_MAX = 4 * 1024 * 1024;

/** Carries one watch to another node, as fast as that node takes it. */
export class RemoteSink implements WatchSink {
  readonly node: string;
  readonly #rpc: RpcHub;
  readonly #id: number;
  readonly #refuse: (reason: string) => void;
  readonly #onClose: () => void;
  #creditBytes: number;
  #grantedBytes = 0;
  #resume: (() => void) | undefined;
  #sentIndex = 0;
  /** Messages of the snapshot carry their ordinal as `fromIndex`, so that a lost one is noticed. */
  #snapshotMessages = 0;
  #snapshotSent = false;
  #closed = false;

  constructor(options: {
    readonly rpc: RpcHub;
    readonly node: string;
    readonly id: number;
    readonly creditBytes: number;
    /** Tells the watcher why it has to go on elsewhere. */
    readonly refuse: (reason: string) => void;
    readonly onClose: () => void;
  }) {
    this.node = options.node;
    this.#rpc = options.rpc;
    this.#id = options.id;
    this.#creditBytes = options.creditBytes;
    this.#refuse = options.refuse;
    this.#onClose = options.onClose;
  }

  deliver(batch: WatchBatch): Promise<void> | undefined {
    if (this.#closed) return undefined;
    const fromIndex = batch.snapshot ? this.#snapshotMessages++ : batch.fromIndex;
    this.#rpc.post(this.node, 'bulk', this.#id, {
      watchEvents: { ...batch, fromIndex, items: [...batch.items] },
    });
    for (const { key, value } of batch.items) this.#creditBytes -= key.length + value.length + 32;
    if (batch.snapshotDone) this.#snapshotSent = true;
    if (!batch.snapshot || batch.snapshotDone) this.#sentIndex = batch.toIndex;
    if (!batch.snapshot && this.#creditBytes < -OVERDRAFT_BYTES_MAX) {
      this.refuse('too slow');
      return undefined;
    }
    if (!batch.snapshot || this.#creditBytes > 0) return undefined;
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  /** `granted` counts from the opening of the watch, modulo 2^32: a lost message delays it only. */
  credit(granted: number): void {
    this.#creditBytes += (granted - this.#grantedBytes) >>> 0;
    this.#grantedBytes = granted;
    if (this.#creditBytes > 0) this.#release();
  }

  /** Says where the watch stands, so that a lost message is noticed even when nothing follows it. */
  keepAlive(): void {
    const fromIndex = this.#snapshotSent ? this.#sentIndex : this.#snapshotMessages++;
    this.#rpc.post(this.node, 'bulk', this.#id, {
      watchEvents: { fromIndex, toIndex: fromIndex, snapshot: !this.#snapshotSent },
    });
  }

  feedClosed(): void {
    this.refuse('its replica is not here any more');
  }

  /** Ends it and says why: the watcher goes on elsewhere. */
  refuse(reason: string): void {
    if (this.#closed) return;
    this.#refuse(reason);
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
    this.#onClose();
  }

  #release(): void {
    this.#resume?.();
    this.#resume = undefined;
  }
}
