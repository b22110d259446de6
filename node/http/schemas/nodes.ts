import { json, refusals, text } from './common.ts';

const TAGS = ['Administration'];
const NAME = {
  type: 'object',
  required: ['name'],
  properties: { name: text('The name of a node, or its id.') },
} as const;

const TABLE = json('The table of nodes.', {
  type: 'object',
  additionalProperties: false,
  required: ['revision', 'nodes'],
  properties: {
    revision: { type: 'integer', description: 'Of the settings.' },
    nodes: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'name', 'state', 'health', 'zone', 'weight', 'mqtt', 'http', 'since'],
        properties: {
          id: text('Its id.'),
          name: text('Its name.'),
          state: text('What the cluster has decided: `active`, `joining`, `leaving`, `dead`.'),
          health: text('What is heard of it: `active`, `suspect`, `failed`, `unknown`.'),
          zone: text('Empty: none.'),
          weight: { type: 'number', description: 'How much of the data it is to hold.' },
          mqtt: text('`host:port`.'),
          http: { type: ['string', 'null'], description: '`host:port`.' },
          since: { type: 'number', description: 'Of its state, in milliseconds since 1970.' },
        },
      },
    },
  },
});

export const LIST_NODES = {
  tags: TAGS,
  summary: 'The nodes of the cluster',
  operationId: 'listNodes',
  response: { 200: TABLE, ...refusals(503) },
} as const;

export const LEAVE_NODE = {
  tags: TAGS,
  summary: 'Have a node leave',
  description: 'What it holds moves to others; then it ends by itself.',
  operationId: 'leaveNode',
  params: NAME,
  response: { 200: TABLE, ...refusals(404, 409, 503) },
} as const;

export const SET_WEIGHT = {
  tags: TAGS,
  summary: 'Give a node more or less of the data',
  operationId: 'setWeight',
  params: NAME,
  'x-body': {
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['weight'],
          properties: { weight: { type: 'number', exclusiveMinimum: 0, maximum: 100 } },
        },
      },
    },
  },
  response: { 200: TABLE, ...refusals(400, 404, 409, 415, 503) },
} as const;
