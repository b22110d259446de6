import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../lsm/hash/crc32c.ts';
import type { RoundHeader } from '../../../lsm/log/format.ts';
import { readRound } from '../../../lsm/log/round-reader.ts';
import { type RoundSection, RoundWriter } from '../../../lsm/log/round-writer.ts';
import { bytes, entries } from './harness.ts';

const header: RoundHeader = {
  kind: 'ordinary',
  replicasLost: false,
  replicasChecksum: 0,
  logId: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  number: 9,
  syncedRound: 8,
  segment: 3,
};

function section(changes: Partial<RoundSection> = {}): RoundSection {
  return {
    group: 1,
    suspect: false,
    replicaId: 2,
    hardState: { term: 3, vote: 4, commit: 5 },
    firstIndex: 6,
    lastIndex: 5,
    previousTerm: 3,
    logStart: { index: 1, term: 1 },
    configuration: undefined,
    configurationChecksum: 0,
    entries: [],
    ...changes,
  };
}

describe('round', () => {
  it('has the bytes that FORMAT.md draws', () => {
    const written = new RoundWriter().write(header, [
      section({
        firstIndex: 6,
        lastIndex: 6,
        entries: entries(6, 6, 3),
        configuration: bytes('c'),
      }),
    ]);
    const view = new DataView(written.bytes.buffer);
    expect(written.bytes.length).toBe(4096);
    expect(new TextDecoder().decode(written.bytes.subarray(0, 8))).toBe('DSSround');
    expect(view.getUint32(8, true)).toBe(crc32c(written.bytes, 12, 64 + 105));
    expect([...written.bytes.subarray(12, 16)]).toEqual([1, 2, 0, 0]);
    expect([24, 32, 40].map((at) => view.getBigUint64(at, true))).toEqual([9n, 8n, 3n]);
    expect([48, 52, 56].map((at) => view.getUint32(at, true))).toEqual([4096, 105, 1]);
    const directory = [8, 16, 24, 32, 40, 48, 56, 64, 72].map((at) =>
      view.getBigUint64(64 + at, true),
    );
    expect(directory).toEqual([2n, 3n, 4n, 5n, 6n, 6n, 3n, 1n, 1n]);
    expect([0, 4, 80, 84, 92, 96].map((at) => view.getUint32(64 + at, true))).toEqual([
      1, 2, 169, 19, 1, 0,
    ]);
    const checksum = crc32c(written.bytes, 169, 169 + 19);
    expect(written.records).toEqual([{ offset: 169, checksums: Uint32Array.of(checksum) }]);
    const checksumBytes = Uint8Array.from([0, 8, 16, 24], (shift) => checksum >>> shift);
    expect(view.getUint32(64 + 88, true)).toBe(crc32c(checksumBytes));
    expect([...written.bytes.subarray(169, 190)]).toEqual([
      ...[3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0],
      ...bytes('3/6'),
      ...[0, 0],
    ]);
  });

  it('is padded with zeros, not with what a larger one before it left', () => {
    const writer = new RoundWriter();
    writer.write(header, [section({ lastIndex: 6, entries: entries(6, 6, 3, 'x'.repeat(9000)) })]);
    const { bytes: round } = writer.write(header, [section()]);
    expect(round.subarray(64 + 104).every((byte) => byte === 0)).toBe(true);
  });

  it('reads back what was written, at any offset, and never one whose header was changed', () => {
    const u53 = fc.maxSafeNat();
    const anySection = fc
      .record({
        group: fc.nat(0xffffffff),
        suspect: fc.boolean(),
        replicaId: u53,
        hardState: fc.record({ term: u53, vote: u53, commit: u53 }),
        firstIndex: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 100 }),
        previousTerm: u53,
        configuration: fc.option(fc.uint8Array({ maxLength: 50 }), { nil: undefined }),
        configurationChecksum: fc.nat(0xffffffff),
        data: fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 4 }),
        term: u53,
      })
      .map(({ data, term, ...rest }) => ({
        ...rest,
        logStart: { index: rest.firstIndex - 1, term },
        lastIndex: rest.firstIndex + data.length - 1,
        entries: data.map((one, at) => ({
          term,
          kind: at,
          index: rest.firstIndex + at,
          data: one,
        })),
      }));
    const writer = new RoundWriter();
    fc.assert(
      fc.property(
        fc.array(anySection, { maxLength: 5 }),
        fc.nat(3),
        fc.nat(),
        (sections, blocks, flip) => {
          const round = writer.write(header, sections).bytes;
          const offset = 4096 * blocks;
          const file = new Uint8Array(offset + round.length);
          file.set(round, offset);
          const read = readRound(file, offset, 3, header.logId);
          expect(read).toMatchObject({ ...header, whole: true, offset, length: round.length });
          for (const [at, { entries: written, ...rest }] of sections.entries()) {
            const { records, ...directory } = read?.sections[at] ?? {};
            expect(directory).toEqual(rest);
            expect([...(records?.terms ?? [])]).toEqual(written.map(({ term }) => term));
            expect([...(records?.lengths ?? [])]).toEqual(
              written.map(({ data }) => 16 + data.length),
            );
            const { offset: recordsAt = 0, lengths = [] } = records ?? {};
            let recordAt = recordsAt;
            for (const [ordinal, length] of lengths.entries()) {
              const checksum = crc32c(file, recordAt, recordAt + length);
              expect(records?.checksums[ordinal]).toBe(checksum);
              recordAt += length;
            }
            if (recordAt === recordsAt) continue;
            const flipped = file.slice();
            const bit = flip % (8 * (recordAt - recordsAt));
            const place = recordsAt + (bit >> 3);
            flipped[place] = (flipped[place] ?? 0) ^ (1 << (bit & 7));
            const damaged = readRound(flipped, offset, 3, header.logId);
            expect(damaged?.sections[at]?.records).toBeUndefined();
          }
          const directoryBytes = new DataView(file.buffer).getUint32(offset + 52, true);
          const changed = offset + (flip % (64 + directoryBytes));
          file[changed] = (file[changed] ?? 0) ^ (1 << (flip % 8));
          expect(readRound(file, offset, 3, header.logId)).toBeUndefined();
        },
      ),
    );
  });
});
