import { json, refusals, text } from './common.ts';

const TAGS = ['Administration'];

const REPORT = json('How far it is, and what came of it.', {
  type: 'object',
  required: ['groups'],
  properties: {
    groups: {
      type: 'array',
      items: {
        type: 'object',
        required: ['group', 'state', 'startedAt', 'endedAt', 'replicas'],
        properties: {
          group: { type: 'integer' },
          state: text('`waiting`, `running`, or the outcome.'),
          startedAt: { type: 'integer', description: 'Milliseconds since 1970.' },
          endedAt: { type: ['integer', 'null'], description: 'Null while it runs.' },
          replicas: {
            type: 'array',
            items: {
              type: 'object',
              properties: {
                node: text('Its name.'),
                id: { type: 'integer' },
                verdict: text('What was found.'),
              },
            },
          },
        },
      },
    },
  },
});

export const GET_VERIFICATION = {
  tags: TAGS,
  summary: 'What the comparison of replicas has found',
  operationId: 'getVerification',
  response: { 200: REPORT, ...refusals(503) },
} as const;

export const VERIFY = {
  tags: TAGS,
  summary: 'Compare the replicas of all groups, or of one',
  operationId: 'verify',
  'x-body': {
    required: false,
    content: {
      'application/json': {
        schema: { type: 'object', properties: { group: { type: 'integer' } } },
      },
    },
  },
  response: { 200: REPORT, ...refusals(400, 404, 415, 503) },
} as const;
