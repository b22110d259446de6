import type { ConnectPacket } from './connect-packet.ts';
import { encodeField, frameOf, PacketType } from './frame-encoder.ts';

const HEAD = Uint8Array.of(0, 4, 0x4d, 0x51, 0x54, 0x54, 4);

/**
 * The CONNECT that a session gets instead of its client's: always one of MQTT 3.1.1, without a name and password,
 * which were checked, and without keepalive, as the session sees but a part of the packets.
 */
export function encodeSessionConnect(connect: ConnectPacket): Uint8Array {
  const { clientId, will } = connect;
  const fields: Uint8Array[] = [encodeField(Buffer.from(clientId))];
  let flags = connect.startsClean && !isKept(connect) ? 0x02 : 0;
  if (will !== undefined) {
    flags |= 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0);
    fields.push(encodeField(Buffer.from(will.topic)), encodeField(will.payload));
  }
  const body = Buffer.concat([HEAD, Uint8Array.of(flags, 0, 0), ...fields]);
  return frameOf(PacketType.connect << 4, body);
}

/** Whether the session is to outlive its connection. */
export function isKept({ sessionExpirySeconds }: ConnectPacket): boolean {
  return sessionExpirySeconds > 0;
}
