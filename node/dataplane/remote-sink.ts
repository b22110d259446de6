import type { RpcHub } from '../transport/rpc.ts';
import type { WatchBatch, WatchSink } from '../shard/watch-feed.ts';

/** How far changes may run ahead of what the watcher granted, before it must start again from a snapshot. */
const OVERDRAFT_BYTES_MAX = 4 * 1024 * 1024;

/** Carries one watch to another node, as fast as that node takes it. */
export class RemoteSink implements WatchSink {
  readonly node: string;
  readonly #rpc: RpcHub;
  readonly #id: number;
  readonly #onClose: () => void;
  #creditBytes: number;
  #resume: (() => void) | undefined;
  #sentIndex = 0;
  #snapshotSent = false;
  #closed = false;

  constructor(options: {
    readonly rpc: RpcHub;
    readonly node: string;
    readonly id: number;
    readonly creditBytes: number;
    readonly onClose: () => void;
  }) {
    this.node = options.node;
    this.#rpc = options.rpc;
    this.#id = options.id;
    this.#creditBytes = options.creditBytes;
    this.#onClose = options.onClose;
  }

  deliver(batch: WatchBatch): Promise<void> | undefined {
    if (this.#closed) return undefined;
    this.#rpc.post(this.node, 'bulk', this.#id, {
      watchEvents: { ...batch, items: [...batch.items] },
    });
    for (const { key, value } of batch.items) this.#creditBytes -= key.length + value.length + 32;
    if (batch.snapshotDone) this.#snapshotSent = true;
    if (!batch.snapshot || batch.snapshotDone) this.#sentIndex = batch.toIndex;
    if (!batch.snapshot && this.#creditBytes < -OVERDRAFT_BYTES_MAX) {
      this.#rpc.post(this.node, 'bulk', this.#id, { watchClose: { reason: 'too slow' } });
      this.close();
      return undefined;
    }
    if (!batch.snapshot || this.#creditBytes > 0) return undefined;
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  credit(bytes: number): void {
    this.#creditBytes += bytes;
    if (this.#creditBytes > 0) this.#release();
  }

  /** Says where the watch stands, so that a lost message is noticed even when nothing follows it. */
  keepAlive(): void {
    const fromIndex = this.#snapshotSent ? this.#sentIndex : 0;
    this.#rpc.post(this.node, 'bulk', this.#id, {
      watchEvents: { fromIndex, toIndex: fromIndex, snapshot: !this.#snapshotSent },
    });
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
