import { json, refusals, text } from './common.ts';

const TIME = { type: 'string', format: 'date-time' };
const ALERT = {
  type: 'object',
  required: ['name', 'rule', 'subject', 'severity', 'state', 'since', 'message', 'advice'],
  properties: {
    name: text('The same on every node that tells it.'),
    rule: text('As in docs/ALERTS.md.'),
    subject: text('Which node, shard or client.'),
    severity: { enum: ['warning', 'critical'] },
    state: { enum: ['pending', 'firing', 'resolved'] },
    since: TIME,
    until: { ...TIME, description: 'When it was resolved.' },
    message: text('What is.'),
    advice: text('What to do.'),
  },
} as const;

export const ALERTS = {
  tags: ['Cluster'],
  summary: 'What somebody should look at, and what is over',
  operationId: 'getAlerts',
  response: {
    200: json('As this node knows it; docs/ALERTS.md says what to do.', {
      type: 'object',
      required: ['alerts', 'history', 'rules'],
      properties: {
        alerts: { type: 'array', items: ALERT },
        history: { type: 'array', items: ALERT, description: 'The last thousand, newest first.' },
        rules: { type: 'array', items: { type: 'object', additionalProperties: true } },
      },
    }),
    ...refusals(503),
  },
} as const;

export const CONFIG = {
  tags: ['Administration'],
  summary: 'What this node was told, without secrets',
  operationId: 'getConfig',
  response: {
    200: json('Its settings.', {
      type: 'object',
      required: ['config'],
      properties: { config: { type: 'object', additionalProperties: true } },
    }),
    ...refusals(),
  },
} as const;
