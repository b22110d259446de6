import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryKind } from '../../../node/raft/types.ts';
import {
  encodeWriteEntry,
  type ForwardedBatch,
  Needs,
  parseWriteEntry,
  SECTION_HEADER_BYTES,
} from '../../../node/shard/entry.ts';

const batches: fc.Arbitrary<ForwardedBatch> = fc.record({
  node: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((id) => Buffer.from(id).toString('hex')),
  startCounter: fc.nat(0xffff_ffff),
  number: fc.nat(Number.MAX_SAFE_INTEGER),
  count: fc.integer({ min: 1, max: 0xffff_ffff }),
  crc: fc.nat(0xffff_ffff),
  bytes: fc.uint8Array({ maxLength: 100 }),
});

describe('a write entry', () => {
  it('has this layout, to the byte', () => {
    const batch = {
      node: '0123456789abcdef',
      startCounter: 0x01020304,
      number: 0x0a_0b0c_0d0e,
      count: 3,
      crc: 0xdeadbeef,
      bytes: Uint8Array.of(0xaa, 0xbb),
    };
    const data = encodeWriteEntry([
      { batch, baseVersion: 0x12_3456_789a_bcdf, needs: Needs.times },
    ]);
    expect(SECTION_HEADER_BYTES).toBe(52);
    expect(Buffer.from(data).toString('hex')).toBe(
      [
        '01', // kind
        '01', // format
        '0200', // needs: event times
        '03000000', // count
        'dfbc9a7856341200', // base version
        'e1bc9a7856341200', // highest version
        '0123456789abcdef', // origin node
        '04030201', // start counter
        '0e0d0c0b0a000000', // stream number
        '02000000', // batch length
        'efbeadde', // CRC
        'aabb',
      ].join(''),
    );
  });

  it('is read as it was written, also when it has several sections', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(batches, fc.nat(2 ** 52)), { minLength: 1, maxLength: 5 }),
        (sections) => {
          const data = encodeWriteEntry(
            sections.map(([batch, baseVersion]) => ({ batch, baseVersion, needs: 0 })),
          );
          const parsed = parseWriteEntry(data);
          expect(
            parsed?.map(({ batchStart, batchEnd, ...rest }) => ({
              ...rest,
              bytes: data.slice(batchStart, batchEnd),
            })),
          ).toEqual(
            sections.map(([batch, baseVersion]) => ({
              ...batch,
              needs: 0,
              baseVersion,
              highestVersion: baseVersion + batch.count - 1,
            })),
          );
        },
      ),
    );
  });

  it('is read from a view into a larger buffer', () => {
    const batch = { node: 'ff'.repeat(8), startCounter: 1, number: 1, count: 1, crc: 7 };
    const data = encodeWriteEntry([
      { batch: { ...batch, bytes: Uint8Array.of(1) }, baseVersion: 4096, needs: 0 },
    ]);
    const larger = new Uint8Array(data.length + 10);
    larger.set(data, 5);
    expect(parseWriteEntry(larger.subarray(5, 5 + data.length))?.[0]).toMatchObject({
      crc: 7,
      baseVersion: 4096,
    });
  });

  it('that is not one is refused and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), batches, fc.nat(), (noise, batch, at) => {
        parseWriteEntry(noise);
        const data = encodeWriteEntry([{ batch, baseVersion: 1, needs: 0 }]);
        expect(parseWriteEntry(data.subarray(0, at % data.length))).toBeUndefined();
        expect(parseWriteEntry(Uint8Array.of(...data, 1))).toBeUndefined();
        data[at % data.length] = noise[0] ?? 0;
        const sections = parseWriteEntry(data);
        for (const { batchStart, batchEnd } of sections ?? []) {
          expect(batchStart <= batchEnd && batchEnd <= data.length).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['another kind', 0, EntryKind.configuration],
    ['another format', 1, 2],
    ['no writes', 4, 0],
    ['a highest version that is not base + count - 1', 16, 77],
    ['a base version that is no safe integer', 15, 0xff],
    ['a stream number that is no safe integer', 43, 0xff],
    ['a length beyond the end', 44, 9],
  ])('with %s is refused', (_, at, byte) => {
    const batch = { node: '00'.repeat(8), startCounter: 1, number: 1, count: 1, crc: 0 };
    const data = encodeWriteEntry([
      { batch: { ...batch, bytes: Uint8Array.of(1, 2) }, baseVersion: 4096, needs: 0 },
    ]);
    expect(parseWriteEntry(data)).toHaveLength(1);
    data[at] = byte;
    expect(parseWriteEntry(data)).toBeUndefined();
  });

  it('without a section is none', () => {
    expect(parseWriteEntry(new Uint8Array(0))).toBeUndefined();
  });
});
