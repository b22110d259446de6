import { json, refusals, text } from './common.ts';

const NAMES = {
  name: text('Rule and subject; the same on all nodes.'),
  rule: text('One of docs/ALERTS.md.'),
  subject: text('A node, a group, a client id, a source or sink; or `cluster`.'),
  severity: { enum: ['critical', 'warning'] },
} as const;

/** An alert, wherever it is told. */
export const ALERT = {
  type: 'object',
  required: ['name', 'rule', 'subject', 'severity', 'state', 'since', 'message', 'advice'],
  properties: {
    ...NAMES,
    state: { enum: ['pending', 'firing', 'resolved'] },
    since: text('RFC 3339.'),
    until: text('RFC 3339; of those that are over.'),
    message: text('What is.'),
    advice: text('What to do.'),
  },
} as const;

export const ALERTS = {
  tags: ['Cluster'],
  summary: 'What somebody should look at, and what is over, as this node knows it',
  operationId: 'getAlerts',
  response: {
    200: json('The worst first.', {
      type: 'object',
      required: ['alerts', 'history', 'rules'],
      properties: {
        alerts: { type: 'array', items: ALERT },
        history: {
          type: 'array',
          description: 'Those that are over, newest first: the last thousand.',
          items: ALERT,
        },
        rules: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              rule: NAMES.rule,
              severity: NAMES.severity,
              threshold: {
                type: ['number', 'null'],
                description: 'Null: it does or does not hold.',
              },
              unit: text('Of the threshold.'),
              forSeconds: { type: 'number' },
              enabled: { type: 'boolean' },
              description: text('When it fires.'),
            },
          },
        },
      },
    }),
    ...refusals(503),
  },
} as const;

export const CONFIG = {
  tags: ['Administration'],
  summary: 'What this node was told, where it is not the default; without secrets',
  operationId: 'getConfig',
  response: {
    200: json('By the names of settings.', {
      type: 'object',
      required: ['config'],
      properties: { config: { type: 'object' } },
    }),
    ...refusals(),
  },
} as const;
