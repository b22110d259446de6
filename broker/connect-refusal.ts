import type { ConnectPacket } from './connect-packet.ts';
import { ConnectReturn } from './frame-encoder.ts';
import { type Ending, ReasonCode } from './mqtt5/reason-codes.ts';

/** How a CONNECT is answered that opens nothing. */
export interface ConnectRefusal extends Ending {
  /** In MQTT 3.1.1, table 3.1. */
  readonly returnCode: number;
}

/** [MQTT-3.1.2-2]. Nodes speak 3.1.1 among themselves. */
export function versionRefusal(
  { protocolLevel }: ConnectPacket,
  { isNode }: { readonly isNode: boolean },
): ConnectRefusal | undefined {
  if (protocolLevel >= 3 && protocolLevel <= (isNode ? 4 : 5)) return undefined;
  return {
    returnCode: ConnectReturn.unacceptableProtocolVersion,
    code: ReasonCode.unsupportedProtocolVersion,
    reason: `protocol level ${protocolLevel} is not spoken here`,
  };
}

export function userRefusal(packet: ConnectPacket): ConnectRefusal | undefined {
  const { clientId, startsClean, protocolLevel, authenticationMethod } = packet;
  if (authenticationMethod !== undefined) {
    return {
      returnCode: ConnectReturn.notAuthorized,
      code: ReasonCode.badAuthenticationMethod,
      reason: 'there is no authentication but by user name and password',
    };
  }
  // [MQTT-3.1.3-8] of 3.1.1; in MQTT 5 the server gives such a client an id [MQTT-3.1.3-6].
  if (clientId !== '' || startsClean || protocolLevel === 5) return undefined;
  return {
    returnCode: ConnectReturn.identifierRejected,
    code: ReasonCode.clientIdentifierNotValid,
    reason: 'a persistent session needs a client id',
  };
}

export const BARRED_REFUSAL: ConnectRefusal = {
  returnCode: ConnectReturn.serverUnavailable,
  code: ReasonCode.banned,
  reason: 'too much of what this client sent was refused; it has to wait half a minute',
};

export function credentialsRefusal({ username, password }: ConnectPacket): ConnectRefusal {
  if (username === undefined && password === undefined) {
    return {
      returnCode: ConnectReturn.notAuthorized,
      code: ReasonCode.notAuthorized,
      reason: 'no user name',
    };
  }
  return {
    returnCode: ConnectReturn.badUserNameOrPassword,
    code: ReasonCode.badUserNameOrPassword,
    reason: 'bad user name or password',
  };
}

export const BUSY_REFUSAL: ConnectRefusal = {
  returnCode: ConnectReturn.serverUnavailable,
  code: ReasonCode.serverBusy,
  reason: 'too many clients are logging in; come back in a moment',
};

export const TOO_FAST_REFUSAL: ConnectRefusal = {
  returnCode: ConnectReturn.serverUnavailable,
  code: ReasonCode.connectionRateExceeded,
  reason: 'too many clients connect to this node at once; come back in a moment',
};

export const NODE_FULL_REFUSAL: ConnectRefusal = {
  returnCode: ConnectReturn.serverUnavailable,
  code: ReasonCode.quotaExceeded,
  reason: 'this node has as many connections as it takes',
};

export const USER_FULL_REFUSAL: ConnectRefusal = {
  returnCode: ConnectReturn.serverUnavailable,
  code: ReasonCode.quotaExceeded,
  reason: 'this user has as many connections to this node as it may have',
};

export const SESSIONS_FULL_REFUSAL: ConnectRefusal = {
  returnCode: ConnectReturn.serverUnavailable,
  code: ReasonCode.quotaExceeded,
  reason: 'there are as many persistent sessions as the node takes; connect with a clean one',
};

export const WILL_REFUSAL: ConnectRefusal = {
  returnCode: ConnectReturn.notAuthorized,
  code: ReasonCode.notAuthorized,
  reason: 'the user may not publish its will',
};

export const TAKEN_REFUSAL: ConnectRefusal = {
  returnCode: ConnectReturn.identifierRejected,
  code: ReasonCode.clientIdentifierNotValid,
  reason: 'another user is connected under this client id',
};

export const SECRET_REFUSAL: ConnectRefusal = {
  returnCode: ConnectReturn.notAuthorized,
  code: ReasonCode.notAuthorized,
  reason: 'the cluster secret is wrong',
};
