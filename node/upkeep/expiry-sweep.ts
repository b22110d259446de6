import type { EngineSnapshot, StorageEngine } from '../../lsm/engine.ts';
import type { Env } from '../env.ts';
import { readCurrent } from '../shard/current-values.ts';
import { decodeExpiryKey, type Expiry, expiryBound, Space } from '../shard/engine-key.ts';
import type { ShardHost } from '../shard/host.ts';
import type { Replica } from '../shard/replica.ts';
import { servingReplicas } from './serving-replicas.ts';

/** So many tombstones are proposed at a time, so that ordinary writes are not held up. */
const BATCH_MAX = 256;

/**
 * Ends values whose time has come, in the shards that this node leads: proposes a tombstone for each that is
 * still current (DESIGN §3 ▣), so that watchers see it in order. Which values expire when stands in the engine
 * itself (`Space.expiries`).
 */
export class ExpirySweep {
  readonly #env: Env;
  readonly #host: ShardHost;
  readonly #engine: StorageEngine;
  readonly #expire: (key: Uint8Array, version: number) => Promise<boolean>;
  readonly #busy = new Set<number>();
  /** By group: everything that expires before this is settled, as this run has seen. */
  readonly #settled = new Map<number, number>();
  #stopped = false;

  constructor(options: {
    readonly env: Env;
    readonly host: ShardHost;
    readonly engine: StorageEngine;
    /** Whether the tombstone is committed, with an effect or without. */
    readonly expire: (key: Uint8Array, version: number) => Promise<boolean>;
  }) {
    this.#env = options.env;
    this.#host = options.host;
    this.#engine = options.engine;
    this.#expire = options.expire;
  }

  tick(): void {
    for (const replica of servingReplicas(this.#host)) {
      const { group } = replica.identity;
      if (this.#busy.has(group)) continue;
      const now = replica.nextVersion();
      if (now === undefined || replica.state.earliestExpiry > now) continue;
      this.#busy.add(group);
      this.#sweep(replica, now)
        .catch((error: unknown) => this.#complain(group, error))
        .finally(() => this.#busy.delete(group));
    }
  }

  /** Every value of this group that expires before is settled, as far as this run knows. */
  settledBefore(group: number): number {
    return this.#settled.get(group) ?? 0;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #sweep(replica: Replica, now: number): Promise<void> {
    const { state, identity } = replica;
    const from = Math.max(state.retention.expiryFloor, this.settledBefore(identity.group));
    // What is not applied yet has a higher version than this, and expires later still. And a tombstone of a
    // value that expires by then takes effect, whoever leads when it is proposed.
    const certain = Math.min(now, state.highestVersion);
    // What is written from here on is noted there; what was written before is in the snapshot.
    state.earliestExpiry = Number.POSITIVE_INFINITY;
    const snapshot = this.#engine.snapshot();
    let next = from;
    try {
      next = await this.#settle(snapshot, replica, { from, certain, now });
    } finally {
      snapshot.close();
      state.earliestExpiry = Math.min(state.earliestExpiry, next);
    }
  }

  /** Returns when the next value expires, or `from` if not all could be settled. */
  async #settle(
    snapshot: EngineSnapshot,
    replica: Replica,
    { from, certain, now }: { from: number; certain: number; now: number },
  ): Promise<number> {
    const { firstSlot, slotCount, group } = replica.identity;
    let next = Number.POSITIVE_INFINITY;
    let settledCount = 0;
    for (let slot = firstSlot; slot < firstSlot + slotCount; slot++) {
      for await (const batch of dueBatches(snapshot, slot, from)) {
        const later = batch.find(({ expiresAt }) => expiresAt > now);
        const due = batch.filter(({ expiresAt }) => expiresAt <= now);
        const current = await currentOf(snapshot, slot, due);
        // Whether their tombstones have had an effect is for the next sweep to see.
        const unsure = current.find(({ expiresAt }) => expiresAt > certain);
        if (unsure !== undefined) next = Math.min(next, unsure.expiresAt);
        settledCount += due.filter(({ expiresAt }) => expiresAt <= certain).length;
        if (!(await this.#end(current)) || this.#stopped) return from;
        if (later === undefined) continue;
        next = Math.min(next, later.expiresAt);
        break;
      }
    }
    if (settledCount > 0) this.#settled.set(group, certain + 1);
    return next;
  }

  /** Proposes a tombstone for each. Whether all of these are committed. */
  async #end(current: readonly Expiry[]): Promise<boolean> {
    const ended = current.map(({ key, version }) => this.#expire(key, version));
    return (await Promise.all(ended)).every((isEnded) => isEnded);
  }

  #complain(group: number, error: unknown): void {
    if (this.#stopped) return;
    this.#env.events.emit({
      level: 'error',
      name: 'expiry-failed',
      message: `group ${group}: values that have expired could not be ended: ${String(error)}`,
      data: { group },
    });
  }
}

/** Those of them that nothing has replaced. */
async function currentOf(
  snapshot: EngineSnapshot,
  slot: number,
  due: readonly Expiry[],
): Promise<Expiry[]> {
  const current: Expiry[] = [];
  for (const expiry of due) {
    const newest = await readCurrent(snapshot, slot, expiry.key);
    if (newest?.version === expiry.version && !newest.deleted) current.push(expiry);
  }
  return current;
}

/** What expires in this slot from a time on, in order. */
async function* dueBatches(
  snapshot: EngineSnapshot,
  slot: number,
  from: number,
): AsyncGenerator<readonly Expiry[]> {
  const lower = expiryBound(slot, from);
  const cursor = snapshot.cursor({ lower, upper: Uint8Array.of(slot, Space.expiries + 1) });
  try {
    let batch: Expiry[] = [];
    const positioned = cursor.seek(lower);
    if (positioned !== undefined) await positioned;
    while (cursor.valid) {
      if (batch.push(decodeExpiryKey(cursor.key)) >= BATCH_MAX) {
        yield batch;
        batch = [];
      }
      const moved = cursor.next();
      if (moved !== undefined) await moved;
    }
    if (batch.length > 0) yield batch;
  } finally {
    cursor.close();
  }
}
