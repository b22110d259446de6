import type { Message } from '../../broker/ordinary/message.ts';
import type { Delivery, SharedPick } from '../../broker/ordinary/peers.ts';
import { decode, encode, ProtocolError, peers } from '../../protos/index.ts';

const NOTHING = new Uint8Array(0);

/** A delivery on its way to another node, encoded once for all nodes. */
export interface Outgoing extends Delivery {
  readonly encoded: Uint8Array;
  /** Another member was to get it, and had gone: it does not go round a second time. */
  readonly isPassedOn: boolean;
}

export function outgoing(message: Message): Outgoing {
  const expiresAtMs = message.expiresAtMs ?? 0;
  const encoded = encode(peers.Message, { ...message, expiresAtMs });
  return { message, encoded, shared: [], isPassedOn: false };
}

export function deliveryToWire({
  encoded,
  shared,
  isPassedOn,
}: Outgoing): peers.Delivery.$Properties {
  return { message: encoded, members: shared as SharedPick[], passedOn: isPassedOn };
}

/** About what it takes in an envelope. */
export function wireBytes({ encoded, shared }: Outgoing): number {
  let bytes = encoded.length + 16;
  for (const { group, filter, clientId } of shared) {
    bytes += 3 * (group.length + filter.length + clientId.length) + 16;
  }
  return bytes;
}

/** @throws {ProtocolError} */
export function messageFromWire(bytes: Uint8Array): Message {
  const { id, topic, payload, qos, retain, properties, expiresAtMs, from } = decode(
    peers.Message,
    bytes,
  );
  if (qos > 2) throw new ProtocolError(`a message of QoS ${qos}`);
  return {
    id,
    topic,
    // Views would keep the whole envelope as long as one of its messages waits in a queue. A small buffer comes out
    // of a pool, which costs a tenth of an array of its own.
    payload: copyOf(payload),
    qos: qos as Message['qos'],
    retain,
    properties: copyOf(properties),
    expiresAtMs: expiresAtMs === 0 ? undefined : expiresAtMs,
    from,
  };
}

function copyOf(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? NOTHING : Buffer.from(bytes);
}
