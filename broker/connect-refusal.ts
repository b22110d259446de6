import type { ConnectPacket } from './connect-packet.ts';
import { CONNACK_MQTT5_UNSUPPORTED, ConnectReturn, encodeConnack } from './frame-encoder.ts';

/** How a CONNECT is answered that opens nothing. */
export interface ConnectRefusal {
  readonly connack: Uint8Array;
  readonly reason: string;
}

export function versionRefusal({ protocolLevel }: ConnectPacket): ConnectRefusal | undefined {
  if (protocolLevel === 3 || protocolLevel === 4) return undefined;
  if (protocolLevel === 5) {
    return { connack: CONNACK_MQTT5_UNSUPPORTED, reason: 'MQTT 5 is not supported yet' };
  }
  // [MQTT-3.1.2-2]
  const connack = encodeConnack(ConnectReturn.unacceptableProtocolVersion);
  return { connack, reason: `unknown protocol level ${protocolLevel}` };
}

export function userRefusal({ clientId, clean }: ConnectPacket): ConnectRefusal | undefined {
  if (clientId !== '' || clean) return undefined;
  // [MQTT-3.1.3-8]
  const connack = encodeConnack(ConnectReturn.identifierRejected);
  return { connack, reason: 'a persistent session needs a client id' };
}

export const BARRED_REFUSAL: ConnectRefusal = {
  connack: encodeConnack(ConnectReturn.serverUnavailable),
  reason: 'too much of what this client sent was refused; it has to wait half a minute',
};

/** MQTT 3.1.1 table 3.1. */
export function credentialsRefusal({ username }: ConnectPacket): ConnectRefusal {
  const { badUserNameOrPassword, notAuthorized } = ConnectReturn;
  const isAnonymous = username === undefined;
  return {
    connack: encodeConnack(isAnonymous ? notAuthorized : badUserNameOrPassword),
    reason: isAnonymous ? 'no user name' : 'bad user name or password',
  };
}

export const BUSY_REFUSAL: ConnectRefusal = {
  connack: encodeConnack(ConnectReturn.serverUnavailable),
  reason: 'too many clients are logging in; come back in a moment',
};

export const WILL_REFUSAL: ConnectRefusal = {
  connack: encodeConnack(ConnectReturn.notAuthorized),
  reason: 'the user may not publish its will',
};

export const TAKEN_REFUSAL: ConnectRefusal = {
  connack: encodeConnack(ConnectReturn.identifierRejected),
  reason: 'another user is connected under this client id',
};

export const SECRET_REFUSAL: ConnectRefusal = {
  connack: encodeConnack(ConnectReturn.notAuthorized),
  reason: 'the cluster secret is wrong',
};
