import { describe, expect, it } from 'vitest';
import {
  decodeQueued,
  decodeRetained,
  decodeSession,
  encodeQueued,
  encodeRetained,
  encodeSession,
} from '../../../broker/stored/codec.ts';
import { message, queued, session } from './store-harness.ts';

describe('what is stored of ordinary MQTT is read as it was written', () => {
  it('messages', () => {
    const plain = message('a/b', 'x');
    const full = message('$é', 'y', { qos: 2, properties: Uint8Array.of(1), expiresAtMs: 7 });
    for (const each of [plain, full])
      expect(decodeRetained(Uint8Array.from(encodeRetained(each)))).toEqual(each);
  });

  it('queue entries', () => {
    const sent = {
      ...queued('x'),
      qos: 2,
      packetId: 65_535,
      isReleased: true,
      retain: true,
    } as const;
    const known = { ...sent, identifiers: [1, 268_435_455] };
    for (const each of [queued('y'), known]) {
      expect(decodeQueued(Uint8Array.from(encodeQueued(each, 9)))).toEqual({
        queued: each,
        order: 9,
      });
    }
  });

  it('sessions', () => {
    const { id: _, expiresAtMs: __, ...will } = message('w', 'gone');
    const subscription = {
      filter: '$share/g/a/+',
      qos: 1,
      noLocal: true,
      retainAsPublished: true,
      retainHandling: 2,
      identifier: 3,
    } as const;
    const full = session('c', {
      host: { node: 'n1', startCounter: 4 },
      expirySeconds: 60,
      awaySinceMs: 0,
      subscriptions: [subscription],
      receivedIds: [1, 2],
      will: { message: will, expirySeconds: undefined, delaySeconds: 5 },
    });
    for (const each of [session('a'), full])
      expect(decodeSession(Uint8Array.from(encodeSession(each)))).toEqual(each);
  });

  it('and nothing of a format that is not known', () => {
    const encoded = encodeRetained(message('t', 'x'));
    encoded[1] = 2;
    expect(decodeRetained(encoded)).toBeUndefined();
  });
});
