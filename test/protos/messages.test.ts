import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import pb from 'protobufjs/minimal.js';
import { describe, expect, it } from 'vitest';
import { cluster, decode, encode, kv, ProtocolError, raft } from '../../protos/index.ts';

const protos = join(import.meta.dirname, '../../protos');

describe('messages', () => {
  it('come back as they were sent', () => {
    const entries = [{ term: 7, kind: 1, data: Uint8Array.of(1, 2, 3) }];
    const message = { group: 3, type: raft.MessageType.APPEND_REQUEST, term: 7, entries };
    const bytes = encode(raft.RaftEnvelope, { format: 1, fromNode: 'a1', messages: [message] });

    const envelope = decode(raft.RaftEnvelope, bytes);

    expect(envelope.fromNode).toBe('a1');
    expect(envelope.messages[0]?.type).toBe(raft.MessageType.APPEND_REQUEST);
    expect([...(envelope.messages[0]?.entries?.[0]?.data ?? [])]).toEqual([1, 2, 3]);
  });

  it('say which member of a oneof they hold', () => {
    const bytes = encode(cluster.Rpc, { id: 9, hello: { node: 'n' } });

    const call = decode(cluster.Rpc, bytes);

    expect(call.body).toBe('hello');
    if (call.body === 'hello') expect(call.hello.node).toBe('n');
  });

  it('have defaults for what is absent, numbers among them', () => {
    const entry = decode(raft.Entry, new Uint8Array());
    expect(entry.term).toBe(0);
    expect(entry.data).toHaveLength(0);
    expect(decode(cluster.Heartbeat, new Uint8Array()).leads).toEqual([]);
  });

  it('skip fields they do not know, and do not keep them', () => {
    const known = encode(raft.Entry, { term: 5 });
    const entry = decode(raft.Entry, Uint8Array.of(...known, 0xfa, 0x07, 2, 1, 1));
    expect(entry.term).toBe(5);
    expect(entry.$unknowns).toBeUndefined();
  });

  it('pass on enum values they do not know', () => {
    const bytes = encode(raft.RaftMessage, { type: 99 as raft.MessageType });
    expect(decode(raft.RaftMessage, bytes).type).toBe(99);
  });

  it('give bytes fields as views into the input', () => {
    const input = Buffer.from(encode(kv.Write, { key: Uint8Array.of(1), value: Uint8Array.of(9) }));
    const write = decode(kv.Write, input);
    input.fill(0);
    expect(write.value[0]).toBe(0);
  });
});

describe('64-bit fields', () => {
  it('are numbers and exact up to 2^53 - 1', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (index) => {
        expect(decode(raft.RaftMessage, encode(raft.RaftMessage, { index })).index).toBe(index);
      }),
    );
    const index = Number.MAX_SAFE_INTEGER;
    expect(decode(raft.RaftMessage, encode(raft.RaftMessage, { index })).index).toBe(index);
  });

  it('are refused above that, whether by one or by much', () => {
    fc.assert(
      fc.property(fc.bigInt(2n ** 53n, 2n ** 64n - 1n), (index) => {
        expect(() => decode(raft.RaftMessage, indexField(index))).toThrow(ProtocolError);
      }),
    );
    expect(() => decode(raft.RaftMessage, indexField(2n ** 53n))).toThrow(ProtocolError);
    expect(decode(raft.RaftMessage, indexField(2n ** 53n - 1n)).index).toBe(2 ** 53 - 1);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('cannot be sent as %d', (index) => {
    expect(() => encode(raft.RaftMessage, { index })).toThrow(/unsigned safe integer/);
  });

  it('are all of the one type that is guarded', () => {
    for (const name of readdirSync(protos).filter((file) => file.endsWith('.proto'))) {
      const text = readFileSync(join(protos, name), 'utf8');
      expect(text).not.toMatch(/\b(int64|sint64|fixed64|sfixed64|repeated uint64|map<)/);
    }
  });
});

describe('decode', () => {
  it('answers any bytes with a message or a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        for (const type of [raft.RaftEnvelope, cluster.RpcEnvelope, kv.WriteBatch]) {
          try {
            decode<unknown, unknown>(type, bytes);
          } catch (error) {
            expect(error).toMatchObject({ name: 'ProtocolError', code: 'MALFORMED_MESSAGE' });
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a message cut short at any byte within a field', () => {
    const bytes = encode(raft.RaftEnvelope, { fromNode: 'abcdef' });
    for (let length = 1; length < bytes.length; length++)
      expect(() => decode(raft.RaftEnvelope, bytes.subarray(0, length))).toThrow(ProtocolError);
  });
});

/** `RaftMessage { index }`, whatever the size of `index`. */
function indexField(index: bigint): Uint8Array {
  const varint: number[] = [];
  let rest = index;
  for (; rest > 127n; rest >>= 7n) varint.push(Number(rest & 127n) | 128);
  return pb.Writer.create()
    .uint32(48)
    .raw(Uint8Array.of(...varint, Number(rest)))
    .finish();
}
