import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../../lsm/bytes.ts';
import { slotOf } from '../../../node/ring/slots.ts';
import { readCurrent, scanCurrent } from '../../../node/shard/current-values.ts';
import {
  batchOf,
  NOBODY_WATCHES,
  noPause,
  openEngine,
  stateMachine,
  text,
  utf8,
  writeEntry,
} from '../support.ts';

describe('the current values of a shard', () => {
  it('are those of a map that took the same writes, in byte order, for every prefix and start', async () => {
    const level = fc.constantFrom('', 'a', 'b', 'a b', 'a0', 'a.', '\u0001', 'ü');
    const key = fc
      .array(level, { minLength: 1, maxLength: 3 })
      .map((levels) => levels.join('/'))
      .filter((name) => name.length > 0);
    const write = fc.tuple(key, fc.constantFrom('', '1', '2', '3'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { maxLength: 40 }),
        fc.option(key, { nil: '' }),
        fc.option(key, { nil: '' }),
        async (writes, prefix, after) => {
          const engine = await openEngine();
          const machine = stateMachine(engine);
          const model = new Map<string, string>();
          for (const [i, [name, value]] of writes.entries()) {
            const batch = batchOf([[name, value]], { number: i + 1 });
            machine.apply(writeEntry(i + 1, batch, (i + 1) * 10), NOBODY_WATCHES);
            model.set(name, value);
          }
          const expected = [...model]
            .filter(([name]) => prefix === '' || name === prefix || name.startsWith(`${prefix}/`))
            .filter(([name]) => after === '' || compareBytes(utf8(name), utf8(after)) > 0)
            .sort(([a], [b]) => compareBytes(utf8(a), utf8(b)));
          const snapshot = engine.snapshot();
          const found: [string, string][] = [];
          for (let slot = 0; slot < 256; slot++) {
            const range = { prefix: utf8(prefix), after: utf8(after) };
            const before = found.length;
            await scanCurrent(snapshot, slot, range, noPause, (item) => {
              expect(item.deleted).toBe(item.value.length === 0);
              found.push([text(item.key), text(item.value)]);
              return true;
            });
            const own = found.slice(before).map(([name]) => utf8(name));
            expect(own).toEqual([...own].sort(compareBytes));
          }
          found.sort(([a], [b]) => compareBytes(utf8(a), utf8(b)));
          expect(found).toEqual(expected);
          for (const [name, value] of model) {
            const bytes = utf8(name);
            const one = await readCurrent(snapshot, slotOf(bytes, 0, bytes.length), bytes);
            expect(text(one?.value ?? new Uint8Array(0))).toBe(value);
          }
          snapshot.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are visited until the visitor has enough', async () => {
    const engine = await openEngine();
    const machine = stateMachine(engine);
    const slot = slotOf(utf8('k'), 0, 1);
    const names = Array.from({ length: 5_000 }, (_, i) => `k${i}`).filter(
      (name) => slotOf(utf8(name), 0, name.length) === slot,
    );
    const batch = batchOf(
      names.map((name) => [name, 'v'] as const),
      { number: 1 },
    );
    machine.apply(writeEntry(1, batch, 1), NOBODY_WATCHES);
    const snapshot = engine.snapshot();
    let visits = 0;
    const everything = { prefix: new Uint8Array(0), after: new Uint8Array(0) };
    await scanCurrent(snapshot, slot, everything, noPause, () => ++visits < 3);
    expect(names.length).toBeGreaterThan(3);
    expect(visits).toBe(3);
    snapshot.close();
  });
});
