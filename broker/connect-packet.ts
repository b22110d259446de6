import { isUtf8 } from 'node:buffer';
import { FieldReader } from './field-reader.ts';
import { utf8Text } from './json.ts';
import { type Properties, readProperties } from './mqtt5/properties.ts';
import { type Ending, malformed, protocolError, ReasonCode } from './mqtt5/reason-codes.ts';
import { isTopicName } from './topics.ts';

/** What a client says first. What only MQTT 5 can say stands here for older versions as they mean it. */
export interface ConnectPacket {
  /** 3 (MQIsdp, MQTT 3.1), 4 (3.1.1), 5, or something nobody has defined yet. */
  readonly protocolLevel: number;
  /** Set by brokers that connect as a bridge: the protocol level's high bit. */
  readonly isBridge: boolean;
  /** Nothing of an earlier session is wanted. */
  readonly startsClean: boolean;
  /** From the end of the connection to that of the session; Infinity: never. */
  readonly sessionExpirySeconds: number;
  readonly keepaliveSeconds: number;
  /** Empty: the client has none of its own. */
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
  readonly will: ConnectWill | undefined;
  /** So many deliveries at QoS 1 and 2 the client takes without having acknowledged one [MQTT-3.3.4-9]. */
  readonly receiveMaximum: number;
  /** Longer packets the client does not take [MQTT-3.1.2-24]. */
  readonly packetBytesMax: number;
  /** Whether acknowledgements may say why in words [MQTT-3.1.2-29]. */
  readonly wantsProblems: boolean;
  readonly authenticationMethod: string | undefined;
}

export interface ConnectWill {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** After the end of the connection. */
  readonly delaySeconds: number;
  readonly properties: Properties;
}

/** It cannot be read. Of a version we do not speak only the level is. */
export interface MalformedConnect {
  readonly protocolLevel: number;
  readonly malformed: Ending;
}

const Flag = { reserved: 0x01, clean: 0x02, will: 0x04, willQos: 0x18, willRetain: 0x20 } as const;
const PASSWORD_FLAG = 0x40;
const USERNAME_FLAG = 0x80;
const NEVER = 0xffff_ffff;
const NONE: Properties = {};

/** Reads a CONNECT (MQTT 3.1.1 and 5, §3.1) whose body lies in `buffer` from `bodyStart` to `end`. */
export function parseConnect(
  buffer: Uint8Array,
  range: { readonly bodyStart: number; readonly end: number },
): ConnectPacket | MalformedConnect {
  const reader = new FieldReader(buffer, range.bodyStart, range.end);
  const protocolName = reader.text();
  const level = reader.byte();
  if (level === undefined || (protocolName !== 'MQTT' && protocolName !== 'MQIsdp')) {
    return { protocolLevel: 0, malformed: malformed('malformed CONNECT') };
  }
  const head = { protocolLevel: level & 0x7f, isBridge: level >= 0x80 };
  if (head.protocolLevel < 3 || head.protocolLevel > 5) return { ...head, ...UNREAD };
  const read = readBody(reader, head.protocolLevel === 5);
  if ('reason' in read) return { protocolLevel: head.protocolLevel, malformed: read };
  return { ...head, ...read };
}

type Body = Omit<ConnectPacket, 'protocolLevel' | 'isBridge'>;

const UNREAD: Body = {
  startsClean: true,
  sessionExpirySeconds: 0,
  keepaliveSeconds: 0,
  clientId: '',
  username: undefined,
  password: undefined,
  will: undefined,
  receiveMaximum: 0xffff,
  packetBytesMax: Number.POSITIVE_INFINITY,
  wantsProblems: true,
  authenticationMethod: undefined,
};

function readBody(reader: FieldReader, isMqtt5: boolean): Body | Ending {
  const flags = reader.byte();
  const keepaliveSeconds = reader.number();
  if (flags === undefined || keepaliveSeconds === undefined || !flagsAreValid(flags, isMqtt5)) {
    return malformed('malformed CONNECT');
  }
  const read = isMqtt5 ? readProperties(reader, 'connect') : { properties: NONE };
  if ('reason' in read) return read;
  const clientId = reader.text();
  const will = readWill(reader, flags, isMqtt5);
  if (will !== undefined && 'reason' in will) return will;
  const username = (flags & USERNAME_FLAG) === 0 ? undefined : reader.text();
  const password = (flags & PASSWORD_FLAG) === 0 ? undefined : reader.bytes();
  if (reader.failed || !reader.atEnd || clientId === undefined) {
    return malformed('malformed CONNECT');
  }
  const startsClean = (flags & Flag.clean) !== 0;
  const session = isMqtt5 ? ofProperties(read.properties) : { ...UNREAD, ...of311(startsClean) };
  if ('reason' in session) return session;
  return { ...session, startsClean, keepaliveSeconds, clientId, will, username, password };
}

function of311(startsClean: boolean): Pick<Body, 'sessionExpirySeconds'> {
  return { sessionExpirySeconds: startsClean ? 0 : Number.POSITIVE_INFINITY };
}

function ofProperties(properties: Properties): Body | Ending {
  const { sessionExpirySeconds = 0, authenticationMethod, authenticationData } = properties;
  // MQTT 5 §3.1.2.11.10
  if (authenticationData !== undefined && authenticationMethod === undefined) {
    return protocolError('authentication data without a method');
  }
  return {
    ...UNREAD,
    sessionExpirySeconds: sessionSeconds(sessionExpirySeconds),
    receiveMaximum: properties.receiveMaximum ?? UNREAD.receiveMaximum,
    packetBytesMax: properties.maximumPacketBytes ?? UNREAD.packetBytesMax,
    wantsProblems: properties.requestProblemInformation !== 0,
    authenticationMethod,
  };
}

/** A session expiry interval as it stands in a packet (MQTT 5 §3.1.2.11.2). */
export function sessionSeconds(interval: number): number {
  return interval === NEVER ? Number.POSITIVE_INFINITY : interval;
}

/** [MQTT-3.1.2-3], [MQTT-3.1.2-11], [MQTT-3.1.2-14], and in 3.1.1 a password only with a name [MQTT-3.1.2-22]. */
function flagsAreValid(flags: number, isMqtt5: boolean): boolean {
  if ((flags & Flag.reserved) !== 0) return false;
  const will = flags & (Flag.willQos | Flag.willRetain);
  if ((flags & Flag.will) === 0 && will !== 0) return false;
  if ((flags & Flag.willQos) === Flag.willQos) return false;
  return isMqtt5 || (flags & USERNAME_FLAG) !== 0 || (flags & PASSWORD_FLAG) === 0;
}

/** A will is published like any other message, so its topic must be one [MQTT-3.1.3-10]. */
function readWill(
  reader: FieldReader,
  flags: number,
  isMqtt5: boolean,
): ConnectWill | Ending | undefined {
  if ((flags & Flag.will) === 0) return undefined;
  const read = isMqtt5 ? readProperties(reader, 'will') : { properties: NONE };
  if ('reason' in read) return read;
  const { properties } = read;
  const topic = reader.bytes();
  const payload = reader.bytes();
  if (topic === undefined || payload === undefined) return malformed('malformed will');
  if (!isTopicName(topic, 0, topic.length)) {
    return { code: ReasonCode.topicNameInvalid, reason: 'malformed topic of the will' };
  }
  if (properties.payloadFormat === 1 && !isUtf8(payload)) {
    return { code: ReasonCode.payloadFormatInvalid, reason: 'the will is said to be UTF-8' };
  }
  return {
    topic: utf8Text(topic),
    payload: payload.slice(),
    qos: ((flags & Flag.willQos) >> 3) as 0 | 1 | 2,
    retain: (flags & Flag.willRetain) !== 0,
    delaySeconds: properties.willDelaySeconds ?? 0,
    properties,
  };
}
