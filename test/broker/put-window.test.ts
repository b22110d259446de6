import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AckHeader } from '../../broker/frame-encoder.ts';
import { LazySet } from '../../broker/lazy-set.ts';
import { PutWindow } from '../../broker/put-window.ts';

const newWindow = () =>
  new PutWindow({ capacityMax: 1_000, passAfterMs: 100, received: new LazySet() });

describe('PutWindow', () => {
  it('acknowledges each committed put once, in order until the oldest has waited, never a failed one', () => {
    type Step = { kind: 'begin' | 'commit' | 'fail'; pick: number } | { kind: 'wait'; ms: number };
    const step = fc.oneof<fc.Arbitrary<Step>[]>(
      fc.record({ kind: fc.constantFrom('begin' as const, 'commit' as const), pick: fc.nat() }),
      fc.record({ kind: fc.constantFrom('begin' as const, 'fail' as const), pick: fc.nat() }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(60) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const window = newWindow();
        let nowMs = 0;
        let nextId = 1;
        const open: { token: number; id: number; begunMs: number }[] = [];
        const earned = new Set<number>();
        for (const todo of steps) {
          if (todo.kind === 'wait') {
            nowMs += todo.ms;
          } else if (todo.kind === 'begin') {
            expect(window.repeats(nextId, 1)).toBe('no');
            open.push({ token: window.begin(nextId, 1, nowMs), id: nextId, begunMs: nowMs });
            expect(window.repeats(nextId, 1)).toBe('pending');
            nextId += 1;
          } else if (open.length > 0) {
            const [put] = open.splice(todo.pick % open.length, 1);
            if (put === undefined) continue;
            if (todo.kind === 'commit') {
              window.committed(put.token);
              earned.add(put.id);
            } else {
              window.failed(put.token);
            }
          }
          const oldest = open[0];
          window.collect(
            nowMs,
            (header, id) => {
              expect(header).toBe(AckHeader.puback);
              expect(earned.delete(id)).toBe(true);
              if (oldest !== undefined && id > oldest.id) {
                expect(nowMs - oldest.begunMs).toBeGreaterThanOrEqual(100);
              }
            },
            { anyOrder: false },
          );
          if (oldest === undefined || nowMs - oldest.begunMs >= 100) expect(earned.size).toBe(0);
          expect(window.outstanding).toBe(open.length);
        }
        window.collect(nowMs, (_header, id) => earned.delete(id), { anyOrder: true });
        expect(earned.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('knows pending packet ids however many there are', () => {
    const window = newWindow();
    const tokens = Array.from({ length: 500 }, (_, i) => window.begin(i + 1, 1, 0));
    for (let id = 1; id <= 500; id += 1) expect(window.repeats(id, 1)).toBe('pending');
    expect(window.repeats(501, 1)).toBe('no');
    for (const token of tokens) window.committed(token);
    window.collect(0, () => {}, { anyOrder: false });
    for (let id = 1; id <= 500; id += 1) expect(window.repeats(id, 1)).toBe('no');
  });

  it('is full at its capacity, QoS 0 included', () => {
    const window = new PutWindow({ capacityMax: 3, passAfterMs: 100, received: new LazySet() });
    window.begin(1, 1, 0);
    const token = window.begin(0, 0, 0);
    expect(window.full).toBe(false);
    window.begin(2, 2, 0);
    expect(window.full).toBe(true);
    window.committed(token);
    expect(window.full).toBe(false);
  });
});
