import { json, queryOf, refusals, text } from './common.ts';

const TAGS = ['Administration'];
const REVISION = { type: 'integer', description: 'Of the settings; grows with each change.' };

function takesJson(schema: object) {
  return { content: { 'application/json': { schema } } };
}

const RETENTION_MEMBERS = {
  prefix: text('Of keys, whole levels; empty: every key.'),
  keep: text('How long earlier values stay: `30d`, `12h`, `forever`.'),
  versions: {
    type: ['integer', 'null'],
    description: 'How many of a key at most; null: any number.',
  },
  ttl: {
    type: ['string', 'null'],
    description: 'After which values without one expire; null: never.',
  },
} as const;

const RETENTION = json('All rules.', {
  type: 'object',
  additionalProperties: false,
  required: ['revision', 'rules'],
  properties: {
    revision: REVISION,
    rules: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['prefix', 'keep', 'versions', 'ttl'],
        properties: RETENTION_MEMBERS,
      },
    },
  },
});

export const GET_RETENTION = {
  tags: TAGS,
  summary: 'How long values stay',
  operationId: 'getRetention',
  response: { 200: RETENTION, ...refusals(503) },
} as const;

export const SET_RETENTION = {
  tags: TAGS,
  summary: 'Set the rule of a prefix',
  operationId: 'setRetention',
  'x-body': takesJson({ type: 'object', required: ['prefix'], properties: RETENTION_MEMBERS }),
  response: { 200: RETENTION, ...refusals(400, 409, 413, 415, 503) },
} as const;

export const REMOVE_RETENTION = {
  tags: TAGS,
  summary: 'Remove the rule of a prefix',
  operationId: 'removeRetention',
  querystring: queryOf({ prefix: text('As the rule has it; may be empty.') }, ['prefix']),
  response: { 200: RETENTION, ...refusals(400, 404, 409, 503) },
} as const;

const INGEST_MEMBERS = {
  name: text('Unique; the filter if it is not given.'),
  filter: text('Of ordinary topics.'),
  except: {
    type: ['array', 'string'],
    description: 'Filters of topics that are left to later rules.',
  },
  key: text('Template of the key.'),
  value: text('A path into the payload; empty: all of it.'),
  time: { description: 'Path of the event time, or an object of path, unit and zone.' },
  timeUnit: text('`s`, `ms`, `us` or `ns`.'),
  timeZone: text('IANA name.'),
} as const;

const INGEST = json('All rules in their order, with what they did on this node.', {
  type: 'object',
  additionalProperties: false,
  required: ['revision', 'rules'],
  properties: {
    revision: REVISION,
    rules: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'filter', 'counters', 'examples', 'lastStored'],
        properties: { ...INGEST_MEMBERS, counters: { type: 'object' } },
      },
    },
  },
});

export const GET_INGEST = {
  tags: TAGS,
  summary: 'Which ordinary messages are stored',
  operationId: 'getIngest',
  response: { 200: INGEST, ...refusals(503) },
} as const;

export const ADD_INGEST = {
  tags: TAGS,
  summary: 'Add or replace a rule',
  operationId: 'addIngest',
  'x-body': takesJson({
    type: 'object',
    description: 'A rule, or `preset` with the name of a set of them. docs/INGEST.md.',
    properties: {
      ...INGEST_MEMBERS,
      before: text('The name of the rule that it is to come before.'),
      preset: text('Instead of a rule.'),
    },
  }),
  response: { 200: INGEST, ...refusals(400, 404, 409, 413, 415, 503) },
} as const;

export const REMOVE_INGEST = {
  tags: TAGS,
  summary: 'Remove a rule',
  operationId: 'removeIngest',
  querystring: queryOf({ name: text('The name of the rule.') }, ['name']),
  response: { 200: INGEST, ...refusals(400, 404, 409, 503) },
} as const;

export const TRY_INGEST = {
  tags: TAGS,
  summary: 'What the rules would make of a message',
  description: 'Nothing is stored or counted.',
  operationId: 'tryIngest',
  'x-body': takesJson({
    type: 'object',
    required: ['topic'],
    properties: {
      topic: text('Of the message.'),
      payload: text('As text.'),
      base64: text('Instead, if it is not text.'),
    },
  }),
  response: {
    200: json('What would be stored.', {
      type: 'object',
      additionalProperties: false,
      required: ['rule', 'writes', 'problems'],
      properties: {
        rule: { type: ['string', 'null'] },
        writes: { type: 'array', items: { type: 'object', required: ['key', 'time'] } },
        problems: { type: 'array', items: { type: 'object', required: ['problem', 'message'] } },
      },
    }),
    ...refusals(400, 413, 415, 503),
  },
} as const;
