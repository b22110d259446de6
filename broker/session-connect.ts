import { encodeField, frameOf, PacketType } from './frame-encoder.ts';

/** MQTT 3.1.1, a clean session, no keepalive. */
const HEAD = Uint8Array.of(0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0x02, 0, 0);

/**
 * The CONNECT that the session layer gets instead of its client's. Who the client is was checked; its session and its will
 * are ours; and as the session layer sees but a part of the packets, it cannot keep time.
 */
export function encodeSessionConnect(clientId: string): Uint8Array {
  const body = Buffer.concat([HEAD, encodeField(Buffer.from(clientId))]);
  return frameOf(PacketType.connect << 4, body);
}
