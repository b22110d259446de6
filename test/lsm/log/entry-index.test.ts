import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryIndex } from '../../../lsm/log/entry-index.ts';

const operation = fc.record({
  kind: fc.constantFrom('append', 'append', 'append', 'truncate', 'drop', 'restart'),
  count: fc.nat(20),
  step: fc.nat(2),
});

describe('entry index', () => {
  it('agrees with a list of entries', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const index = new EntryIndex(5, 1);
        let start = { index: 5, term: 1 };
        let list: {
          index: number;
          term: number;
          segment: number;
          offset: number;
          checksum: number;
        }[] = [];
        let [term, segment] = [1, 1];
        for (const { kind, count, step } of operations) {
          const last = start.index + list.length;
          if (kind === 'append') {
            [term, segment] = [term + step, segment + step];
            for (let at = 1; at <= count; at++) {
              const checksum = 0xffffffff - last - at;
              index.append(term, segment, 100 * at, 16 + at, checksum);
              list.push({ index: last + at, term, segment, offset: 100 * at, checksum });
            }
          } else if (kind === 'truncate') {
            index.truncateAfter(Math.max(start.index, last - count));
            list = list.slice(0, Math.max(0, list.length - count));
          } else if (kind === 'drop') {
            const dropped = list.slice(0, count);
            start = dropped.at(-1) ?? start;
            index.dropThrough(start.index);
            list = list.slice(dropped.length);
          } else {
            start = { index: last + count, term };
            index.restart(start.index, start.term);
            list = [];
          }
          const isRunStart = (at: number) => list[at]?.term !== list[at - 1]?.term;
          const runs = list.filter((_, at) => isRunStart(at));
          expect(index.termRuns()).toEqual(
            runs.map((first) => ({ firstIndex: first.index, term: first.term })),
          );
          expect([index.startIndex, index.lastIndex]).toEqual([
            start.index,
            start.index + list.length,
          ]);
          expect(index.term(start.index)).toBe(start.term);
          expect(index.term(start.index + list.length + 1)).toBeUndefined();
          expect(index.oldestSegment).toBe(list[0]?.segment);
          const found = list.map((entry) => ({
            index: entry.index,
            term: index.term(entry.index),
            segment: index.segment(entry.index),
            offset: index.offset(entry.index),
            checksum: index.checksum(entry.index),
          }));
          expect(found).toEqual(list);
        }
      }),
    );
  });
});
