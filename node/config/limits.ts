import { type BrokerLimits, DEFAULT_LIMITS } from '../../broker/limits.ts';
import { LEVELS_MAX } from '../../broker/topics.ts';
import { Type } from './schema.ts';

const MIB = 1024 * 1024;

/** Counts of something; `minimum` 0: 0 stands for no limit. */
function count<Name extends keyof BrokerLimits>(name: Name, minimum: 0 | 1, maximum = 1e9) {
  const path = `limits.${name}`;
  const schema = Type.Integer({ minimum, maximum });
  if (minimum > 0) return { default: DEFAULT_LIMITS[name], schema, path };
  const allowed = `a whole number up to ${maximum}, or 0 for no limit`;
  return { default: DEFAULT_LIMITS[name], schema, path, allowed };
}

function size<Name extends keyof BrokerLimits>(name: Name, minimum: number, allowed: string) {
  const schema = Type.Integer({ minimum, maximum: 64 * MIB });
  const path = `limits.${name}`;
  return { default: DEFAULT_LIMITS[name], schema, path, allowed, isByteSize: true } as const;
}

/** What a client, or all of them, may take of a node: settings of the group `limits`. */
export const LIMIT_SETTINGS = {
  connectionsMax: count('connectionsMax', 1),
  connectionsPerSecond: count('connectionsPerSecond', 0),
  connectionsPerUserMax: count('connectionsPerUserMax', 0),
  sessionsMax: count('sessionsMax', 1),
  publishesPerSecond: count('publishesPerSecond', 0),
  publishBytesPerSecond: size(
    'publishBytesPerSecond',
    0,
    'a size up to 64MiB, such as 100KiB, or 0 for no limit',
  ),
  publishBurstSeconds: count('publishBurstSeconds', 1, 3_600),
  packetBytesMax: size('packetBytesMax', 1024, 'a size from 1KiB to 64MiB, such as 2MiB'),
  inflightPutsMax: count('inflightPutsMax', 1, 1e6),
  subscriptionsMax: count('subscriptionsMax', 1, 1e6),
  topicLevelsMax: count('topicLevelsMax', 1, LEVELS_MAX),
  queuedMessagesMax: count('queuedMessagesMax', 1, 1e6),
  queuedBytesMax: size('queuedBytesMax', 1024, 'a size from 1KiB to 64MiB, such as 1MiB'),
  queuedSecondsMax: count('queuedSecondsMax', 1),
} as const;

/** As the broker takes them. */
export type ClientLimits = Pick<BrokerLimits, keyof typeof LIMIT_SETTINGS>;

export function clientLimits(options: ClientLimits): ClientLimits {
  const names = Object.keys(LIMIT_SETTINGS) as (keyof ClientLimits)[];
  return Object.fromEntries(names.map((name) => [name, options[name]])) as unknown as ClientLimits;
}
