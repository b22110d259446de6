import { type Ending, protocolError, ReasonCode } from './mqtt5/reason-codes.ts';
import { publishCode } from './mqtt5/refusal-codes.ts';
import type { Refusal } from './refusals.ts';

/** Why connections end, beside what is wrong with one packet. */

export const STOPPING: Ending = {
  code: ReasonCode.serverShuttingDown,
  reason: 'the node is stopping',
};

export const NOT_STORED: Ending = {
  code: ReasonCode.serverBusy,
  reason: 'a put was not stored in time',
};

export const SILENT: Ending = { code: ReasonCode.keepAliveTimeout, reason: 'keepalive timeout' };

/** There is nobody yet to say it to. */
export const SILENT_STRANGER = protocolError('too many connections wait for their CONNECT');

export const TOO_LARGE: Ending = { code: ReasonCode.packetTooLarge, reason: 'packet too large' };

export const TOO_SLOW: Ending = {
  code: ReasonCode.quotaExceeded,
  reason: 'too slow a subscriber',
};

export const UNEXPECTED: Ending = protocolError('unexpected packet type');

/** [MQTT-3.1.4-3] */
export const TAKEN_OVER: Ending = {
  code: ReasonCode.sessionTakenOver,
  reason: 'the client has connected once more',
};

export const SESSION_ENDED: Ending = {
  code: ReasonCode.unspecified,
  reason: 'the session ended',
};

/** It is the client that ends it: there is nothing to say. */
export const CLIENT_CLOSED: Ending = {
  code: ReasonCode.success,
  reason: 'the client closed the connection',
};

export const CLIENT_LEFT: Ending = {
  code: ReasonCode.success,
  reason: 'the client has left, and its will is to be published',
};

export function refusedEnding(refusal: Refusal): Ending {
  return { code: publishCode(refusal), reason: `refused: ${refusal.message}` };
}
