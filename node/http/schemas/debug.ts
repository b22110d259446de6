import { json, refusals } from './common.ts';

const TAGS = ['Debugging'];
const LOG_ENTRIES_MAX = 1_000;
const PROFILE_SECONDS_MAX = 60;

/** What these routes tell is for people who look for a fault, and changes with the code. */
function loosely(description: string) {
  return { 200: json(description, { type: 'object', additionalProperties: true }) };
}

export const DEBUG_RAFT = {
  tags: TAGS,
  summary: 'The Raft state of every replica on this node',
  description: 'For administrators. Only leaders know how far the others (`peers`) are.',
  operationId: 'debugRaft',
  response: { ...loosely('By group: role, term, leader, indexes, peers.'), ...refusals(503) },
} as const;

export const DEBUG_LOG = {
  tags: TAGS,
  summary: "Entries of a group's log on this node",
  description: 'For administrators. What clients wrote is not shown, only how many writes.',
  operationId: 'debugLog',
  params: {
    type: 'object',
    required: ['group'],
    properties: { group: { type: 'integer', minimum: 0, description: 'As in `/v1/cluster`.' } },
  },
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      from: {
        type: 'integer',
        minimum: 1,
        description: 'Index of the first one. Without it: the last ones.',
      },
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: LOG_ENTRIES_MAX,
        default: 100,
        description: 'No more than these, nor than 4 MiB.',
      },
    },
  },
  response: {
    ...loosely('The ends of the log, and entries: index, term, kind, size, batches.'),
    ...refusals(400, 404, 503),
  },
} as const;

export const DEBUG_LOOP = {
  tags: TAGS,
  summary: "Delays of this node's event loop, and what waits in the node",
  description: 'For administrators.',
  operationId: 'debugLoop',
  response: { ...loosely('Delays of the last ten to twenty seconds, and queues.'), ...refusals() },
} as const;

export const DEBUG_PROFILE = {
  tags: TAGS,
  summary: 'A CPU profile of the main thread',
  description: 'For administrators; one at a time. Ends with the connection of whoever asks.',
  operationId: 'debugProfile',
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      seconds: {
        type: 'number',
        minimum: 0.1,
        maximum: PROFILE_SECONDS_MAX,
        default: 10,
        description: 'For how long.',
      },
    },
  },
  response: {
    ...loosely('A `.cpuprofile`, as the developer tools of Chrome open it.'),
    ...refusals(400, 409),
  },
} as const;
