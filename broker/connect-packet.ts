import { FieldReader } from './field-reader.ts';
import { utf8Text } from './json.ts';
import { isTopicName } from './topics.ts';

export interface ConnectPacket {
  /** 3 (MQIsdp, MQTT 3.1), 4 (3.1.1), 5, or something nobody has defined yet. */
  readonly protocolLevel: number;
  /** Set by brokers that connect as a bridge: the protocol level's high bit. */
  readonly isBridge: boolean;
  readonly clean: boolean;
  readonly keepaliveSeconds: number;
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
  readonly will: ConnectWill | undefined;
}

export interface ConnectWill {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

const Flag = { reserved: 0x01, clean: 0x02, will: 0x04, willQos: 0x18, willRetain: 0x20 } as const;
const PASSWORD_FLAG = 0x40;
const USERNAME_FLAG = 0x80;

/**
 * Reads a CONNECT (MQTT 3.1.1 §3.1) whose body lies in `buffer` from `bodyStart` to `end`.
 * Undefined: malformed. Of a version we do not speak only the level is read.
 */
export function parseConnect(
  buffer: Uint8Array,
  range: { readonly bodyStart: number; readonly end: number },
): ConnectPacket | undefined {
  const reader = new FieldReader(buffer, range.bodyStart, range.end);
  const protocolName = reader.text();
  const level = reader.byte();
  if (level === undefined) return undefined;
  if (protocolName !== 'MQTT' && protocolName !== 'MQIsdp') return undefined;
  const head = {
    protocolLevel: level & 0x7f,
    isBridge: level >= 0x80,
  };
  if (head.protocolLevel !== 3 && head.protocolLevel !== 4) {
    return { ...head, ...UNREAD };
  }
  const flags = reader.byte();
  const keepaliveSeconds = reader.number();
  const clientId = reader.text();
  if (flags === undefined || keepaliveSeconds === undefined || clientId === undefined)
    return undefined;
  const will = flagsAreValid(flags) ? readWill(reader, flags) : 'malformed';
  if (will === 'malformed') return undefined;
  const username = (flags & USERNAME_FLAG) === 0 ? undefined : reader.text();
  const password = (flags & PASSWORD_FLAG) === 0 ? undefined : reader.bytes();
  if (reader.failed || reader.position !== range.end) return undefined;
  const clean = (flags & Flag.clean) !== 0;
  return { ...head, clean, keepaliveSeconds, clientId, username, password, will };
}

const UNREAD = {
  clean: true,
  keepaliveSeconds: 0,
  clientId: '',
  username: undefined,
  password: undefined,
  will: undefined,
} as const;

/** [MQTT-3.1.2-3], [MQTT-3.1.2-11], [MQTT-3.1.2-14], [MQTT-3.1.2-22] */
function flagsAreValid(flags: number): boolean {
  if ((flags & Flag.reserved) !== 0) return false;
  const will = flags & (Flag.willQos | Flag.willRetain);
  if ((flags & Flag.will) === 0 && will !== 0) return false;
  if ((flags & Flag.willQos) === Flag.willQos) return false;
  return (flags & USERNAME_FLAG) !== 0 || (flags & PASSWORD_FLAG) === 0;
}

/** A will is published like any other message, so its topic must be one [MQTT-3.1.3-10]. */
function readWill(reader: FieldReader, flags: number): ConnectPacket['will'] | 'malformed' {
  if ((flags & Flag.will) === 0) return undefined;
  const topic = reader.bytes();
  const payload = reader.bytes();
  if (topic === undefined || payload === undefined) return 'malformed';
  if (!isTopicName(topic, 0, topic.length)) return 'malformed';
  const qos = ((flags & Flag.willQos) >> 3) as 0 | 1 | 2;
  const retain = (flags & Flag.willRetain) !== 0;
  return { topic: utf8Text(topic), payload: payload.slice(), qos, retain };
}
