import type { ConnectPacket } from '../connect-packet.ts';
import { sessionSeconds } from '../connect-packet.ts';
import { FieldReader, uint16 } from '../field-reader.ts';
import { PacketType } from '../frame-encoder.ts';
import type { FrameSplitter } from '../frame-splitter.ts';
import { isSharedFilter } from '../ordinary/message.ts';
import { type ClientDisconnect, type PacketReader, PublishView } from '../packet-reader.ts';
import {
  readFilters,
  type SubscribePacket,
  type SubscribeRequest,
  type UnsubscribePacket,
} from '../subscribe-packet.ts';
import { isTopicFilter, isTopicName, LEVELS_MAX } from '../topics.ts';
import { readProperties } from './properties.ts';
import { type Ending, malformed, protocolError, ReasonCode } from './reason-codes.ts';
import type { ReceiveWindow } from './receive-window.ts';
import { TopicAliases } from './topic-aliases.ts';

const MALFORMED_PUBLISH = malformed('malformed PUBLISH');

/** Reason codes that a client may give for a packet that it acknowledges (MQTT 5 tables 3-4 to 3-7). */
const ACK_CODES: Readonly<Record<number, readonly number[]>> = {
  [PacketType.puback]: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  [PacketType.pubrec]: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  [PacketType.pubrel]: [0x00, 0x92],
  [PacketType.pubcomp]: [0x00, 0x92],
};

/** And for leaving (MQTT 5 table 3-10). */
const DISCONNECT_CODES: readonly number[] = [
  0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
];

/** MQTT 5. */
export class Mqtt5Reader implements PacketReader {
  readonly publish = new PublishView();
  /** Its topic may be an alias, and that is a property. */
  readonly readsLarge = false;
  packetId = 0;
  hasFailed = false;
  readonly #connect: ConnectPacket;
  readonly #window: ReceiveWindow;
  readonly #aliases = new TopicAliases();

  constructor(connect: ConnectPacket, window: ReceiveWindow) {
    this.#connect = connect;
    this.#window = window;
  }

  readPublish({ buffer, header, bodyStart, end }: FrameSplitter): Ending | undefined {
    const qos = (header >> 1) & 0b11;
    // [MQTT-3.3.1-4], and DUP only where something is acknowledged [MQTT-3.3.1-2]
    if (qos === 3 || end - bodyStart < 2 || (qos === 0 && (header & 0b1000) !== 0)) {
      return MALFORMED_PUBLISH;
    }
    const topicEnd = bodyStart + 2 + uint16(buffer, bodyStart);
    const reader = new FieldReader(buffer, topicEnd, end);
    const packetId = qos === 0 ? 0 : reader.number();
    // [MQTT-2.2.1-3]
    if (packetId === undefined || (qos > 0 && packetId === 0)) return MALFORMED_PUBLISH;
    const { publish } = this;
    publish.buffer = buffer;
    publish.header = header;
    publish.qos = qos;
    publish.packetId = packetId;
    publish.topicStart = bodyStart + 2;
    publish.topicEnd = topicEnd;
    const wrong = this.#readRest(reader);
    if (wrong !== undefined) return wrong;
    if (qos === 0 || this.#window.take(packetId)) return undefined;
    const code = ReasonCode.receiveMaximumExceeded;
    return { code, reason: 'more PUBLISHes are unacknowledged than the Receive Maximum allows' };
  }

  readAck({ buffer, header, bodyStart, end }: FrameSplitter): Ending | undefined {
    const reader = new FieldReader(buffer, bodyStart, end);
    const packetId = reader.number();
    if (!packetId) return malformed('malformed acknowledgement');
    this.packetId = packetId;
    this.hasFailed = false;
    // MQTT 5 §3.4.2.1: what is left out is success, without properties.
    if (reader.atEnd) return undefined;
    const code = reader.byte() ?? 0;
    if (!ACK_CODES[header >> 4]?.includes(code)) {
      return protocolError(`an acknowledgement cannot have the reason code ${code}`);
    }
    this.hasFailed = code >= ReasonCode.unspecified;
    return readLast(reader, 'ack');
  }

  readSubscribe({ buffer, bodyStart, end }: FrameSplitter): SubscribePacket | Ending {
    const reader = new FieldReader(buffer, bodyStart, end);
    const packetId = reader.number();
    const read = readProperties(reader, 'subscribe');
    if ('reason' in read) return read;
    const identifier = read.properties.subscriptionIdentifiers?.[0] ?? 0;
    const requests: SubscribeRequest[] = [];
    while (!reader.atEnd) {
      const request = readRequest(reader, identifier);
      if ('reason' in request) return request;
      requests.push(request);
    }
    if (!packetId) return malformed('malformed SUBSCRIBE');
    // [MQTT-3.8.3-2]
    return requests.length === 0 ? protocolError('no filter') : { packetId, requests };
  }

  readUnsubscribe({ buffer, bodyStart, end }: FrameSplitter): UnsubscribePacket | Ending {
    const reader = new FieldReader(buffer, bodyStart, end);
    const packetId = reader.number();
    const read = readProperties(reader, 'unsubscribe');
    if ('reason' in read) return read;
    // [MQTT-3.10.3-2]
    if (reader.atEnd) return protocolError('no filter');
    const filters = readFilters(reader);
    if (!packetId || filters === undefined) return malformed('malformed UNSUBSCRIBE');
    return { packetId, filters };
  }

  readDisconnect({ buffer, bodyStart, end }: FrameSplitter): ClientDisconnect | Ending {
    const reader = new FieldReader(buffer, bodyStart, end);
    const code = reader.atEnd ? ReasonCode.success : (reader.byte() ?? 0);
    if (!DISCONNECT_CODES.includes(code)) return protocolError(`DISCONNECT with code ${code}`);
    const read = reader.atEnd ? { properties: {} } : readProperties(reader, 'disconnect');
    if ('reason' in read) return read;
    if (!reader.atEnd) return malformed('malformed DISCONNECT');
    const { sessionExpirySeconds: interval } = read.properties;
    // A session that was to end with its connection cannot be kept any more (MQTT 5 §3.14.2.2.2).
    if (interval !== undefined && interval > 0 && this.#connect.sessionExpirySeconds === 0) {
      return protocolError('the session was to end with its connection');
    }
    return {
      // [MQTT-3.14.4-3]
      publishesWill: code !== ReasonCode.success,
      sessionExpirySeconds: interval === undefined ? undefined : sessionSeconds(interval),
    };
  }

  /** From the properties on, where `reader` is. */
  #readRest(reader: FieldReader): Ending | undefined {
    const { publish } = this;
    const read = readProperties(reader, 'publish');
    if ('reason' in read) return read;
    const { properties } = read;
    publish.properties = properties;
    publish.payloadStart = reader.position;
    publish.payloadEnd = reader.end;
    // [MQTT-3.3.4-6]
    if (properties.subscriptionIdentifiers !== undefined) {
      return protocolError('a client gives no subscription identifiers');
    }
    const answerTo = properties.responseTopic;
    if (answerTo !== undefined && !isTopic(answerTo)) {
      // [MQTT-3.3.2-14]
      return protocolError('the response topic is none');
    }
    const wrong = this.#aliases.resolve(publish);
    if (wrong !== undefined) return wrong;
    const { buffer, topicStart, topicEnd } = publish;
    if (isTopicName(buffer, topicStart, topicEnd)) return undefined;
    return { code: ReasonCode.topicNameInvalid, reason: 'not the name of a topic' };
  }
}

function isTopic(name: string): boolean {
  const bytes = Buffer.from(name);
  return isTopicName(bytes, 0, bytes.length);
}

/** The properties are what a packet ends with, and may be left out. */
function readLast(reader: FieldReader, owner: 'ack'): Ending | undefined {
  const read = reader.atEnd ? undefined : readProperties(reader, owner);
  if (read !== undefined && 'reason' in read) return read;
  return reader.atEnd ? undefined : malformed('bytes behind the end of a packet');
}

/** A filter and its options (MQTT 5 §3.8.3.1). */
function readRequest(reader: FieldReader, identifier: number): SubscribeRequest | Ending {
  const filter = reader.text();
  const options = reader.byte();
  if (filter === undefined || options === undefined) return malformed('malformed SUBSCRIBE');
  // The session layer takes no deeper ones.
  if (!isTopicFilter(filter) || filter.split('/').length > LEVELS_MAX) {
    return { code: ReasonCode.topicFilterInvalid, reason: 'not a filter' };
  }
  const qos = options & 0b11;
  const retainHandling = (options >> 4) & 0b11;
  // [MQTT-3.8.3-5]
  if (options > 0b111111 || qos === 3) return malformed('malformed options of a subscription');
  if (retainHandling === 3) return protocolError('there is no retain handling 3');
  const noLocal = (options & 0b100) !== 0;
  if (noLocal && isSharedFilter(filter)) {
    // [MQTT-3.8.3-4]
    return protocolError('a shared subscription cannot leave out what is local');
  }
  return {
    filter,
    qos: qos as 0 | 1 | 2,
    noLocal,
    retainAsPublished: (options & 0b1000) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
    identifier,
  };
}
