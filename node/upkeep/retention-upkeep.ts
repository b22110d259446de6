import { encode, kv } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import { EntryKind } from '../raft/types.ts';
import type { Retention } from '../retention/retention.ts';
import { ruleToProto } from '../retention/rules.ts';
import { metaGroup } from '../ring/slots.ts';
import type { Settings } from '../settings/settings.ts';
import type { ShardHost } from '../shard/host.ts';
import type { Replica } from '../shard/replica.ts';
import { baseVersion } from '../shard/version.ts';
import { servingReplicas } from './serving-replicas.ts';

/** About so often a leader moves the cutoffs of its shard on (DESIGN §5 ▣). */
const WATERMARK_MS = 60_000;
/** A shard that nobody writes to would wear the disk with nothing but this: it moves in larger steps. */
const QUIET_WATERMARK_MS_MAX = 3_600_000;
const QUIET_PART_OF_KEEP = 0.01;
/** On a node that runs out of room so much of the history goes at a time, and then compaction gets its time. */
const PRESSED_FRACTION = 0.2;
const PRESSED_MS_MIN = 15_000;
/** A full compaction is taken to get through so much: else more would go before the first shows its effect. */
const COMPACTED_BYTES_PER_MS = 20_000;

/**
 * Tells the shards that this node leads what may go: rules as the cluster was told them, and about once a
 * minute how far time has got. Both are entries of the shard's log, so every replica drops by the same.
 */
export class RetentionUpkeep {
  readonly #env: Env;
  readonly #host: ShardHost;
  readonly #settings: () => Settings;
  readonly #settledBefore: (group: number) => number;
  readonly #pressure: (group: number) => number;
  readonly #oldest: () => number;
  /** Where an entry of ours is on its way. Another replica of the same group may come to this node meanwhile. */
  readonly #pending = new WeakSet<Replica>();
  readonly #moved = new Map<number, { readonly atMs: number; readonly lastIndex: number }>();

  constructor(options: {
    readonly env: Env;
    readonly host: ShardHost;
    readonly settings: () => Settings;
    /** Of this group everything that expires before is settled. */
    readonly settledBefore: (group: number) => number;
    /** What the fullest node stores that has a replica of this group and runs out of room; 0: none does. */
    readonly pressure: (group: number) => number;
    /** The time of the oldest value on this node, about. */
    readonly oldest: () => number;
  }) {
    this.#env = options.env;
    this.#host = options.host;
    this.#settings = options.settings;
    this.#settledBefore = options.settledBefore;
    this.#pressure = options.pressure;
    this.#oldest = options.oldest;
  }

  tick(): void {
    for (const replica of servingReplicas(this.#host)) {
      if (replica.identity.group === metaGroup || this.#pending.has(replica)) continue;
      const version = replica.nextVersion();
      if (version === undefined) continue;
      // Versions may run ahead of the time, where a clock was wrong once. History does not go by them.
      const now = Math.min(version, baseVersion(this.#env.clock.nowMs(), 0));
      const { revision, retention } = this.#settings();
      // Until the cluster has decided on its rules nothing goes by the default ones: a cutoff never goes back.
      if (revision === 0) continue;
      if (revision > replica.state.retention.revision) {
        const rules = retention.map(ruleToProto);
        this.#propose(replica, EntryKind.rules, (version) =>
          encode(kv.RulesRecord, { format: 1, version, revision, rules }),
        );
      } else {
        this.#moveOn(replica, now);
      }
    }
  }

  #moveOn(replica: Replica, now: number): void {
    const { group } = replica.identity;
    const { retention } = replica.state;
    const pressure = this.#pressure(group);
    const isPressed = pressure > 0;
    const nowMs = this.#env.clock.monotonicMs();
    const { lastIndex } = replica.raft;
    const moved = this.#moved.get(group);
    if (moved !== undefined) {
      const isQuiet = moved.lastIndex === lastIndex;
      const unpressedMs = isQuiet ? quietPauseMs(retention) : WATERMARK_MS;
      const pauseMs = isPressed ? pressedPauseMs(pressure) : unpressedMs;
      if (nowMs - moved.atMs < pauseMs) return;
    }
    this.#moved.set(group, { atMs: nowMs, lastIndex });
    const cutoffs = isPressed
      ? retention.pressed({ now, fraction: PRESSED_FRACTION, oldest: this.#oldest() })
      : retention.nextWatermark(now);
    const expiryFloor = this.#settledBefore(group);
    if (!retention.isNews(cutoffs, expiryFloor)) return;
    this.#moved.set(group, { atMs: nowMs, lastIndex: lastIndex + 1 });
    this.#propose(replica, EntryKind.watermark, (version) =>
      encode(kv.WatermarkRecord, { format: 1, version, cutoffs: [...cutoffs], expiryFloor }),
    );
  }

  #propose(replica: Replica, kind: number, record: (version: number) => Uint8Array): void {
    this.#pending.add(replica);
    // Whatever comes of it, the next tick looks at what the shard has then.
    void replica.proposeRecord(kind, record).finally(() => this.#pending.delete(replica));
    this.#host.touch(replica);
  }
}

function pressedPauseMs(usedBytes: number): number {
  return Math.max(PRESSED_MS_MIN, usedBytes / COMPACTED_BYTES_PER_MS);
}

function quietPauseMs({ rules }: Retention): number {
  const shortestKeepMs = Math.min(...rules.map(({ keepMs = Number.POSITIVE_INFINITY }) => keepMs));
  const wantedMs = Math.min(shortestKeepMs * QUIET_PART_OF_KEEP, QUIET_WATERMARK_MS_MAX);
  return Math.max(wantedMs, WATERMARK_MS);
}
