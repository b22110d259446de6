/**
 * What the schemas of several routes have in common: JSON Schema, as OpenAPI 3.1 takes it. Bodies stand under `x-body`,
 * where fastify does not look: they are read, and refused, by those who read the same from MQTT or a file.
 */

/** Every refusal (RFC 9457). */
export const PROBLEM = {
  $id: 'Problem',
  type: 'object',
  description: 'Why nothing came of it: problem details (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { const: 'about:blank' },
    title: { type: 'string', description: 'The status in words.' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What was wrong and what is allowed; may change.' },
    code: { type: 'string', description: 'Stable, from docs/ERRORS.md.' },
  },
} as const;

const WHY: Readonly<Record<number, string>> = {
  400: 'The request is not one.',
  401: 'The node has users: say which one you are.',
  403: 'The user may not do that; or a node without users was asked from elsewhere.',
  404: 'There is none.',
  409: 'Not as things stand.',
  412: 'The current value is not as expected; its entity tag comes along, if there is one.',
  413: 'The body is larger than this address takes.',
  415: 'The body is not sent as `application/json`.',
  503: 'No quorum in time, too much at once, or the node has not joined yet: ask again after `Retry-After` seconds.',
  507: 'The storage of the cluster is full; deletes are still taken.',
};

/** The refusals of a route. Those of every route beside its own: who asks, and what nobody expected. */
export function refusals(...statuses: readonly number[]) {
  const all = [401, 403, ...statuses];
  const schema = { $ref: 'Problem#' };
  return Object.fromEntries(
    all.map((status) => [
      status,
      { description: WHY[status], content: { 'application/problem+json': { schema } } },
    ]),
  );
}

/** Nothing else may be given, so that a typing error does not go unnoticed. */
export function queryOf(properties: object, required: readonly string[] = []) {
  return { type: 'object', additionalProperties: false, required, properties };
}

export function text(description: string, more: object = {}) {
  return { type: 'string', description, ...more };
}

/** An answer in JSON. */
export function json(description: string, schema: object) {
  return { description, content: { 'application/json': { schema } } };
}

/** The wildcard of a path. */
export const KEY_IN_PATH = {
  type: 'object',
  required: ['*'],
  properties: {
    '*': text(
      'The key, percent-encoded UTF-8 of 1 to 1,024 bytes without "+", "#" and U+0000. It may contain "/", encoded or not.',
      { examples: ['plant1/dev42/temp'] },
    ),
  },
} as const;

export const TIME =
  'milliseconds since 1970, or RFC 3339 with a zone, such as `2026-11-20T08:00:00Z`';

/** A value as the answers of the verbs and `dss/watch` show it. */
export const VALUE_MEMBERS = {
  version: {
    type: 'integer',
    description: 'The order of writes; grows with every write of a key.',
  },
  time: {
    type: 'integer',
    description: 'Milliseconds since 1970: its own time, else when it was taken.',
  },
  expiresAt: {
    type: 'integer',
    description: 'Milliseconds since 1970; not there if it does not expire.',
  },
  value: text('The value, if it is UTF-8.'),
  base64: text('The value, if it is not.'),
} as const;

export const PAGE_MEMBERS = {
  more: { type: 'boolean', description: 'Whether there is another page.' },
  next: {
    type: ['string', 'null'],
    description: 'The `after` that asks for it.',
  },
} as const;
