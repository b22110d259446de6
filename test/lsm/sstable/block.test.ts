import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../../lsm/bytes.ts';
import { BlockPosition } from '../../../lsm/sstable/block-position.ts';
import { ReverseBlockPosition } from '../../../lsm/sstable/reverse-block-position.ts';
import { drain, hex, keyOf, utf8 } from '../entries.ts';
import { blockOf, cursorOf, entriesOf, type WholeEntry } from './support.ts';

const anyEntries = entriesOf(0);
const targets = fc.uint8Array({ maxLength: 14, max: 4 });

describe('blocks', () => {
  it('give back what was added: keys, values, sequence numbers and kinds', async () => {
    await fc.assert(
      fc.asyncProperty(anyEntries, async (list) => {
        expect(await drain(cursorOf(blockOf(list)))).toEqual(list);
      }),
    );
  });

  it('seek to the first key at or after any bytes, and go on from there', async () => {
    await fc.assert(
      fc.asyncProperty(anyEntries, targets, async (list, target) => {
        const expected = list.filter(({ key }) => compareBytes(key, target) >= 0);
        expect(await drain(cursorOf(blockOf(list)), target)).toEqual(expected);
      }),
    );
  });

  it('locate without a key what a seek finds, and say whether it is the very key', () => {
    fc.assert(
      fc.property(anyEntries, targets, (list, target) => {
        const position = new BlockPosition();
        position.reset(blockOf(list));
        const expected = list.find(({ key }) => compareBytes(key, target) >= 0);
        expect(position.locate(target)).toBe(expected !== undefined);
        if (expected === undefined) return;
        expect(position.isExact).toBe(hex(expected.key) === hex(target));
        expect(position.seq).toBe(expected.seq);
        expect(position.kind).toBe(expected.kind);
        const { valueBytes, valueStart, valueEnd } = position;
        expect(valueBytes.subarray(valueStart, valueEnd)).toEqual(expected.value);
      }),
    );
  });

  it.each([1, 15, 16, 17, 32, 33])('work with %i keys that begin each other', async (n) => {
    const list = Array.from({ length: n }, (_, i) => ({
      key: new Uint8Array(i).fill(7),
      value: utf8(`${i}`),
      seq: i,
      kind: 1,
    }));
    const block = blockOf(list);
    expect(block.restartCount).toBe(Math.ceil(n / 16));
    expect(await drain(cursorOf(block))).toEqual(list);
    expect(backward(list)).toEqual(list.toReversed());
    for (const { key } of list) {
      const cursor = cursorOf(block);
      cursor.seek(key);
      expect(keyOf(cursor)).toEqual(key);
    }
  });
});

/** All before `target`, or all, from the last to the first. */
function backward(list: readonly WholeEntry[], target?: Uint8Array): WholeEntry[] {
  const position = new ReverseBlockPosition();
  position.reset(blockOf(list));
  if (target === undefined) position.toLast();
  else position.toBefore(target);
  const found: WholeEntry[] = [];
  for (; position.valid; position.step()) {
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, seq, kind } = position;
    const key = keyBytes.slice(keyStart, keyEnd);
    found.push({ key, value: valueBytes.slice(valueStart, valueEnd), seq, kind });
  }
  return found;
}

describe('blocks read backward', () => {
  it('give everything from the last to the first', () => {
    fc.assert(
      fc.property(anyEntries, (list) => {
        expect(backward(list)).toEqual(list.toReversed());
      }),
    );
  });

  it('begin at the last key before any bytes', () => {
    fc.assert(
      fc.property(anyEntries, targets, (list, target) => {
        const before = list.filter(({ key }) => compareBytes(key, target) < 0);
        expect(backward(list, target)).toEqual(before.toReversed());
      }),
    );
  });

  it('cover any bytes: the first key at or after them, else the last', () => {
    fc.assert(
      fc.property(anyEntries, targets, (list, target) => {
        const position = new ReverseBlockPosition();
        position.reset(blockOf(list));
        position.toCovering(target);
        const expected = list.find(({ key }) => compareBytes(key, target) >= 0) ?? list.at(-1);
        expect(position.seq).toBe(expected?.seq);
        expect(position.keyBytes.slice(position.keyStart, position.keyEnd)).toEqual(expected?.key);
      }),
    );
  });
});
