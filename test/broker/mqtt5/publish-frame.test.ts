import { describe, expect, it } from 'vitest';
import { encodeProperties } from '../../../broker/mqtt5/properties.ts';
import { encodeMessage } from '../../../broker/mqtt5/publish-frame.ts';
import { travelling } from '../../../broker/mqtt5/travelling.ts';
import type { Message } from '../../../broker/ordinary/message.ts';
import { takePacket } from '../../support/mqtt-frames.ts';
import { takePacket5 } from '../../support/mqtt5-frames.ts';

const message: Message = {
  id: 'n1/1/1',
  topic: 'plain/a',
  payload: Buffer.from('text'),
  qos: 2,
  retain: false,
  properties: encodeProperties({ contentType: 'text/x', userProperties: [['k', 'v']] }),
  expiresAtMs: 10_500,
  from: 'someone',
};

describe('the PUBLISH of a message', () => {
  const at = (nowMs: number, hasProperties: boolean) => ({ nowMs, hasProperties });

  it.each([0, 1, 2] as const)('is what its reader understands, at QoS %i', (qos) => {
    const delivery = { qos, retain: true, identifiers: [3, 700] };
    const both = [true, false].map((has) => encodeMessage(message, delivery, at(4_000, has)));
    for (const frame of both) {
      if (frame === undefined) throw new Error('it has not expired');
      if (qos > 0) Buffer.from(frame.bytes.buffer).writeUInt16BE(77, frame.packetIdOffset);
      expect(frame.packetIdOffset === 0).toBe(qos === 0);
    }
    const [five, plain] = both.map((frame) => Buffer.from(frame?.bytes ?? []));
    const common = { topic: 'plain/a', payload: 'text', qos, retain: true, id: qos > 0 ? 77 : 0 };
    expect(takePacket(plain as Buffer)?.packet).toMatchObject(common);
    expect(takePacket5(five as Buffer)?.packet).toMatchObject({
      ...common,
      props: { 2: 7, 3: 'text/x', user: [['k', 'v']], ids: [3, 700] },
    });
  });

  it('is none any more once the message has expired', () => {
    const delivery = { qos: 0, retain: false, identifiers: [] } as const;
    expect(encodeMessage(message, delivery, at(10_499, true))).toBeDefined();
    for (const has of [true, false]) {
      expect(encodeMessage(message, delivery, at(10_500, has))).toBeUndefined();
    }
  });
});

describe('what travels with a message', () => {
  it('is what concerns its reader, and when it expires by the wall clock', () => {
    const told = { payloadFormat: 1, messageExpirySeconds: 5, topicAlias: 3 } as const;
    expect(travelling(told, 1_000)).toEqual({
      properties: encodeProperties({ payloadFormat: 1 }),
      expiresAtMs: 6_000,
    });
    expect(travelling({}, 1_000).properties).toHaveLength(0);
    expect(travelling({}, 1_000).expiresAtMs).toBeUndefined();
  });
});
