import { refusals } from './common.ts';

export const METRICS = {
  tags: ['Health'],
  summary: 'Metrics of this node for Prometheus',
  description:
    'docs/METRICS.md says what they mean. For every user, also one who may read nothing.',
  operationId: 'getMetrics',
  response: {
    200: {
      description: 'In the text format of Prometheus.',
      content: { 'text/plain': { schema: { type: 'string' } } },
    },
    ...refusals(),
  },
} as const;
