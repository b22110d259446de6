import { expect } from 'vitest';
import type { Client } from '../client.ts';

/** What MQTT 5 has for a packet that cannot be read, and for one that must not come as it does. */
export const MALFORMED = 0x81;
export const PROTOCOL_ERROR = 0x82;

/**
 * Waits until the server has closed because of what was sent. Before that it may say why, with one of these reason
 * codes, once; on a connection that was accepted by DISCONNECT, else by CONNACK.
 */
export async function expectEnd(client: Client, ...codes: readonly number[]): Promise<void> {
  const last = await client.closed();
  const type = client.connack === undefined ? 'connack' : 'disconnect';
  expect(last.length).toBeLessThanOrEqual(1);
  for (const packet of last) {
    expect(packet.type).toBe(type);
    expect(codes).toContain(packet.codes[0]);
  }
}
