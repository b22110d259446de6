import type { cluster } from '../../protos/index.ts';
import type { CurrentValue } from '../shard/current-values.ts';
import type { ShardQuery } from '../shard/shard-reader.ts';

/** Reads to and from their protobuf form (`protos/cluster.proto`). */

export function queryToWire(query: ShardQuery): Omit<cluster.ReadRequest.$Properties, 'group'> {
  switch (query.kind) {
    case 'get':
      return { get: { key: query.key } };
    case 'history': {
      const { key, from, to, limit, ascending } = query;
      return { history: { key, from, to, limit, ascending } };
    }
    case 'list': {
      const { prefix, after, limit, values, from, to, reverse } = query;
      return {
        list: {
          prefix,
          after,
          limit,
          values,
          from: from ?? NOTHING,
          to: to ?? NOTHING,
          reverse: reverse ?? false,
        },
      };
    }
  }
}

/** `undefined` for a kind of read that this version does not know. */
export function queryFromWire(request: cluster.ReadRequest.$Properties): ShardQuery | undefined {
  const { get, history, list } = request;
  if (get != null) return { kind: 'get', key: get.key ?? NOTHING };
  if (history != null) {
    const { key = NOTHING, from = 0, to = 0, limit = 0, ascending = false } = history;
    return { kind: 'history', key, from, to, limit, ascending };
  }
  if (list == null) return undefined;
  const { prefix, after, limit, values, from, to, reverse } = list;
  return {
    kind: 'list',
    prefix: prefix ?? NOTHING,
    after: after ?? NOTHING,
    limit: limit ?? 0,
    values: values ?? false,
    reverse: reverse ?? false,
    ...(from === undefined || from.length === 0 ? {} : { from }),
    ...(to === undefined || to.length === 0 ? {} : { to }),
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
    ...(item.expiresAt === 0 ? {} : { expiresAt: item.expiresAt }),
  };
}

const NOTHING = new Uint8Array(0);
