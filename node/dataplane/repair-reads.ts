import type { GetOutcome } from '../../broker/data-plane.ts';
import type { StorageEngine } from '../../lsm/engine.ts';
import { LsmError } from '../../lsm/errors.ts';
import { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import { slotOf } from '../ring/slots.ts';
import { isExpired } from '../shard/condition.ts';
import { readCurrent } from '../shard/current-values.ts';
import type { ShardHost } from '../shard/host.ts';
import type { RpcBody, RpcHub } from '../transport/rpc.ts';
import { APPLY_DEADLINE_MS, CONFIRMED_CALL_DEADLINE_MS, confirmRead } from './confirm-read.ts';
import { rowFromWire, rowToWire } from './map-codec.ts';
import { itemOf } from './read-codec.ts';
import { compareSightings, type Round, type Sighting } from './repair-comparison.ts';
import type { ShardMap } from './shard-map.ts';

export interface RepairReadsOptions {
  readonly own: string;
  readonly env: Env;
  readonly host: ShardHost;
  readonly engine: StorageEngine;
  readonly map: ShardMap;
  readonly rpc: RpcHub;
  /** Replicas of a group hold different values of a key. */
  readonly onDifference: (group: number) => void;
}

const { ReadStatus } = cluster;

const DEADLINE_MS = 10_000;
const RETRY_MS = 100;
/** Of a key that is written all the time no two looks are alike: then the newest is the answer. */
const ROUNDS_MAX = 6;

/** Reads that look at every replica, and tell when these do not hold the same (docs/MQTT.md, get). */
export class RepairReads {
  readonly #options: RepairReadsOptions;

  constructor(options: RepairReadsOptions) {
    this.#options = options;
  }

  async get(key: Uint8Array): Promise<GetOutcome> {
    const { env, map } = this.#options;
    const group = map.groupOf(key, 0, key.length);
    const untilMs = env.clock.monotonicMs() + DEADLINE_MS;
    let before: Round | undefined;
    let index = 0;
    for (let rounds = 1; env.clock.monotonicMs() < untilMs; ) {
      const now = await this.#look(group, key, index);
      if (now.size === 0) {
        await new Promise<void>((resolve) => env.timers.after(RETRY_MS, resolve));
        continue;
      }
      const verdict = compareSightings(before, now);
      if (verdict.kind === 'different') this.#options.onDifference(group);
      if (verdict.kind !== 'open') return outcomeOf(key, verdict.answer);
      if (rounds++ === ROUNDS_MAX) return outcomeOf(key, newestOf(now));
      before = now;
      index = verdict.index;
    }
    return { kind: 'unavailable' };
  }

  /** The other side of `#ask`. */
  async serve(request: cluster.ReadRequest.$Properties): Promise<RpcBody> {
    const { group = 0, get, appliedIndex = 0 } = request;
    const seen = await this.#sight(group, get?.key ?? new Uint8Array(0), appliedIndex);
    if (seen === undefined) {
      const row = rowToWire(this.#options.map.find(group));
      return { readReply: { status: ReadStatus.READ_UNAVAILABLE, ...row } };
    }
    const { item, ...rest } = seen;
    return {
      readReply: { status: ReadStatus.READ_OK, items: item === undefined ? [] : [item], ...rest },
    };
  }

  /** What every replica that answers holds: first as of a read index of its own, then once it has applied `index`. */
  async #look(group: number, key: Uint8Array, index: number): Promise<Round> {
    const { own, map } = this.#options;
    const round = new Map<string, Sighting>();
    const look = async (node: string) => {
      const seen =
        node === own
          ? await this.#sight(group, key, index)
          : await this.#ask(node, group, key, index);
      if (seen !== undefined) round.set(node, seen);
    };
    await Promise.all(map.candidates(group).map(look));
    return round;
  }

  /** At the replica here; undefined: there is none, or it cannot say. */
  async #sight(group: number, key: Uint8Array, index: number): Promise<Sighting | undefined> {
    const { host, engine } = this.#options;
    const replica = host.replica(group);
    if (replica === undefined) return undefined;
    const isReady = await (index === 0
      ? confirmRead(host, replica)
      : replica.whenApplied(index, APPLY_DEADLINE_MS));
    if (!isReady || host.replica(group) !== replica) return undefined;
    const { appliedIndex, highestVersion } = replica.state;
    const snapshot = engine.snapshot();
    try {
      const item = await readCurrent(snapshot, slotOf(key, 0, key.length), key);
      return { item, appliedIndex, highestVersion };
    } catch (error) {
      if (error instanceof LsmError && error.code === 'CORRUPTION') return undefined;
      throw error;
    } finally {
      snapshot.close();
    }
  }

  async #ask(
    node: string,
    group: number,
    key: Uint8Array,
    appliedIndex: number,
  ): Promise<Sighting | undefined> {
    const { rpc, map } = this.#options;
    const body = { readRequest: { group, get: { key }, raw: true, appliedIndex } };
    const reply = (await rpc.call(node, 'consensus', body, CONFIRMED_CALL_DEADLINE_MS))?.readReply;
    if (reply?.row != null) map.relay(group, rowFromWire(reply.row));
    if (reply?.status !== ReadStatus.READ_OK) return undefined;
    const [item] = reply.items as cluster.Item[];
    return {
      item: item && itemOf(item),
      appliedIndex: reply.appliedIndex,
      highestVersion: reply.highestVersion,
    };
  }
}

function newestOf(round: Round): Sighting {
  return [...round.values()].reduce((a, b) => (b.appliedIndex > a.appliedIndex ? b : a));
}

function outcomeOf(key: Uint8Array, { item, highestVersion }: Sighting): GetOutcome {
  const isThere = item !== undefined && !item.deleted;
  if (!isThere || isExpired(item.expiresAt ?? 0, highestVersion)) return { kind: 'not-found' };
  return { kind: 'found', ...item, key };
}
