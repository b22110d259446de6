import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TOKEN_BYTES } from '../../../node/shard/engine-key.ts';
import {
  BATCH_FORMAT,
  needsOf,
  WriteBatchBuilder,
  WriteBatchCursor,
  type WriteCondition,
} from '../../../node/shard/write-batch.ts';
import { decode, kv } from '../../../protos/index.ts';

interface Write {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly time?: number;
  readonly ttlMs?: number;
  readonly condition?: WriteCondition;
}

const conditions: fc.Arbitrary<WriteCondition> = fc.record(
  {
    kind: fc.constant('version' as const),
    ifVersion: fc.nat(Number.MAX_SAFE_INTEGER),
    token: fc.uint8Array({ minLength: TOKEN_BYTES, maxLength: TOKEN_BYTES }),
  },
  { requiredKeys: ['kind', 'ifVersion'] },
);

const writes = fc.array(
  fc.record(
    {
      key: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      value: fc.uint8Array({ maxLength: 400 }),
      time: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      ttlMs: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      condition: conditions,
    },
    { requiredKeys: ['key', 'value'] },
  ),
  { maxLength: 40 },
);

/** Adds a write whose bytes stand somewhere in a larger buffer, as those of a packet do. */
function add(builder: WriteBatchBuilder, write: Write): number {
  const { key, value, time = 0, ttlMs = 0, condition } = write;
  const packet = Uint8Array.of(9, 9, ...key, 7, ...value, 9);
  const start = 3 + key.length;
  const end = start + value.length;
  return builder.add(packet, 2, 2 + key.length, start, end, time, ttlMs, condition);
}

function read(bytes: Uint8Array, start = 0, end = bytes.length): Write[] {
  const cursor = new WriteBatchCursor(bytes, start, end);
  const found: Write[] = [];
  while (cursor.next()) {
    expect(cursor.isDelete).toBe(cursor.valueStart === cursor.valueEnd);
    expect(cursor.space).toBe(0);
    found.push({
      key: bytes.slice(cursor.keyStart, cursor.keyEnd),
      value: bytes.slice(cursor.valueStart, cursor.valueEnd),
      ...(cursor.time === 0 ? {} : { time: cursor.time }),
      ...(cursor.ttlMs === 0 ? {} : { ttlMs: cursor.ttlMs }),
      ...(cursor.ifVersion < 0 ? {} : { condition: conditionOf(cursor, bytes) }),
    });
  }
  expect(cursor.malformed).toBe(false);
  return found;
}

function conditionOf(cursor: WriteBatchCursor, bytes: Uint8Array): WriteCondition {
  const { ifVersion, tokenStart, tokenEnd } = cursor;
  const token = tokenStart === tokenEnd ? {} : { token: bytes.slice(tokenStart, tokenEnd) };
  return { kind: cursor.isExpiry ? 'expired' : 'version', ifVersion, ...token };
}

describe('a write batch', () => {
  it('is read as it was built, wherever it stands', () => {
    fc.assert(
      fc.property(writes, fc.nat(50), (list, before) => {
        const builder = new WriteBatchBuilder();
        for (const write of list) add(builder, write);
        expect(builder.count).toBe(list.length);
        const length = builder.byteLength;
        const bytes = builder.take();
        expect(bytes).toHaveLength(length);
        const entry = new Uint8Array(before + length + 3).fill(0x0a);
        entry.set(bytes, before);
        expect(read(entry, before, before + length)).toEqual(list);
        expect(needsOf(entry, before, before + length, list.length)).toBeDefined();
        expect(needsOf(entry, before, before + length, list.length + 1)).toBeUndefined();
      }),
    );
  });

  it('is a WriteBatch message of kv.proto after its format byte', () => {
    const builder = new WriteBatchBuilder();
    add(builder, { key: Uint8Array.of(1, 2), value: new Uint8Array(200).fill(5) });
    add(builder, { key: Uint8Array.of(3), value: new Uint8Array(0) });
    const bytes = builder.take();
    expect(bytes[0]).toBe(BATCH_FORMAT);
    const message = decode(kv.WriteBatch, bytes.subarray(1)).writes as kv.Write[];
    expect(message.map(({ key, kind }) => [[...key], kind])).toEqual([
      [[1, 2], kv.WriteKind.PUT],
      [[3], kv.WriteKind.DELETE],
    ]);
    expect(message[0]?.value).toHaveLength(200);
  });

  it('has these bytes', () => {
    const builder = new WriteBatchBuilder();
    add(builder, { key: Uint8Array.of(0x6b), value: Uint8Array.of(0x76) });
    add(builder, { key: Uint8Array.of(0x6b), value: new Uint8Array(0) });
    expect(Buffer.from(builder.take()).toString('hex')).toBe('010a060a016b1201760a050a016b1801');
  });

  it('can be used again and is then empty; what was taken does not change', () => {
    const builder = new WriteBatchBuilder();
    add(builder, { key: Uint8Array.of(1), value: Uint8Array.of(1) });
    const first = builder.take();
    const copy = first.slice();
    expect(builder.count).toBe(0);
    add(builder, { key: Uint8Array.of(2), value: Uint8Array.of(2) });
    expect(first).toEqual(copy);
    expect(read(builder.take())).toEqual([{ key: Uint8Array.of(2), value: Uint8Array.of(2) }]);
  });

  it('lacks what was cut out of it, and nothing else', () => {
    fc.assert(
      fc.property(writes, fc.infiniteStream(fc.boolean()), (list, choices) => {
        const builder = new WriteBatchBuilder();
        const starts = list.map((write) => add(builder, write));
        const kept: Write[] = [];
        for (let i = list.length - 1; i >= 0; i--) {
          if (choices.next().value) {
            const end = starts[i + 1] ?? builder.byteLength;
            const start = starts[i] as number;
            builder.cut(start, end, 1);
            for (let j = i + 1; j < starts.length; j++)
              starts[j] = (starts[j] as number) - (end - start);
            starts.splice(i, 1);
          } else {
            kept.unshift(list[i] as Write);
          }
        }
        expect(read(builder.take())).toEqual(kept);
      }),
    );
  });
});

describe('bytes that are no write batch', () => {
  const walk = (bytes: Uint8Array): number => {
    const cursor = new WriteBatchCursor(bytes, 0, bytes.length);
    let steps = 0;
    while (cursor.next()) {
      steps += 1;
      expect(cursor.keyStart).toBeLessThan(cursor.keyEnd);
      expect(cursor.keyEnd).toBeLessThanOrEqual(bytes.length);
      expect(cursor.valueStart).toBeLessThanOrEqual(cursor.valueEnd);
      expect(cursor.valueEnd).toBeLessThanOrEqual(bytes.length);
    }
    expect(steps).toBeLessThanOrEqual(bytes.length);
    return steps;
  };

  it('neither throw nor hang, and never point outside', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        walk(noise);
        walk(Uint8Array.of(BATCH_FORMAT, ...noise));
        walk(Uint8Array.of(BATCH_FORMAT, 0x0a, ...noise));
      }),
      { numRuns: 1_000 },
    );
  });

  it('are noticed when a well-formed batch is cut short or one byte is changed into another length', () => {
    const builder = new WriteBatchBuilder();
    for (let i = 0; i < 5; i++)
      add(builder, { key: new Uint8Array(10).fill(i), value: new Uint8Array(20) });
    const bytes = builder.take();
    expect(needsOf(bytes, 0, bytes.length, 5)).toBeDefined();
    for (let end = 0; end < bytes.length; end++) {
      expect(needsOf(bytes, 0, end, 5)).toBeUndefined();
    }
  });

  it.each([
    ['nothing', []],
    ['another format', [2, 0x0a, 0x03, 0x0a, 0x01, 0x6b]],
    ['a write without a key', [1, 0x0a, 0x03, 0x12, 0x01, 0x76]],
    ['an empty key', [1, 0x0a, 0x02, 0x0a, 0x00]],
    ['a length beyond the end', [1, 0x0a, 0x09, 0x0a, 0x01, 0x6b]],
    [
      'a field that runs over the end of its write',
      [1, 0x0a, 0x03, 0x0a, 0x05, 0x6b, 0x6b, 0x6b, 0x6b, 0x6b],
    ],
    ['a length of nine bytes', [1, 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['a group, as in old protobuf', [1, 0x0a, 0x04, 0x0a, 0x01, 0x6b, 0x2b]],
  ])('are malformed: %s', (_, bytes) => {
    const cursor = new WriteBatchCursor(Uint8Array.from(bytes), 0, bytes.length);
    while (cursor.next());
    expect(cursor.malformed).toBe(true);
  });

  it('are read where a newer version has added fields', () => {
    const bytes = Uint8Array.of(
      1,
      0x0a,
      0x0c,
      0x0a,
      0x01,
      0x6b,
      0x28,
      0x81,
      0x01,
      0x3a,
      0x01,
      0x07,
      0x12,
      0x01,
      0x76,
    );
    expect(read(bytes)).toEqual([
      { key: Uint8Array.of(0x6b), value: Uint8Array.of(0x76), time: 129 },
    ]);
  });
});
