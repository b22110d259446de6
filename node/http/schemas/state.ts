import { ALERT } from './alerts.ts';
import { json, queryOf, refusals, text } from './common.ts';

const TAGS = ['Cluster'];
const MILLISECONDS = { type: 'integer', description: 'Milliseconds since 1970.' };

export const HEALTH = {
  tags: ['Health'],
  summary: 'Whether the process serves HTTP',
  description: 'Whatever the state of the cluster. For everybody.',
  operationId: 'getHealth',
  security: [],
  response: {
    200: json('It does.', { type: 'object', properties: { status: { const: 'ok' } } }),
  },
} as const;

export const READINESS = {
  tags: ['Health'],
  summary: 'Whether the node can serve everything',
  description: 'It has joined its cluster and knows a live leader of every shard. For everybody.',
  operationId: 'getReadiness',
  security: [],
  response: {
    200: json('It can.', { type: 'object', properties: { status: { const: 'ready' } } }),
    503: refusals(503)[503],
  },
} as const;

/** The members that every node tells; of what it measures there may be more. */
export const CLUSTER = {
  tags: TAGS,
  summary: 'The cluster and this node, as this node sees them',
  operationId: 'getCluster',
  response: {
    200: json('How things are.', {
      type: 'object',
      required: ['node', 'cluster', 'nodes', 'shards', 'links', 'alerts', 'broker', 'process'],
      properties: {
        node: {
          type: 'object',
          description: 'This one.',
          required: ['id', 'name', 'mqtt', 'http'],
          properties: {
            id: text('Drawn anew when a node begins anew.'),
            name: text('As it was configured.'),
            startCounter: { type: 'integer' },
            mqtt: text('Where others reach it: `host:port`.'),
            http: text('The same for HTTP.'),
          },
        },
        cluster: {
          type: 'object',
          required: ['id', 'state', 'durability'],
          properties: {
            id: text('Empty while forming.'),
            state: { enum: ['ok', 'degraded', 'no-quorum', 'forming'] },
            durability: {
              type: 'object',
              description: 'How many fsynced copies an acknowledgement means now, of how many.',
              properties: { copies: { type: 'integer' }, replicas: { type: 'integer' } },
            },
          },
        },
        nodes: {
          type: 'array',
          items: {
            type: 'object',
            required: ['id', 'name', 'state'],
            properties: {
              id: text('Its id.'),
              name: text('Its name.'),
              state: text('`active`, `joining`, `leaving`, `suspect`, `failed`, `dead`.'),
            },
          },
        },
        shards: {
          type: 'array',
          items: {
            type: 'object',
            required: ['group', 'kind', 'leader', 'replicas'],
            properties: {
              group: { type: 'integer' },
              kind: { enum: ['meta', 'shard'] },
              leader: { type: ['string', 'null'], description: 'The name of a node.' },
              replicas: { type: 'array', items: { type: 'string' } },
            },
          },
        },
        links: { type: 'array', items: { type: 'object' } },
        alerts: { type: 'array', description: 'Those that fire.', items: ALERT },
        broker: { type: 'object', description: 'What this node has counted since it started.' },
        process: { type: 'object' },
      },
    }),
    ...refusals(),
  },
} as const;

export const WHERE = {
  tags: TAGS,
  summary: 'Where a key lives',
  operationId: 'getPlace',
  querystring: queryOf({ key: text('Any key, stored or not.', { minLength: 1 }) }, ['key']),
  response: {
    200: json('Its shard.', {
      type: 'object',
      required: ['key', 'group', 'leader', 'replicas'],
      properties: {
        key: text('As asked.'),
        group: { type: 'integer' },
        firstSlot: { type: 'integer' },
        leader: { type: ['string', 'null'] },
        replicas: { type: 'array', items: { type: 'string' } },
      },
    }),
    ...refusals(400, 503),
  },
} as const;

export const REFUSALS = {
  tags: TAGS,
  summary: 'What this node has refused lately',
  description:
    'Newest first, the last hundred. For who may read everything: it quotes what others sent.',
  operationId: 'getRefusals',
  response: {
    200: json('As `dss/sys/refused/<node>`, the other way round.', {
      type: 'object',
      required: ['refusals'],
      properties: {
        refusals: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['time', 'code', 'message', 'client', 'address'],
            properties: {
              time: MILLISECONDS,
              code: text('From docs/ERRORS.md.'),
              message: text('What was wrong and what is allowed.'),
              topic: text(
                'What was published or subscribed to, or the method and path of a request.',
              ),
              client: text('A client id; empty: it has none.'),
              address: text('Where it came from.'),
              user: text('Who it was, where that is known.'),
            },
          },
        },
      },
    }),
    ...refusals(),
  },
} as const;

export const MOVES = {
  tags: TAGS,
  summary: 'What moves between nodes',
  operationId: 'getMoves',
  response: {
    200: json('The same at any node.', {
      type: 'object',
      required: ['moves'],
      properties: {
        moves: {
          type: 'array',
          items: {
            type: 'object',
            required: ['group', 'reason', 'state', 'from', 'to', 'bytes', 'detectedAtMs'],
            properties: {
              group: { type: 'integer' },
              reason: text('Why.'),
              state: { enum: ['waiting', 'moving'] },
              from: { type: 'array', items: { type: 'string' } },
              to: { type: 'array', items: { type: 'string' } },
              bytes: { type: 'number', description: 'About what each of `to` has to receive.' },
              detectedAtMs: MILLISECONDS,
              decidedAtMs: { type: ['integer', 'null'], description: 'Null while it waits.' },
              msLeft: { type: ['number', 'null'], description: 'Null while nobody can know.' },
            },
          },
        },
      },
    }),
    ...refusals(503),
  },
} as const;

export const EVENTS = {
  tags: TAGS,
  summary: 'What has happened to nodes and shards',
  operationId: 'getEvents',
  response: {
    200: json('The same at any node.', {
      type: 'object',
      required: ['events'],
      properties: {
        events: {
          type: 'array',
          items: {
            type: 'object',
            required: ['atMs', 'kind', 'message'],
            properties: {
              atMs: MILLISECONDS,
              kind: text('Stable, such as `moved`.'),
              message: text('What has happened.'),
            },
          },
        },
      },
    }),
    ...refusals(503),
  },
} as const;
