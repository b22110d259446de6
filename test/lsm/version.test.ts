import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LsmError } from '../../lsm/errors.ts';
import type { TableMeta } from '../../lsm/sstable/table-meta.ts';
import { manifestFileName } from '../../lsm/version/manifest-format.ts';
import { readManifest } from '../../lsm/version/manifest-reader.ts';
import { ManifestWriter } from '../../lsm/version/manifest-writer.ts';
import { Version } from '../../lsm/version/version.ts';
import { applyEdit, EMPTY_STATE, type EngineState } from '../../lsm/version/version-edit.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { utf8 } from './engine-support.ts';

function table(fileNumber: number, smallest: string, largest: string, seqMax = 1): TableMeta {
  return {
    fileNumber,
    bytes: 100 + fileNumber,
    damaged: fileNumber % 5 === 0,
    entryCount: 3,
    deletionCount: 1,
    rawBytes: 300,
    seqMin: 1,
    seqMax,
    smallest: utf8(smallest),
    largest: utf8(largest),
    suffixMin: utf8('00000000'),
    suffixMax: utf8('00000001'),
  };
}

/** A state with tables in it, and a manifest that came to it in five edits. */
async function writeManifest(): Promise<{ bytes: Uint8Array; states: EngineState[] }> {
  const vfs = new CrashableMemVfs();
  const edits = [
    { added: [{ level: 0, table: table(1, 'a', 'm', 5) }], lastSeq: 5, positions: utf8('p1') },
    { added: [{ level: 0, table: table(2, 'b', 'z', 2 ** 50) }], lastSeq: 2 ** 50 },
    { removed: [1, 2], added: [{ level: 1, table: table(5, 'a', 'z') }], nextFileNumber: 6 },
    { positions: utf8('p2') },
  ];
  const states: EngineState[] = [EMPTY_STATE];
  const writer = await ManifestWriter.create(vfs, '/', 7, EMPTY_STATE);
  for (const edit of edits) {
    await writer.append(edit);
    states.push(applyEdit(states.at(-1) as EngineState, edit));
  }
  return { bytes: await vfs.readFile(`/${manifestFileName(7)}`), states };
}

const stateOf = (bytes: Uint8Array) =>
  readManifest(bytes, 'M')?.edits.reduce(applyEdit, EMPTY_STATE);

describe('the manifest', () => {
  it('gives back the state it was led to', async () => {
    const { bytes, states } = await writeManifest();
    expect(readManifest(bytes, 'M')?.end).toBe('clean');
    expect(stateOf(bytes)).toEqual(states.at(-1));
    expect(states.at(-1)?.positions).toEqual(utf8('p2'));
  });

  it('says a whole state in its first edit', async () => {
    const { states } = await writeManifest();
    const vfs = new CrashableMemVfs();
    await ManifestWriter.create(vfs, '/', 1, states.at(-1) as EngineState);
    expect(stateOf(await vfs.readFile(`/${manifestFileName(1)}`))).toEqual(states.at(-1));
  });

  it('cut at any byte gives the state of the last whole edit', async () => {
    const { bytes, states } = await writeManifest();
    let reached = 0;
    for (let length = 0; length <= bytes.length; length++) {
      const content = readManifest(bytes.slice(0, length), 'M');
      if (content === undefined) continue;
      expect(content.end).not.toBe('damaged');
      reached = content.edits.length;
      expect(content.edits.reduce(applyEdit, EMPTY_STATE)).toEqual(states[reached - 1]);
    }
    expect(reached).toBe(5);
  });

  it('tells a damaged edit in its middle from a torn tail, at every byte', async () => {
    const { bytes, states } = await writeManifest();
    const ends = new Set<string>();
    for (let at = 16; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      const content = readManifest(flipped, 'M');
      if (content === undefined) continue;
      ends.add(content.end);
      expect(content.edits.length).toBeLessThan(5);
      const isLast = content.edits.length === 4;
      expect(content.end).toBe(isLast ? 'torn' : 'damaged');
      if (!isLast) expect(content.stray.at(-1)?.positions).toEqual(utf8('p2'));
      expect(content.edits.reduce(applyEdit, EMPTY_STATE)).toEqual(
        states[content.edits.length - 1],
      );
    }
    expect(ends).toEqual(new Set(['torn', 'damaged']));
  });

  it('is read to an end whatever its bytes are', async () => {
    const { bytes } = await writeManifest();
    const noise = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 20 });
    fc.assert(
      fc.property(noise, fc.uint8Array({ maxLength: 60 }), (changes, tail) => {
        const mutated = Uint8Array.from([...bytes, ...tail]);
        for (const [at, byte] of changes) mutated[at] = byte;
        try {
          readManifest(mutated, 'M');
        } catch (error) {
          expect((error as LsmError).code).toBe('FORMAT_TOO_NEW');
        }
      }),
    );
  });

  it('full of what only looks like records does not keep its reader', async () => {
    const { bytes } = await writeManifest();
    const decoys = new Uint8Array(400_000);
    const view = new DataView(decoys.buffer);
    for (let at = 0; at + 12 <= decoys.length; at += 12) {
      view.setUint32(at, 0x54494445, true);
      view.setUint32(at + 8, decoys.length - at - 12, true);
    }
    const content = readManifest(Uint8Array.from([...bytes, ...decoys]), 'M');
    expect(content).toMatchObject({ end: 'torn', stray: [] });
  });
});

describe('Version', () => {
  const version = Version.empty.apply(
    [
      { level: 0, table: table(1, 'c', 'k', 4) },
      { level: 0, table: table(2, 'a', 'z', 9) },
      { level: 2, table: table(6, 'm', 'p') },
      { level: 2, table: table(3, 'a', 'c') },
      { level: 2, table: table(4, 'e', 'g') },
    ],
    new Set(),
  );
  const numbers = (tables: readonly TableMeta[]) => tables.map(({ fileNumber }) => fileNumber);

  it('has level 0 newest first and other levels by key', () => {
    expect(version.levels.map(numbers)).toEqual([[2, 1], [], [3, 4, 6], [], [], [], []]);
  });

  it('finds the tables of a range', () => {
    expect(numbers(version.overlapping(2, utf8('c'), utf8('e')))).toEqual([3, 4]);
    expect(numbers(version.within(2, utf8('c'), utf8('e')))).toEqual([3]);
    expect(numbers(version.within(2, utf8('d'), undefined))).toEqual([4, 6]);
    expect(numbers(version.overlapping(0, utf8('l'), utf8('z')))).toEqual([2]);
    expect(version.tableReaching(2, utf8('h'))?.fileNumber).toBe(6);
    expect(version.tableReaching(2, utf8('q'))).toBeUndefined();
  });

  it('says which invariant does not hold', () => {
    expect(version.checkInvariants()).toBeUndefined();
    expect(version.checkInvariants([utf8('d')])).toBeUndefined();
    expect(version.checkInvariants([utf8('e')])).toBeUndefined();
    expect(version.checkInvariants([utf8('f')])).toMatch(/table 4 .* crosses/);
    const overlapping = version.apply([{ level: 2, table: table(8, 'f', 'h') }], new Set());
    expect(overlapping.checkInvariants()).toMatch(/overlap in level 2/);
    const twice = version.apply([{ level: 3, table: table(6, 'm', 'p') }], new Set());
    expect(twice.checkInvariants()).toMatch(/twice/);
  });

  it('never changes', () => {
    const before = structuredClone(version.levels);
    version.apply([], new Set([3, 4]));
    expect(version.levels).toEqual(before);
  });
});
