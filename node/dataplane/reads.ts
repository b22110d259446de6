import type { GetOutcome, ListOutcome, ListQuery, StoredValue } from '../../broker/data-plane.ts';
import type { StorageEngine } from '../../lsm/engine.ts';
import { LsmError } from '../../lsm/errors.ts';
import { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import { slotOf } from '../ring/slots.ts';
import {
  type CurrentValue,
  compareBytes,
  readCurrent,
  scanCurrent,
} from '../shard/current-values.ts';
import type { ShardHost } from '../shard/host.ts';
import type { Replica } from '../shard/replica.ts';
import type { RpcBody, RpcHub } from '../transport/rpc.ts';
import type { ShardMap } from './shard-map.ts';

export const READ_INDEX_DEADLINE_MS = 2_000;
/** A replica that is further behind than this sends its readers to another one. */
const APPLY_DEADLINE_MS = 2_000;
const READ_DEADLINE_MS = 10_000;
/** Of one try at another node, which may need both of the above. */
const CALL_DEADLINE_MS = READ_INDEX_DEADLINE_MS + APPLY_DEADLINE_MS + 500;
const RETRY_MS = 100;
/** A page ends when it has grown to this: it is one message to another node, and those have a limit. */
const PAGE_BYTES_MAX = 512 * 1024;

const { ReadStatus } = cluster;

/** What one replica answers to a read. */
export type ShardAnswer =
  | { readonly kind: 'items'; readonly items: readonly CurrentValue[]; readonly more: boolean }
  | { readonly kind: 'unavailable' };

export type ShardQuery =
  | { readonly kind: 'get'; readonly key: Uint8Array }
  | ({ readonly kind: 'list' } & ListQuery);

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

  constructor(options: {
    readonly own: string;
    readonly env: Env;
    readonly host: ShardHost;
    readonly engine: StorageEngine;
    readonly map: ShardMap;
    readonly rpc: RpcHub;
  }) {
    this.#own = options.own;
    this.#env = options.env;
    this.#host = options.host;
    this.#engine = options.engine;
    this.#map = options.map;
    this.#rpc = options.rpc;
  }

  async get(key: Uint8Array): Promise<GetOutcome> {
    const group = this.#map.groupOf(key, 0, key.length);
    const answer = await this.#ask(group, { kind: 'get', key });
    if (answer.kind === 'unavailable') return answer;
    const item = answer.items[0];
    return item === undefined || item.deleted ? { kind: 'not-found' } : { kind: 'found', ...item };
  }

  /** Asks every shard for a page and merges the pages by key. */
  async list(query: ListQuery): Promise<ListOutcome> {
    const answers = await Promise.all(
      this.#map.shards().map(({ group }) => this.#ask(group, { kind: 'list', ...query })),
    );
    const pages: { items: readonly StoredValue[]; more: boolean }[] = [];
    for (const answer of answers) {
      if (answer.kind === 'unavailable') return answer;
      pages.push(answer);
    }
    return { kind: 'page', ...mergePages(pages, query.limit) };
  }

  /** Answers for a shard of which this node has a replica; `undefined` if it has none to trust. */
  async answerLocally(group: number, query: ShardQuery): Promise<ShardAnswer | undefined> {
    const replica = this.#host.replica(group);
    if (replica === undefined) return undefined;
    if (!(await confirmRead(this.#host, replica))) return { kind: 'unavailable' };
    const snapshot = this.#engine.snapshot();
    try {
      if (query.kind === 'list') return await listShard(snapshot, replica, query);
      const slot = slotOf(query.key, 0, query.key.length);
      const item = await readCurrent(snapshot, slot, query.key);
      return { kind: 'items', items: item === undefined ? [] : [item], more: false };
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
    const query = queryOf(request);
    const answer = query && (await this.answerLocally(request.group ?? 0, query));
    if (answer === undefined) return { readReply: { status: ReadStatus.READ_NOT_HERE } };
    if (answer.kind === 'unavailable') {
      return { readReply: { status: ReadStatus.READ_UNAVAILABLE } };
    }
    return {
      readReply: { status: ReadStatus.READ_OK, items: [...answer.items], more: answer.more },
    };
  }

  /** Here if possible, else at the leader, else at the other replicas, until the deadline. */
  async #ask(group: number, query: ShardQuery): Promise<ShardAnswer> {
    const deadlineMs = this.#env.clock.monotonicMs() + READ_DEADLINE_MS;
    while (this.#env.clock.monotonicMs() < deadlineMs) {
      const local = await this.answerLocally(group, query);
      if (local?.kind === 'items') return local;
      for (const node of this.#map.candidates(group)) {
        if (node === this.#own) continue;
        const answer = await this.#askNode(node, group, query);
        if (answer !== undefined) return answer;
      }
      await new Promise<void>((resolve) => this.#env.timers.after(RETRY_MS, resolve));
    }
    return { kind: 'unavailable' };
  }

  async #askNode(node: string, group: number, query: ShardQuery): Promise<ShardAnswer | undefined> {
    const what =
      query.kind === 'get'
        ? { get: { key: query.key } }
        : {
            list: {
              prefix: query.prefix,
              after: query.after,
              limit: query.limit,
              values: query.values,
            },
          };
    const body = { readRequest: { group, ...what } };
    const reply = await this.#rpc.call(node, 'consensus', body, CALL_DEADLINE_MS);
    if (reply?.readReply?.status !== ReadStatus.READ_OK) return undefined;
    const items = (reply.readReply.items ?? []) as cluster.Item[];
    return { kind: 'items', items: items.map(itemOf), more: reply.readReply.more ?? false };
  }
}

/** Waits until this replica has applied everything that was acknowledged before the call. */
export async function confirmRead(host: ShardHost, replica: Replica): Promise<boolean> {
  const confirmed = replica.readIndex(READ_INDEX_DEADLINE_MS);
  host.touch(replica);
  const index = await confirmed;
  if (index === undefined) return false;
  return replica.whenApplied(index, APPLY_DEADLINE_MS);
}

async function listShard(
  snapshot: Parameters<typeof scanCurrent>[0],
  replica: Replica,
  query: ListQuery,
): Promise<ShardAnswer> {
  const { firstSlot, slotCount } = replica.identity;
  const pages: { items: CurrentValue[]; more: boolean }[] = [];
  for (let slot = firstSlot; slot < firstSlot + slotCount; slot++) {
    const page: { items: CurrentValue[]; more: boolean } = { items: [], more: false };
    let bytes = 0;
    await scanCurrent(snapshot, slot, query, (item) => {
      if (item.deleted) return true;
      if (page.items.length >= query.limit || bytes > PAGE_BYTES_MAX) {
        page.more = true;
        return false;
      }
      const listed = query.values ? item : { ...item, value: NOTHING };
      page.items.push(listed);
      bytes += bytesOf(listed);
      return true;
    });
    pages.push(page);
  }
  return { kind: 'items', ...shorten(mergePages(pages, query.limit)) };
}

/** At least one item, and no more than fit a message. */
function shorten(page: { items: CurrentValue[]; more: boolean }): typeof page {
  let bytes = 0;
  const end = page.items.findIndex((item) => (bytes += bytesOf(item)) > PAGE_BYTES_MAX);
  if (end < 0 || end + 1 >= page.items.length) return page;
  return { items: page.items.slice(0, end + 1), more: true };
}

function bytesOf(item: CurrentValue): number {
  return item.key.length + item.value.length;
}

/**
 * One ordered page out of several. A part that was cut short bounds the whole: beyond its last key others may
 * exist that nobody has seen.
 */
export function mergePages<Item extends StoredValue>(
  pages: readonly { readonly items: readonly Item[]; readonly more: boolean }[],
  limit: number,
): { items: Item[]; more: boolean } {
  let bound: Uint8Array | undefined;
  for (const { items, more } of pages) {
    const last = items.at(-1)?.key;
    if (more && last !== undefined && (bound === undefined || compareBytes(last, bound) < 0)) {
      bound = last;
    }
  }
  const all = pages
    .flatMap(({ items }) => items)
    .filter(({ key }) => bound === undefined || compareBytes(key, bound) <= 0)
    .sort((a, b) => compareBytes(a.key, b.key));
  return { items: all.slice(0, limit), more: bound !== undefined || all.length > limit };
}

function queryOf(request: NonNullable<cluster.Rpc['readRequest']>): ShardQuery | undefined {
  if (request.get != null) return { kind: 'get', key: request.get.key ?? NOTHING };
  if (request.list == null) return undefined;
  const { prefix, after, limit, values } = request.list;
  return {
    kind: 'list',
    prefix: prefix ?? NOTHING,
    after: after ?? NOTHING,
    limit: limit ?? 0,
    values: values ?? false,
  };
}

/** Decoded bytes share memory with the message: keep a copy. `slice` of a Buffer would not be one. */
export function itemOf(item: cluster.Item): CurrentValue {
  return {
    key: new Uint8Array(item.key),
    value: new Uint8Array(item.value),
    version: item.version,
    time: item.time,
    deleted: item.deleted,
  };
}

const NOTHING = new Uint8Array(0);
