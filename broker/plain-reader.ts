import { uint16 } from './field-reader.ts';
import type { FrameSplitter } from './frame-splitter.ts';
import { type Ending, malformed } from './mqtt5/reason-codes.ts';
import { type ClientDisconnect, type PacketReader, PublishView } from './packet-reader.ts';
import {
  parseSubscribe,
  parseUnsubscribe,
  type SubscribePacket,
  type UnsubscribePacket,
} from './subscribe-packet.ts';
import { isTopicName } from './topics.ts';

const MALFORMED_PUBLISH = malformed('malformed PUBLISH');
const LEAVES: ClientDisconnect = { publishesWill: false, sessionExpirySeconds: undefined };

/** MQTT 3.1 and 3.1.1. */
export class PlainReader implements PacketReader {
  readonly publish = new PublishView();
  readonly readsLarge = true;
  packetId = 0;
  readonly hasFailed = false;

  readPublish({ buffer, header, bodyStart, end }: FrameSplitter): Ending | undefined {
    const qos = (header >> 1) & 0b11;
    // [MQTT-3.3.1-4]
    if (qos === 3 || end - bodyStart < 2) return MALFORMED_PUBLISH;
    const topicStart = bodyStart + 2;
    const topicEnd = topicStart + uint16(buffer, bodyStart);
    const payloadStart = qos === 0 ? topicEnd : topicEnd + 2;
    if (payloadStart > end || !isTopicName(buffer, topicStart, topicEnd)) return MALFORMED_PUBLISH;
    const packetId = qos === 0 ? 0 : uint16(buffer, topicEnd);
    // [MQTT-2.3.1-1]
    if (qos > 0 && packetId === 0) return MALFORMED_PUBLISH;
    const { publish } = this;
    publish.buffer = buffer;
    publish.header = header;
    publish.topicStart = topicStart;
    publish.topicEnd = topicEnd;
    publish.payloadStart = payloadStart;
    publish.payloadEnd = end;
    publish.qos = qos;
    publish.packetId = packetId;
    return undefined;
  }

  readAck({ buffer, bodyStart, end }: FrameSplitter): Ending | undefined {
    if (end - bodyStart !== 2) return malformed('malformed acknowledgement');
    this.packetId = uint16(buffer, bodyStart);
    return this.packetId === 0 ? malformed('packet id 0') : undefined;
  }

  readSubscribe({ buffer, bodyStart, end }: FrameSplitter): SubscribePacket | Ending {
    return parseSubscribe(buffer, bodyStart, end) ?? malformed('malformed SUBSCRIBE');
  }

  readUnsubscribe({ buffer, bodyStart, end }: FrameSplitter): UnsubscribePacket | Ending {
    return parseUnsubscribe(buffer, bodyStart, end) ?? malformed('malformed UNSUBSCRIBE');
  }

  readDisconnect({ bodyStart, end }: FrameSplitter): ClientDisconnect | Ending {
    return end === bodyStart ? LEAVES : malformed('malformed DISCONNECT');
  }
}
