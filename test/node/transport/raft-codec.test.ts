import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../node/raft/types.ts';
import { decodeEnvelope, encodeEnvelope } from '../../../node/transport/raft-codec.ts';
import { decode, encode, ProtocolError, raft } from '../../../protos/index.ts';

const uint = fc.nat(Number.MAX_SAFE_INTEGER);
const flag = fc.boolean();
const envelope = { from: uint, to: uint, term: uint };

const appendRequests = fc
  .record({
    ...envelope,
    kind: fc.constant('append-request' as const),
    previousIndex: fc.nat(2 ** 50),
    previousTerm: uint,
    entries: fc.array(
      fc.record({ term: uint, kind: fc.nat(300), data: fc.uint8Array({ maxLength: 30 }) }),
      { maxLength: 5 },
    ),
    commit: uint,
    releasedIndex: uint,
  })
  .map((message) => ({
    ...message,
    entries: message.entries.map((entry, i) => ({
      ...entry,
      index: message.previousIndex + 1 + i,
    })),
  }));

/** One for each kind of message; a new kind that is missing here does not compile. */
const arbitraries: Record<Message['kind'], fc.Arbitrary<Message>> = {
  'pre-vote-request': fc.record({
    ...envelope,
    kind: fc.constant('pre-vote-request'),
    lastIndex: uint,
    lastTerm: uint,
  }),
  'vote-request': fc.record({
    ...envelope,
    kind: fc.constant('vote-request'),
    lastIndex: uint,
    lastTerm: uint,
    transfer: flag,
  }),
  'pre-vote-response': fc.record({
    ...envelope,
    kind: fc.constant('pre-vote-response'),
    reject: flag,
  }),
  'vote-response': fc.record({ ...envelope, kind: fc.constant('vote-response'), reject: flag }),
  'append-request': appendRequests,
  'append-response': fc.record({
    ...envelope,
    kind: fc.constant('append-response'),
    reject: flag,
    index: uint,
    hintIndex: uint,
    hintTerm: uint,
  }),
  'heartbeat-request': fc.record({
    ...envelope,
    kind: fc.constant('heartbeat-request'),
    commit: uint,
    releasedIndex: uint,
    context: uint,
  }),
  'heartbeat-response': fc.record({
    ...envelope,
    kind: fc.constant('heartbeat-response'),
    context: uint,
  }),
  'read-index-request': fc.record({
    ...envelope,
    kind: fc.constant('read-index-request'),
    context: uint,
  }),
  'read-index-response': fc.record({
    ...envelope,
    kind: fc.constant('read-index-response'),
    context: uint,
    index: uint,
    reject: flag,
  }),
  'timeout-now': fc.record({ ...envelope, kind: fc.constant('timeout-now') }),
};

/** Bytes as numbers, whatever kind of array they are in. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) => {
      const bytes = part as { type?: string; data?: unknown };
      if (bytes?.type === 'Buffer') return bytes.data;
      return part instanceof Uint8Array ? [...part] : part;
    }),
  );
}

const SENDER = { fromNode: '0123456789abcdef', startCounter: 7, syncedRound: 2 ** 40 };
const groups = fc.nat(0xffff_ffff);

function messagesOf(bytes: Uint8Array) {
  return decodeEnvelope(bytes).messages;
}

describe('a Raft message on the wire', () => {
  it.each(Object.entries(arbitraries))('comes back as it was: %s', (_, messages) => {
    fc.assert(
      fc.property(messages, groups, (message, group) => {
        const bytes = encodeEnvelope({ ...SENDER, messages: [{ group, message }] });
        expect(plain(messagesOf(bytes))).toEqual(plain([{ group, message }]));
      }),
    );
  });

  it('is a RaftEnvelope of raft.proto, byte for byte', () => {
    const anyMessage = fc.oneof(...Object.values(arbitraries));
    const items = fc.array(fc.record({ group: groups, message: anyMessage }), { maxLength: 6 });
    fc.assert(
      fc.property(items, (messages) => {
        const bytes = encodeEnvelope({ ...SENDER, messages });
        const read = decode(raft.RaftEnvelope, bytes);
        expect(read).toMatchObject({ format: 1, ...SENDER });
        expect(plain(encode(raft.RaftEnvelope, read))).toEqual(plain(bytes));
        expect(decodeEnvelope(bytes)).toMatchObject(SENDER);
      }),
    );
  });

  it('of a type that this version does not know is nobody’s', () => {
    const messages = [{ group: 1, type: 99 as raft.MessageType }, { type: 11, fromReplica: 3 }, {}];
    const bytes = encode(raft.RaftEnvelope, { format: 1, messages });
    expect(messagesOf(bytes)).toEqual([
      { group: 0, message: { from: 3, to: 0, term: 0, kind: 'timeout-now' } },
    ]);
  });

  it('may say more than this version knows', () => {
    const bytes = encode(raft.RaftEnvelope, { format: 1, messages: [{ type: 11, group: 5 }] });
    // Field 100 of each wire type, in the envelope.
    const more = [
      ...[0xa0, 0x06, 0x81, 0x01],
      ...[0xa2, 0x06, 0x02, 1, 2],
      ...[0xa5, 0x06, 1, 2, 3, 4],
      ...[0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8],
    ];
    expect(messagesOf(Uint8Array.of(...more, ...bytes))).toEqual(messagesOf(bytes));
  });

  it('that is cut short or no message is a ProtocolError, whatever the bytes', () => {
    const message = fc.sample(arbitraries['append-request'], { numRuns: 1, seed: 3 })[0] as Message;
    const bytes = encodeEnvelope({ ...SENDER, messages: [{ group: 1, message }] });
    expect(() => decodeEnvelope(bytes.subarray(0, bytes.length - 1))).toThrow(ProtocolError);
    const overlong = Uint8Array.of(0x20, ...Array<number>(8).fill(0xff), 0x7f);
    expect(() => decodeEnvelope(overlong)).toThrow(ProtocolError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(), (noise, at) => {
        const mixed = bytes.slice();
        mixed.set(noise.subarray(0, mixed.length), at % Math.max(1, mixed.length - noise.length));
        for (const each of [noise, mixed]) {
          try {
            decodeEnvelope(each);
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        }
      }),
    );
  });
});
