import type { Properties } from './mqtt5/properties.ts';
import { type Timing, ttlMember, unixMsMember } from './request-members.ts';
import { mayReplyTo, REPLY_TO_ME } from './topics.ts';

/** What the properties of a PUBLISH to one of our topics say beside its payload (DESIGN §7). */
export interface Beside {
  /** The time and ttl of what is written. */
  readonly timing: Timing;
  /** Where the answer goes; undefined: nothing is said of that. */
  readonly reply: { readonly topic: string | undefined } | undefined;
  /** The answer brings it back. */
  readonly correlationData: Uint8Array | undefined;
}

const NO_TIMING: Timing = { unixMs: undefined, ttlMs: 0 };
export const NOTHING_BESIDE: Beside = {
  timing: NO_TIMING,
  reply: undefined,
  correlationData: undefined,
};

/** User properties of other names are somebody else's. */
export function readBeside(properties: Properties): Beside | { readonly wrong: string } {
  const { responseTopic, correlationData, userProperties } = properties;
  if (responseTopic !== undefined && !mayReplyTo(responseTopic)) {
    return {
      wrong: 'the Response Topic must begin neither with dss/ nor with $, or be dss/reply/me',
    };
  }
  const timing =
    userProperties === undefined ? NO_TIMING : readTiming(Object.fromEntries(userProperties));
  if ('wrong' in timing) return timing;
  const topic = responseTopic === REPLY_TO_ME ? undefined : responseTopic;
  return { timing, reply: responseTopic === undefined ? undefined : { topic }, correlationData };
}

/** User properties are text; a number in it is meant as one. */
function readTiming({ time, ttl }: Readonly<Record<string, string>>): Timing | { wrong: string } {
  const unixMs = unixMsMember({ time: numberOr(time) }, 'time');
  if ('wrong' in unixMs) return { wrong: `user property ${unixMs.wrong}` };
  const ttlMs = ttlMember({ ttl: numberOr(ttl) });
  if ('wrong' in ttlMs) return { wrong: `user property ${ttlMs.wrong}` };
  return { unixMs: unixMs.value, ttlMs: ttlMs.value };
}

function numberOr(text: string | undefined): string | number | undefined {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
