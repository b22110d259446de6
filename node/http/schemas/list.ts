import {
  json,
  KEY_IN_PATH,
  PAGE_MEMBERS,
  queryOf,
  refusals,
  TIME,
  text,
  VALUE_MEMBERS,
} from './common.ts';

const LIMIT = text('1 to 1,000 items in a page; 100 if it is not given.', { examples: ['10'] });
const TRUTH = { enum: ['true', 'false'] };

export const LIST_KEYS = {
  tags: ['Values'],
  summary: 'Keys and values in order',
  description:
    'Byte order. Each key is as of now, the whole is not one snapshot. A page may be shorter than `limit`: go by `more`.',
  operationId: 'listKeys',
  querystring: queryOf({
    prefix: text('Whole levels: `plant1` is the key `plant1` and everything below `plant1/`.'),
    from: text('The first key, inclusive.'),
    to: text('The end, exclusive.'),
    after: text('Only what comes behind this key: `next` of the page before.'),
    limit: LIMIT,
    reverse: text('`true`: the highest key first.', TRUTH),
    values: text('`false`: without the values.', TRUTH),
  }),
  response: {
    200: json('A page.', {
      type: 'object',
      additionalProperties: false,
      required: ['items', 'more', 'next'],
      properties: {
        items: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['key', 'version', 'time'],
            properties: { key: text('The key.'), ...VALUE_MEMBERS },
          },
        },
        ...PAGE_MEMBERS,
      },
    }),
    ...refusals(400, 503),
  },
} as const;

export const GET_HISTORY = {
  tags: ['Values'],
  summary: 'What a key has held',
  operationId: 'getHistory',
  params: KEY_IN_PATH,
  querystring: queryOf({
    from: text(`Inclusive: ${TIME}.`),
    to: text(`Exclusive: ${TIME}.`),
    order: text('`desc`, newest first, if it is not given.', { enum: ['desc', 'asc'] }),
    limit: LIMIT,
    after: text('`next` of the page before, as it is.'),
  }),
  response: {
    200: json('A page, as `dss/history` answers. A key that was never written has an empty one.', {
      type: 'object',
      additionalProperties: false,
      required: ['op', 'key', 'ok', 'items', 'more', 'next'],
      properties: {
        op: { const: 'history' },
        key: text('The key.'),
        ok: { const: true },
        items: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['version', 'time'],
            properties: {
              ...VALUE_MEMBERS,
              deleted: { const: true, description: 'The value was deleted.' },
            },
          },
        },
        ...PAGE_MEMBERS,
      },
    }),
    ...refusals(400, 503),
  },
} as const;
