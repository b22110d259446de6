import { queryOf, refusals, text } from './common.ts';

export const WATCH = {
  tags: ['Values'],
  summary: 'Current values, then every change',
  description: [
    'Server-sent events: `snapshot-begin`, `value` for each current value, `snapshot-complete`, then `value` for each change.',
    'The data of `value` is the JSON of `dss/watch`: `key`, `version`, `time`, `value` or `base64` or `"deleted":true`, `expiresAt` if it expires, `snapshot`.',
    'A client that comes back within half an hour with `Last-Event-ID`, as an EventSource does by itself, gets what has changed since, without `snapshot-begin`.',
  ].join(' '),
  operationId: 'watchValues',
  querystring: queryOf(
    {
      filter: text('An MQTT filter over keys: `+` is one level, `#` at the end all further ones.', {
        examples: ['plant1/#'],
      }),
    },
    ['filter'],
  ),
  headers: {
    type: 'object',
    properties: { 'last-event-id': text('The last `id` that the client has got.') },
  },
  response: {
    200: {
      description: 'Events until one side ends it.',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    },
    ...refusals(400, 503),
  },
} as const;
