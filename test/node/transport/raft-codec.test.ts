import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../node/raft/types.ts';
import { fromWire, toWire } from '../../../node/transport/raft-codec.ts';
import { decode, encode, raft } from '../../../protos/index.ts';

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

describe('a Raft message on the wire', () => {
  it.each(Object.entries(arbitraries))('comes back as it was: %s', (_, messages) => {
    fc.assert(
      fc.property(messages, fc.nat(0xffff_ffff), (message, group) => {
        const bytes = encode(raft.RaftMessage, toWire({ group, message }));
        const back = fromWire(decode(raft.RaftMessage, bytes));
        expect(plain(back)).toEqual(plain({ group, message }));
      }),
    );
  });

  it('of a type that this version does not know is nobody’s', () => {
    const bytes = encode(raft.RaftMessage, { group: 1, type: 99 as raft.MessageType });
    expect(fromWire(decode(raft.RaftMessage, bytes))).toBeUndefined();
    expect(fromWire(decode(raft.RaftMessage, new Uint8Array(0)))).toBeUndefined();
  });
});
