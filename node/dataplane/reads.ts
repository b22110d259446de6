import type {
  GetOptions,
  GetOutcome,
  HistoryOutcome,
  HistoryQuery,
  ListOutcome,
  ListQuery,
} from '../../broker/data-plane.ts';
import { isReserved } from '../../broker/reserved-keys.ts';
import type { StorageEngine } from '../../lsm/engine.ts';
import { LsmError } from '../../lsm/errors.ts';
import { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import { isExpired } from '../shard/condition.ts';
import { type CurrentValue, pauseNowAndThen } from '../shard/current-values.ts';
import { gatherPage } from '../shard/gathered-page.ts';
import type { ShardHost } from '../shard/host.ts';
import type { Page } from '../shard/page.ts';
import { readShard, type ShardQuery } from '../shard/shard-reader.ts';
import type { RpcBody, RpcHub } from '../transport/rpc.ts';
import { CONFIRMED_CALL_DEADLINE_MS, confirmRead } from './confirm-read.ts';
import { rowFromWire, rowToWire } from './map-codec.ts';
import { itemOf, queryFromWire, queryToWire } from './read-codec.ts';
import { RepairReads } from './repair-reads.ts';
import type { ShardMap } from './shard-map.ts';

const READ_DEADLINE_MS = 10_000;
const RETRY_MS = 100;

const { ReadStatus } = cluster;

/** What one replica answers to a read. */
export type ShardAnswer =
  | ({ readonly kind: 'items' } & Page<CurrentValue>)
  | { readonly kind: 'unavailable' };

/**
 * Linearizable reads (DESIGN §4): at a replica, a ReadIndex and then a local read; without one here, another
 * node is asked.
 */
export class Reads {
  readonly #own: string;
  readonly #env: Env;
  readonly #host: ShardHost;
  readonly #engine: StorageEngine;
  readonly #map: ShardMap;
  readonly #rpc: RpcHub;
  readonly #repairs: RepairReads;

  constructor(options: {
    readonly own: string;
    readonly env: Env;
    readonly host: ShardHost;
    readonly engine: StorageEngine;
    readonly map: ShardMap;
    readonly rpc: RpcHub;
    /** Replicas of a group hold different values of a key that was read for comparison. */
    readonly onDifference?: (group: number) => void;
  }) {
    this.#own = options.own;
    this.#env = options.env;
    this.#host = options.host;
    this.#engine = options.engine;
    this.#map = options.map;
    this.#rpc = options.rpc;
    const { onDifference = () => {} } = options;
    this.#repairs = new RepairReads({ ...options, onDifference });
  }

  async get(key: Uint8Array, { at, eventual, repair }: GetOptions = {}): Promise<GetOutcome> {
    if (repair === true) return this.#repairs.get(key);
    const group = this.#map.groupOf(key, 0, key.length);
    const past = { key, from: 0, to: (at ?? 0) + 1, limit: 1, ascending: false };
    const query: ShardQuery =
      at === undefined ? { kind: 'get', key } : { kind: 'history', ...past };
    const answer = await this.#ask(group, query, eventual);
    if (answer.kind === 'unavailable') return answer;
    const item = answer.items[0];
    if (item === undefined || item.deleted) return { kind: 'not-found' };
    const hadExpired = at !== undefined && isExpired(item.expiresAt ?? 0, at);
    return hadExpired ? { kind: 'not-found' } : { kind: 'found', ...item };
  }

  async history(query: HistoryQuery): Promise<HistoryOutcome> {
    const group = this.#map.groupOf(query.key, 0, query.key.length);
    const answer = await this.#ask(group, { kind: 'history', ...query });
    if (answer.kind === 'unavailable') return answer;
    return { kind: 'page', items: answer.items, more: answer.more };
  }

  /** Asks the shards for their parts of a page and merges them by key. What is reserved is all in one. */
  async list(query: ListQuery): Promise<ListOutcome> {
    const { prefix } = query;
    const groups = isReserved(prefix)
      ? [this.#map.groupOf(prefix, 0, prefix.length)]
      : this.#map.shards().map(({ group }) => group);
    const page = await gatherPage(groups.length, query, async (part, share) => {
      const group = groups[part] as number;
      const answer = await this.#ask(group, { kind: 'list', ...share });
      return answer.kind === 'items' ? answer : undefined;
    });
    return page === undefined ? { kind: 'unavailable' } : { kind: 'page', ...page };
  }

  /** Answers for a shard of which this node has a replica; `undefined` if it has none to trust. */
  async answerLocally(
    group: number,
    query: ShardQuery,
    eventual = false,
  ): Promise<ShardAnswer | undefined> {
    const replica = this.#host.replica(group);
    if (replica === undefined) return undefined;
    if (!eventual && !(await confirmRead(this.#host, replica))) return { kind: 'unavailable' };
    if (replica.state.appliedIndex === 0) return undefined;
    // It may have left this node meanwhile, or be taking over a snapshot.
    if (this.#host.replica(group) !== replica) return undefined;
    const snapshot = this.#engine.snapshot();
    const { firstSlot, slotCount } = replica.identity;
    const { retention, highestVersion } = replica.state;
    const pause = pauseNowAndThen(() => new Promise((resolve) => this.#env.yield(resolve)));
    const shard = { firstSlot, slotCount, retention, highestVersion, pause };
    try {
      return { kind: 'items', ...(await readShard(snapshot, shard, query)) };
    } catch (error) {
      // A damaged table: the engine has reported it, and the other replicas have the value.
      if (error instanceof LsmError && error.code === 'CORRUPTION') return { kind: 'unavailable' };
      throw error;
    } finally {
      snapshot.close();
    }
  }

  /** The other side of `#askNode`. */
  async serve(request: NonNullable<cluster.Rpc['readRequest']>): Promise<RpcBody> {
    if (request.raw === true) return this.#repairs.serve(request);
    const query = queryFromWire(request);
    const { group = 0, eventual = false } = request;
    const answer = query && (await this.answerLocally(group, query, eventual));
    if (answer?.kind === 'items') {
      const { items, more } = answer;
      return { readReply: { status: ReadStatus.READ_OK, items: [...items], more } };
    }
    const status = answer === undefined ? ReadStatus.READ_NOT_HERE : ReadStatus.READ_UNAVAILABLE;
    return { readReply: { status, ...rowToWire(this.#map.find(group)) } };
  }

  /** Here if possible, else at the leader, else at the other replicas, until the deadline. */
  async #ask(group: number, query: ShardQuery, eventual = false): Promise<ShardAnswer> {
    const untilMs = this.#env.clock.monotonicMs() + READ_DEADLINE_MS;
    while (this.#leftMs(untilMs) > 0) {
      const local = await this.answerLocally(group, query, eventual);
      if (local?.kind === 'items') return local;
      const answer = await this.#askOthers(group, query, eventual, untilMs);
      if (answer !== undefined) return answer;
      await new Promise<void>((resolve) => this.#env.timers.after(RETRY_MS, resolve));
    }
    return { kind: 'unavailable' };
  }

  /** Each node once, where the map says that it may be; what a refusal says of the group counts at once. */
  async #askOthers(
    group: number,
    query: ShardQuery,
    eventual: boolean,
    untilMs: number,
  ): Promise<ShardAnswer | undefined> {
    const asked = new Set([this.#own]);
    let isWhereItShouldBe = false;
    while (this.#leftMs(untilMs) > 0) {
      const nodes = isWhereItShouldBe
        ? this.#map.candidates(group)
        : this.#map.allCandidates(group);
      const node = nodes.find((candidate) => !asked.has(candidate));
      if (node === undefined) return undefined;
      asked.add(node);
      const body = { readRequest: { group, ...queryToWire(query), eventual } };
      const deadlineMs = Math.min(CONFIRMED_CALL_DEADLINE_MS, this.#leftMs(untilMs));
      const reply = (await this.#rpc.call(node, 'consensus', body, deadlineMs))?.readReply;
      if (reply?.status === ReadStatus.READ_OK) return answerOf(reply);
      if (reply?.status === ReadStatus.READ_UNAVAILABLE) isWhereItShouldBe = true;
      if (reply?.row != null) this.#map.relay(group, rowFromWire(reply.row));
    }
    return undefined;
  }

  #leftMs(untilMs: number): number {
    return untilMs - this.#env.clock.monotonicMs();
  }
}

function answerOf({ items = [], more = false }: cluster.ReadReply.$Properties): ShardAnswer {
  return { kind: 'items', items: (items as cluster.Item[]).map(itemOf), more };
}
