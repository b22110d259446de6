import { UNITS_PER_MS } from '../../broker/data-plane.ts';
import type { StorageEngine } from '../../lsm/engine.ts';
import type { Log } from '../../lsm/log/log.ts';
import type { NodeDataPlane } from '../dataplane/data-plane.ts';
import type { ShardMap } from '../dataplane/shard-map.ts';
import type { Env } from '../env.ts';
import type { Members } from '../membership/members.ts';
import type { SettingsService } from '../settings/settings-service.ts';
import type { ShardHost } from '../shard/host.ts';
import { baseVersion } from '../shard/version.ts';
import { ExpirySweep } from './expiry-sweep.ts';
import { HistoryCompaction } from './history-compaction.ts';
import { RetentionUpkeep } from './retention-upkeep.ts';
import { servingReplicas } from './serving-replicas.ts';
import { isFull, isPressed, type StorageLoad } from './storage-budget.ts';

export interface UpkeepOptions {
  readonly env: Env;
  readonly host: ShardHost;
  readonly engine: StorageEngine;
  readonly log: Log;
  readonly map: ShardMap;
  readonly members: Members;
  readonly dataPlane: NodeDataPlane;
  readonly settings: SettingsService;
  /** 0: no budget. */
  readonly storageMaxBytes: number;
}

const EXPIRY_TICK_MS = 250;
const RETENTION_TICK_MS = 1_000;
const COMPACTION_MS = 60_000;
const COMPACTION_URGENT_MS = 10_000;
/** History of less than this is none: fifth by fifth no cutoff comes closer to now. */
const HISTORY_MIN_UNITS = 6 * 60_000 * UNITS_PER_MS;

/** What a node does about the age of what it stores, and about its disk. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #expiry: ExpirySweep;
  readonly #retention: RetentionUpkeep;
  readonly #compaction: HistoryCompaction;
  #compactedAtMs: number;
  #isFull = false;
  #cancels: (() => void)[] = [];

  constructor(options: UpkeepOptions) {
    this.#options = options;
    const { env, dataPlane, settings } = options;
    this.#compactedAtMs = env.clock.monotonicMs();
    this.#expiry = new ExpirySweep({
      ...options,
      expire: (key, version) => dataPlane.expire(key, version),
    });
    this.#retention = new RetentionUpkeep({
      ...options,
      settings: () => settings.current,
      settledBefore: (group) => this.#expiry.settledBefore(group),
      pressure: (group) => Math.max(...this.#nodesOf(group).map((node) => this.#pressure(node))),
      oldest: () => this.#compaction.oldest,
    });
    this.#compaction = new HistoryCompaction(options);
  }

  start(): void {
    const { timers } = this.#options.env;
    this.#cancels = [
      timers.every(EXPIRY_TICK_MS, () => {
        if (!this.#options.members.isAhead) this.#expiry.tick();
      }),
      timers.every(RETENTION_TICK_MS, () => {
        this.#watchBudget();
        // What goes by a clock that is wrong does not come back when it is mended.
        if (!this.#options.members.isAhead) this.#retention.tick();
        this.#compact();
      }),
    ];
  }

  stop(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#expiry.stop();
  }

  /** For heartbeats. */
  get storage(): StorageLoad & { readonly isFull: boolean } {
    const { engine, log, storageMaxBytes } = this.#options;
    return {
      usedBytes: engine.diskBytes + log.diskBytes,
      maxBytes: storageMaxBytes,
      isFull: this.#isFull,
    };
  }

  #watchBudget(): void {
    const { map, dataPlane, env } = this.#options;
    const { storage } = this;
    const before = { wasFull: this.#isFull, hasHistory: this.#hasHistory() };
    this.#isFull = isFull(storage, before);
    if (this.#isFull !== before.wasFull) {
      env.events.emit({
        level: this.#isFull ? 'error' : 'info',
        name: this.#isFull ? 'storage-full' : 'storage-has-room',
        message: this.#isFull
          ? `the budget of ${storage.maxBytes} bytes is used up and no more history can go: puts are refused`
          : 'there is room again: puts are taken',
      });
    }
    const full = map
      .shards()
      .filter(({ replicas }) => replicas.some((node) => this.#isNodeFull(node)));
    dataPlane.storageFull(new Set(full.map(({ group }) => group)));
  }

  #compact(): void {
    const { env } = this.#options;
    const isUrgent = isPressed(this.storage);
    const nowMs = env.clock.monotonicMs();
    if (nowMs - this.#compactedAtMs < (isUrgent ? COMPACTION_URGENT_MS : COMPACTION_MS)) return;
    this.#compactedAtMs = nowMs;
    this.#compaction.run(this.#now(), isUrgent).catch((error: unknown) => {
      if (this.#cancels.length === 0) return;
      env.events.emit({
        level: 'error',
        name: 'history-compaction-failed',
        message: `history could not be dropped from the tables: ${String(error)}`,
      });
    });
  }

  #nodesOf(group: number): readonly string[] {
    return this.#options.map.row(group).replicas;
  }

  #pressure(node: string): number {
    const heartbeat = this.#heartbeatOf(node);
    if (heartbeat === undefined) return 0;
    const { storageUsedBytes: usedBytes, storageMaxBytes: maxBytes } = heartbeat;
    return isPressed({ usedBytes, maxBytes }) ? usedBytes : 0;
  }

  #isNodeFull(node: string): boolean {
    return this.#heartbeatOf(node)?.storageFull === true;
  }

  /** A node that is silent stores nothing at present: what it said last must not hold up the others. */
  #heartbeatOf(node: string) {
    const { members } = this.#options;
    return members.stateOf(node) === 'active' ? members.heartbeatOf(node) : undefined;
  }

  /** Whether anything but what is current can still be let go. */
  #hasHistory(): boolean {
    const recent = this.#now() - HISTORY_MIN_UNITS;
    return servingReplicas(this.#options.host).some(
      ({ identity, state }) => identity.slotCount > 0 && state.retention.lowestCutoff < recent,
    );
  }

  #now(): number {
    return baseVersion(this.#options.env.clock.nowMs(), 0);
  }
}
