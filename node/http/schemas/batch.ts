import { json, queryOf, refusals, TIME, text } from './common.ts';

const BATCH = {
  type: 'array',
  description: 'Up to 1 MiB of JSON.',
  examples: [[{ key: 'plant1/dev42/temp', value: '21.5' }]],
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['key'],
    properties: {
      key: text('What follows the prefix and a slash.'),
      value: { description: 'A string is stored as its text, other JSON as its JSON text.' },
      base64: text('The value in base64 with padding.'),
      delete: { const: true, description: 'Instead of a value.' },
      time: { type: ['integer', 'string'], description: `When it was measured: ${TIME}.` },
      ttl: { type: 'number', description: 'After so many seconds it expires.' },
    },
  },
} as const;

export const WRITE_BATCH = {
  tags: ['Values'],
  summary: 'Many writes in one request',
  description:
    'Answered when all of it is stored. It is not atomic: without an answer some of it may be stored; send all of it again. One element that can never be valid refuses the whole. A protobuf `DeviceBatch` is taken as well.',
  operationId: 'writeBatch',
  querystring: queryOf({ prefix: text('What the keys are relative to.') }),
  'x-body': {
    content: {
      'application/json': {
        schema: BATCH,
      },
      'application/x-protobuf': { schema: { description: 'A `DeviceBatch`.' } },
    },
  },
  response: {
    200: json('All of it is stored.', {
      type: 'object',
      additionalProperties: false,
      required: ['op', 'prefix', 'ok'],
      properties: {
        op: { const: 'batch' },
        prefix: text('As it was given.'),
        ok: { const: true },
        version: {
          type: 'integer',
          description: 'The highest of its writes; an empty batch has none.',
        },
      },
    }),
    ...refusals(400, 413, 503, 507),
  },
} as const;
