import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { corruption } from '../../../lsm/corruption.ts';
import { ByteReader, ByteWriter } from '../../../lsm/encoding.ts';
import { LsmError } from '../../../lsm/errors.ts';
import { crc32c } from '../../../lsm/hash/crc32c.ts';
import { Block } from '../../../lsm/sstable/block.ts';
import { decodeHandle, encodeHandle } from '../../../lsm/sstable/block-handle.ts';
import { sealedLength } from '../../../lsm/sstable/block-source.ts';
import { hashKey, mayContain } from '../../../lsm/sstable/filter.ts';
import { decodeFooter, encodeFooter, FOOTER_BYTES } from '../../../lsm/sstable/footer.ts';
import { tableFileName } from '../../../lsm/sstable/format.ts';
import { ReverseBlockPosition } from '../../../lsm/sstable/reverse-block-position.ts';
import { TableFiles } from '../../../lsm/sstable/table-files.ts';
import { decodeProperties, encodeProperties } from '../../../lsm/sstable/table-meta.ts';
import { TableReader } from '../../../lsm/sstable/table-reader.ts';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { drain } from '../entries.ts';
import { blockBytes, cursorOf, entries, histories, written } from './support.ts';

/** Whatever the bytes are, nothing fails but in our way. */
function typed<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    expect(error).toBeInstanceOf(LsmError);
    return undefined;
  }
}

/** Bytes of all kinds, or sound ones with one changed. */
function mutated(sound: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const changed = fc.tuple(sound, fc.nat(), fc.nat(255)).map(([bytes, at, byte]) => {
    const copy = bytes.slice();
    copy[at % copy.length] = byte;
    return copy;
  });
  return fc.oneof(changed, fc.uint8Array({ maxLength: 100 }));
}

/** Every way through a block, with a bound on the steps. */
function walk(bytes: Uint8Array, target: Uint8Array): void {
  const block = new Block(bytes, 'fuzz', 0);
  const bound = () => {
    let steps = 0;
    return () => expect(++steps).toBeLessThanOrEqual(bytes.length);
  };
  typed(() => {
    const cursor = cursorOf(block);
    const count = bound();
    for (cursor.seekFirst(); cursor.valid; cursor.next()) {
      count();
      expect(cursor.valueEnd).toBeLessThanOrEqual(bytes.length);
      typed(() => decodeHandle(cursor));
    }
    cursor.seek(target);
  });
  const position = new ReverseBlockPosition();
  position.reset(block);
  for (const start of ['toLast', 'toBefore', 'toCovering'] as const) {
    typed(() => {
      const count = bound();
      for (position[start](target); position.valid; position.step()) {
        count();
        expect(position.valueEnd).toBeLessThanOrEqual(bytes.length);
        expect(position.keyEnd).toBeLessThanOrEqual(position.keyBytes.length);
      }
    });
  }
}

describe('whatever their bytes are', () => {
  it('blocks neither hang nor lead out of themselves', () => {
    fc.assert(
      fc.property(mutated(entries.map(blockBytes)), fc.uint8Array(), (bytes, target) => {
        typed(() => walk(bytes, target));
      }),
      { numRuns: 1000 },
    );
  });

  it('blocks are not read backward where whole keys are too rare or out of order', () => {
    const list = histories(1, 40);
    const sound = blockBytes(list);
    const restartsAt = new Block(sound, 'fuzz', 0).restartsAt;
    const forged = (...restarts: number[]) => {
      const words = Uint32Array.of(...restarts, restarts.length);
      const bytes = Uint8Array.of(
        ...sound.subarray(0, restartsAt),
        ...new Uint8Array(words.buffer),
      );
      return new Block(bytes, 'fuzz', 0);
    };
    const [, second = 0] = new Uint32Array(sound.slice(restartsAt).buffer);
    for (const block of [forged(0), forged(0, second, 0), forged(0, second, second)]) {
      const position = new ReverseBlockPosition();
      position.reset(block);
      const all = () => {
        for (position.toLast(); position.valid; ) position.step();
      };
      expect(all).toThrow(LsmError);
    }
  });

  it('handles that lead out of the file are refused before anything is read', () => {
    expect(sealedLength('f', 100, { offset: 90, length: 5 })).toBe(10);
    expect(() => sealedLength('f', 100, { offset: 90, length: 6 })).toThrow(/inside the file/);
  });

  it('footers and properties are read or refused', () => {
    const footer = encodeFooter({
      filter: { offset: 1, length: 2 },
      keyFilter: { offset: 0, length: 0 },
      topIndex: { offset: 3, length: 4 },
      properties: { offset: 5, length: 6 },
    });
    const properties = entries.map((list) => {
      const writer = new ByteWriter();
      const [key, other] = [list[0]?.key as Uint8Array, list.at(-1)?.key as Uint8Array];
      const counts = {
        entryCount: list.length,
        deletionCount: 1,
        rawBytes: 9,
        seqMin: 0,
        seqMax: 2,
      };
      const keys = { smallest: key, largest: other, suffixMin: key, suffixMax: other };
      encodeProperties(writer, { ...counts, ...keys });
      return writer.written.slice();
    });
    const malformed = (at: number, reason: string) => corruption('fuzz', at, reason, 'the end');
    fc.assert(
      fc.property(mutated(fc.constant(footer)), mutated(properties), (one, two) => {
        typed(() => decodeFooter(one, 'fuzz', 0));
        const forged = one.slice();
        if (forged.length === FOOTER_BYTES) {
          new DataView(forged.buffer).setUint32(52, crc32c(forged, 0, 52), true);
        }
        typed(() => decodeFooter(forged, 'fuzz', 0));
        typed(() => decodeProperties(new ByteReader(two, malformed)));
      }),
      { numRuns: 500 },
    );
  });

  it('filters answer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array(), (filter, key) => {
        expect(mayContain(filter, hashKey(key, 0, key.length))).toBeTypeOf('boolean');
      }),
    );
  });

  it('handles are read as written or refused', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(), (offset, length) => {
        const writer = new ByteWriter();
        encodeHandle(writer, { offset, length });
        const value = writer.written.slice();
        const block = new Block(blockBytes([{ key: new Uint8Array(0), value, seq: 0 }]), 'fuzz', 0);
        const cursor = cursorOf(block);
        cursor.seekFirst();
        expect(decodeHandle(cursor)).toEqual({ offset, length });
      }),
    );
  });
});

/** A whole table whose checksums are right although its bytes are not: what a broken writer would leave. */
describe('a table that is wrong under right checksums', () => {
  it('neither hangs nor fails but in our way', async () => {
    const list = histories(4, 8);
    const { vfs, meta } = await written(list, { blockSizeBytes: 200 });
    const sound = await vfs.readFile(`/${tableFileName(1)}`);
    const reader = await TableReader.open(vfs, '/', 1);
    const parts = await partsOf(sound);
    expect(parts.length).toBeGreaterThan(6);
    await reader.close();
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(255), async (part, at, byte) => {
        const forged = new CrashableMemVfs();
        const bytes = sound.slice();
        const { start, end } = parts[part % parts.length] as { start: number; end: number };
        bytes[start + (at % (end - start))] = byte;
        new DataView(bytes.buffer).setUint32(end + 1, crc32c(bytes, start, end + 1), true);
        const file = await forged.open(`/${tableFileName(1)}`, 'create');
        await file.write(0, bytes);
        const table = new TableReader(new TableFiles({ vfs: forged, directory: '/' }), meta);
        for (const read of [
          () => drain(table.cursor()),
          () => drain(table.cursor({ reverse: true }), 'end'),
          () => drain(table.scanCursor(1000)),
          () => table.check(),
          () => table.verify(),
        ]) {
          await read().catch((error) => expect(error).toBeInstanceOf(LsmError));
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Where the parts of a table stand, found by their checksums: from one to the next. */
async function partsOf(bytes: Uint8Array): Promise<{ start: number; end: number }[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const parts: { start: number; end: number }[] = [];
  let start = 0;
  for (let end = 1; end + 5 <= bytes.length - FOOTER_BYTES; end++) {
    if (view.getUint32(end + 1, true) !== crc32c(bytes, start, end + 1)) continue;
    parts.push({ start, end });
    start = end + 5;
    end = start;
  }
  return parts;
}
