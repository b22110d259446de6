import { decode, encode, mqtt } from '../../protos/index.ts';
import type { Message, SubscriptionOptions } from '../ordinary/message.ts';
import type { QueuedMessage, SessionRecord, StoredWill } from '../ordinary/store.ts';

/** What is kept of ordinary MQTT, to and from its protobuf form (`protos/mqtt.proto`). */

const FORMAT = 1;

export function encodeRetained(message: Message): Uint8Array {
  return encode(mqtt.RetainedMessage, { format: FORMAT, message: messageToProto(message) });
}

/** @throws {ProtocolError} of this and the others, when the bytes are something else */
export function decodeRetained(bytes: Uint8Array): Message | undefined {
  const { format, message } = decode(mqtt.RetainedMessage, bytes);
  return format === FORMAT && message != null ? messageFromProto(message) : undefined;
}

/** `order`: its place in the queue, a version; 0: where it is written. */
export function encodeQueued({ message, ...queued }: QueuedMessage, order: number): Uint8Array {
  const { qos, retain, identifiers, packetId, isReleased } = queued;
  return encode(mqtt.QueueEntry, {
    format: FORMAT,
    message: messageToProto(message),
    qos,
    retain,
    identifiers: [...identifiers],
    packetId,
    isReleased,
    order,
  });
}

export function decodeQueued(
  bytes: Uint8Array,
): { readonly queued: QueuedMessage; readonly order: number } | undefined {
  const entry = decode(mqtt.QueueEntry, bytes);
  const { format, message, qos, retain, identifiers, packetId, isReleased, order } = entry;
  if (format !== FORMAT || message == null) return undefined;
  const queued = {
    message: messageFromProto(message),
    qos: qos === 2 ? 2 : 1,
    retain,
    identifiers,
    packetId,
    isReleased,
  } as const;
  return { queued, order };
}

export function encodeSession(record: SessionRecord): Uint8Array {
  const { clientId, user, host, expirySeconds, awaySinceMs, subscriptions, receivedIds } = record;
  return encode(mqtt.SessionRecord, {
    format: FORMAT,
    clientId,
    user,
    ...(host === undefined ? {} : { host: { ...host } }),
    expirySeconds: Number.isFinite(expirySeconds) ? expirySeconds : null,
    awaySinceMs,
    subscriptions: subscriptions.map((each) => ({ ...each })),
    receivedIds: [...receivedIds],
    ...(record.will === undefined ? {} : { will: willToProto(record.will) }),
  });
}

export function decodeSession(bytes: Uint8Array): SessionRecord | undefined {
  const record = decode(mqtt.SessionRecord, bytes);
  const { format, clientId, user, host, expirySeconds, awaySinceMs, will } = record;
  if (format !== FORMAT) return undefined;
  return {
    clientId,
    user,
    host: host == null ? undefined : { node: host.node, startCounter: host.startCounter },
    expirySeconds: expirySeconds ?? Number.POSITIVE_INFINITY,
    awaySinceMs,
    subscriptions: record.subscriptions.map((each) => ({
      filter: each.filter,
      qos: qosOf(each.qos),
      noLocal: each.noLocal,
      retainAsPublished: each.retainAsPublished,
      retainHandling: each.retainHandling as SubscriptionOptions['retainHandling'],
      identifier: each.identifier,
    })),
    receivedIds: record.receivedIds,
    will: will == null ? undefined : willFromProto(will),
  };
}

function willToProto({ message, expirySeconds, delaySeconds }: StoredWill) {
  const whole = { ...message, id: '', expiresAtMs: undefined };
  return { message: messageToProto(whole), expirySeconds: expirySeconds ?? null, delaySeconds };
}

function willFromProto({ message, expirySeconds, delaySeconds }: mqtt.Will): StoredWill {
  const { id: _, expiresAtMs: __, ...rest } = messageFromProto(message ?? new mqtt.StoredMessage());
  return { message: rest, expirySeconds: expirySeconds ?? undefined, delaySeconds };
}

function messageToProto(message: Message): mqtt.StoredMessage.$Properties {
  return { ...message, expiresAtMs: message.expiresAtMs ?? null };
}

/** Its bytes are views of those that it was decoded from. */
function messageFromProto(stored: mqtt.StoredMessage): Message {
  const { id, topic, payload, qos, retain, properties, expiresAtMs, from } = stored;
  return {
    id,
    topic,
    payload,
    qos: qosOf(qos),
    retain,
    properties,
    expiresAtMs: expiresAtMs ?? undefined,
    from,
  };
}

function qosOf(qos: number): 0 | 1 | 2 {
  return qos === 2 ? 2 : qos === 1 ? 1 : 0;
}
