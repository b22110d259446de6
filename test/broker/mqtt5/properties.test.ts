import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FieldReader } from '../../../broker/field-reader.ts';
import {
  encodePropertyBlock,
  type Properties,
  type PropertyOwner,
  readProperties,
} from '../../../broker/mqtt5/properties.ts';
import { ReasonCode } from '../../../broker/mqtt5/reason-codes.ts';
import { block, byte, long, short, text, user } from '../../support/mqtt5-frames.ts';

function read(bytes: Uint8Array, owner: PropertyOwner) {
  const reader = new FieldReader(bytes, 0, bytes.length);
  const result = readProperties(reader, owner);
  return 'reason' in result ? result.code : { ...result.properties, end: reader.position };
}

const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const string = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
const published = fc.record(
  {
    payloadFormat: fc.integer({ min: 0, max: 1 }),
    messageExpirySeconds: uint32,
    contentType: string,
    responseTopic: string,
    correlationData: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    subscriptionIdentifiers: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { minLength: 1 }),
    topicAlias: uint16,
    userProperties: fc.array(fc.tuple(string, string), { minLength: 1 }),
  },
  { requiredKeys: [] },
);
const connected = fc.record(
  {
    sessionExpirySeconds: uint32,
    receiveMaximum: fc.integer({ min: 1, max: 0xffff }),
    maximumPacketBytes: fc.integer({ min: 1, max: 0xffff_ffff }),
    topicAliasMaximum: uint16,
    requestProblemInformation: fc.integer({ min: 0, max: 1 }),
    authenticationMethod: string,
  },
  { requiredKeys: [] },
);

describe('properties', () => {
  it.each([
    ['publish', published],
    ['connect', connected],
  ] as const)('of a %s come back as they were written', (owner, arbitrary) => {
    fc.assert(
      fc.property(arbitrary as fc.Arbitrary<Properties>, fc.uint8Array(), (properties, rest) => {
        const bytes = encodePropertyBlock(properties);
        const behind = Buffer.concat([bytes, rest]);
        const result = read(behind, owner) as Properties;
        // Buffers and arrays alike.
        const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
        const { correlationData, ...others } = properties;
        const { correlationData: found, ...otherFound } = result;
        expect(plain(otherFound)).toEqual({ ...plain(others), end: bytes.length });
        expect(Buffer.from(found ?? [])).toEqual(Buffer.from(correlationData ?? []));
      }),
    );
  });

  it('are read as the specification writes them', () => {
    const props = [byte(0x01, 1), long(0x02, 70_000), text(0x08, 'a/ü'), user('k', 'v')];
    expect(read(block([...props, user('k', 'w')]), 'publish')).toMatchObject({
      payloadFormat: 1,
      messageExpirySeconds: 70_000,
      responseTopic: 'a/ü',
      userProperties: [
        ['k', 'v'],
        ['k', 'w'],
      ],
    });
  });

  const { malformedPacket, protocolError } = ReasonCode;
  const cases: [string, PropertyOwner, Buffer, number][] = [
    ['one that its packet does not have', 'publish', block([short(0x21, 1)]), malformedPacket],
    ['one that nobody has', 'publish', block([byte(0x7f, 1)]), malformedPacket],
    ['one twice', 'publish', block([byte(0x01, 1), byte(0x01, 1)]), protocolError],
    ['a flag of 2', 'connect', block([byte(0x19, 2)]), protocolError],
    ['Receive Maximum 0', 'connect', block([short(0x21, 0)]), protocolError],
    ['Maximum Packet Size 0', 'connect', block([long(0x27, 0)]), protocolError],
    ['subscription identifier 0', 'subscribe', block([byte(0x0b, 0)]), protocolError],
    ['two identifiers', 'subscribe', block([byte(0x0b, 1), byte(0x0b, 2)]), protocolError],
    ['a length beyond the packet', 'publish', Buffer.of(9, 1, 1), malformedPacket],
    ['a field beyond its end', 'publish', Buffer.of(3, 3, 0, 9), malformedPacket],
    ['ill-formed UTF-8', 'publish', block([text(0x03, Buffer.of(0xff))]), malformedPacket],
    ['U+0000', 'publish', block([text(0x03, 'a\0')]), malformedPacket],
    ['a length of five bytes', 'publish', Buffer.of(0x80, 0x80, 0x80, 0x80, 1), malformedPacket],
    ['a length with more bytes than it needs', 'publish', Buffer.of(0x80, 0), malformedPacket],
  ];
  it.each(cases)('are refused with %s', (_case, owner, bytes, code) => {
    expect(read(bytes, owner)).toBe(code);
  });

  it('of any bytes are read or refused, never past their end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const result = read(bytes, 'publish');
        if (typeof result === 'object') expect(result.end).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 500 },
    );
  });
});
