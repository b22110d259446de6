import { isSharedFilter } from '../ordinary/message.ts';
import type { Refusal, RefusalCode } from '../refusals.ts';
import { ReasonCode } from './reason-codes.ts';

/** DESIGN §7, what a PUBLISH comes to; the rest does not happen to one, or is the nearest. */
const OF_REFUSALS: Readonly<Record<RefusalCode, ReasonCode>> = {
  UNKNOWN_VERB: ReasonCode.topicNameInvalid,
  NOT_SUPPORTED: ReasonCode.topicNameInvalid,
  RESERVED_TOPIC: ReasonCode.topicNameInvalid,
  INVALID_KEY: ReasonCode.topicNameInvalid,
  INVALID_TOPIC: ReasonCode.topicNameInvalid,
  VALUE_TOO_LARGE: ReasonCode.quotaExceeded,
  MALFORMED_JSON: ReasonCode.payloadFormatInvalid,
  MALFORMED_PROTOBUF: ReasonCode.payloadFormatInvalid,
  MALFORMED_TEXT: ReasonCode.payloadFormatInvalid,
  INVALID_REQUEST: ReasonCode.payloadFormatInvalid,
  INVALID_FILTER: ReasonCode.notAuthorized,
  NOT_ALLOWED: ReasonCode.notAuthorized,
  STORAGE_FULL: ReasonCode.quotaExceeded,
  TOO_MANY_REFUSALS: ReasonCode.quotaExceeded,
  TOO_MANY_WATCHES: ReasonCode.quotaExceeded,
  TOO_MANY_SUBSCRIPTIONS: ReasonCode.quotaExceeded,
  TOO_MANY_PUBLISHES: ReasonCode.messageRateTooHigh,
  TOO_MANY_CONNECTIONS: ReasonCode.quotaExceeded,
  TOO_MANY_CONNECTS: ReasonCode.connectionRateExceeded,
  TOO_MANY_SESSIONS: ReasonCode.quotaExceeded,
  BAD_CREDENTIALS: ReasonCode.notAuthorized,
  TOO_MANY_LOGINS: ReasonCode.quotaExceeded,
  CLIENT_ID_TAKEN: ReasonCode.notAuthorized,
};

/** What PUBACK and PUBREC say (MQTT 5 §3.4.2.1). */
export function publishCode({ code }: Refusal): ReasonCode {
  return OF_REFUSALS[code];
}

/** What SUBACK says of a filter (MQTT 5 §3.9.3). */
export function filterCode({ code, topic = '' }: Refusal): ReasonCode {
  const isShared = isSharedFilter(topic);
  if (isShared && code === 'NOT_SUPPORTED') return ReasonCode.sharedSubscriptionsNotSupported;
  if (isShared && code === 'INVALID_FILTER') return ReasonCode.topicFilterInvalid;
  const isTooMany = code === 'TOO_MANY_WATCHES' || code === 'TOO_MANY_SUBSCRIPTIONS';
  return isTooMany ? ReasonCode.quotaExceeded : ReasonCode.notAuthorized;
}
