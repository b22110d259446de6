import { KEY_IN_PATH, queryOf, refusals, TIME, text } from './common.ts';

const TAGS = ['Values'];

const VERSION_HEADERS = {
  ETag: text('The version in quotes: what `If-Match` and `If-None-Match` take.'),
  'DSS-Version': { type: 'integer', description: 'The version: the order of writes.' },
  'DSS-Expires': text('When the value expires, RFC 3339; not there if it does not.'),
} as const;

export const GET_VALUE = {
  tags: TAGS,
  summary: 'The current value of a key, or that of a time',
  operationId: 'getValue',
  params: KEY_IN_PATH,
  querystring: queryOf({
    consistency: text(
      '`strong` holds everything that was acknowledged before; `eventual` is what the nearest replica has; `repair` compares all replicas.',
      { enum: ['strong', 'eventual', 'repair'] },
    ),
    at: text(`The value that was current at this time: ${TIME}.`),
  }),
  headers: {
    type: 'object',
    properties: { 'if-none-match': text('A version that need not be sent again.') },
  },
  response: {
    200: {
      description: 'The value as it is.',
      headers: { ...VERSION_HEADERS, 'DSS-Time': text('The time of the value, RFC 3339.') },
      content: {
        'application/octet-stream': { schema: {} },
        'application/json': { schema: { description: 'If the value is JSON, of up to 64 KiB.' } },
      },
    },
    304: { description: 'That version is current.', headers: VERSION_HEADERS, type: 'null' },
    ...refusals(400, 404, 503),
  },
} as const;

const CONDITIONS = {
  type: 'object',
  properties: {
    'if-match': text('Only if the current value has this version: compare-and-set.', {
      examples: ['"823456789012345"'],
    }),
  },
} as const;

export const PUT_VALUE = {
  tags: TAGS,
  summary: 'Store a value',
  operationId: 'putValue',
  params: KEY_IN_PATH,
  querystring: queryOf({
    ttl: text('After so many seconds it expires: more than 0, up to ten years.', {
      examples: ['600'],
    }),
    time: text(
      `When it was measured: ${TIME}. One that is older than the current value enters the history only.`,
    ),
  }),
  headers: {
    type: 'object',
    properties: {
      ...CONDITIONS.properties,
      'if-none-match': text('`*`: only if the key has no value.'),
    },
  },
  'x-body': {
    content: {
      'application/octet-stream': {
        schema: {
          description:
            'The value: any bytes, at least one, up to 1 MiB. Its content type is not looked at.',
        },
      },
    },
  },
  response: {
    204: {
      description: 'A majority of the replicas has it on disk.',
      headers: VERSION_HEADERS,
      type: 'null',
    },
    ...refusals(400, 412, 413, 503, 507),
  },
} as const;

export const DELETE_VALUE = {
  tags: TAGS,
  summary: 'Delete a value',
  description: 'Also fine when there is none. Its history stays.',
  operationId: 'deleteValue',
  params: KEY_IN_PATH,
  querystring: queryOf({}),
  headers: CONDITIONS,
  response: {
    204: {
      description: 'A majority of the replicas knows.',
      headers: { 'DSS-Version': VERSION_HEADERS['DSS-Version'] },
      type: 'null',
    },
    ...refusals(400, 412, 503),
  },
} as const;
