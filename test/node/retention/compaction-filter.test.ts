import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNITS_PER_MS } from '../../../broker/data-plane.ts';
import {
  compactionFilterModule,
  createCompactionFilter,
} from '../../../node/retention/compaction-filter.ts';
import { decodeFilterState, encodeFilterState } from '../../../node/retention/filter-state.ts';
import { Retention } from '../../../node/retention/retention.ts';
import {
  decodeValue,
  ENGINE_KEY_BYTES_MAX,
  engineKeyAt,
  Space,
  writeExpiryKey,
  writeValueHeader,
} from '../../../node/shard/engine-key.ts';
import { utf8 } from '../../support/text.ts';

const HOUR = 3_600_000 * UNITS_PER_MS;
const DAY = 24 * HOUR;
const NOW = 1_000 * DAY;
const KEY = utf8('plant1/a');

const fresh = Retention.initial;
const dayOld = fresh.withWatermark({
  version: NOW,
  cutoffs: [{ prefix: '', time: NOW - DAY }],
  expiryFloor: NOW - DAY,
});

const stateOf = (retention: Retention, firstSlot = 0, slotCount = 256) =>
  encodeFilterState([{ firstSlot, slotCount, retention }]);

interface Given {
  readonly time: number;
  /** Where it is not the time. */
  readonly version?: number;
  readonly tombstone?: boolean;
  readonly slot?: number;
  readonly space?: number;
  readonly key?: Uint8Array;
}

function judge(state: Uint8Array, oldestState: Uint8Array, entries: readonly Given[]): string[] {
  const filter = createCompactionFilter(state, oldestState);
  return entries.map((entry) => {
    const { time, version = time, tombstone = false, slot = 7, space = 0, key = KEY } = entry;
    // As ranges in the midst of something, as the engine hands them in.
    const engineKey = Buffer.concat([utf8('??'), engineKeyAt(slot, space, key, time), utf8('??')]);
    const header = new Uint8Array(64);
    writeValueHeader(header, version, time, tombstone, 0, header, 0, 0);
    const value = Buffer.concat([utf8('?'), header]);
    return filter.judge(engineKey, 2, engineKey.length - 2, value, 1, value.length);
  });
}

describe('a compaction', () => {
  const state = stateOf(dayOld);

  it('keeps what may be the newest, and drops what is hidden behind it', () => {
    const times = [NOW - DAY - 1, NOW - DAY - 2].map((time) => ({ time }));
    expect(judge(state, state, times)).toEqual(['keep', 'drop']);
    const other = { time: NOW - 3 * DAY, key: utf8('plant1/b') };
    expect(judge(state, state, [...times, other])).toEqual(['keep', 'drop', 'keep']);
    expect(judge(state, state, [{ time: NOW - DAY }, { time: NOW - DAY }])).toEqual([
      ...['keep', 'keep'],
    ]);
  });

  it('drops an old tombstone if nothing is left that it hides', () => {
    const deleted = [{ time: NOW - 2 * DAY, tombstone: true }, { time: NOW - 3 * DAY }];
    expect(judge(state, state, deleted)).toEqual(['drop-if-alone', 'drop']);
    expect(judge(state, stateOf(fresh), deleted), 'a memtable may be older').toEqual([
      ...['keep', 'drop'],
    ]);
    expect(judge(state, new Uint8Array(0), deleted), 'nobody knows').toEqual(['keep', 'drop']);
    expect(judge(state, state, [{ time: NOW - DAY, tombstone: true }])).toEqual(['keep']);
  });

  it('keeps a late tombstone as long as one without an event time, and nothing behind it', () => {
    const late = { time: NOW - 2 * DAY, version: NOW - HOUR / 2, tombstone: true };
    const deleted = [late, { time: NOW - 3 * DAY }];
    const dayLater = dayOld.withWatermark({
      version: NOW + DAY,
      cutoffs: [{ prefix: '', time: NOW }],
      expiryFloor: NOW,
    });
    const later = stateOf(dayLater);
    expect(judge(state, state, deleted)).toEqual(['keep', 'drop']);
    expect(judge(later, state, deleted), 'a memtable may be older').toEqual(['keep', 'drop']);
    expect(judge(later, later, deleted)).toEqual(['drop-if-alone', 'drop']);
  });

  it('keeps what belongs to shards that it knows nothing of, and to other spaces', () => {
    const here = stateOf(dayOld, 8, 2);
    const times = [NOW - 2 * DAY, NOW - 3 * DAY];
    const inSlot = (slot: number, space = 0) =>
      judge(
        here,
        here,
        times.map((time) => ({ time, slot, space })),
      );
    expect([7, 8, 9, 10].map((slot) => inSlot(slot)[1])).toEqual(['keep', 'drop', 'drop', 'keep']);
    expect(inSlot(8, 2)).toEqual(['keep', 'keep']);
  });

  it('drops from the list of expiries what is settled', () => {
    const filter = createCompactionFilter(state, state);
    const verdicts = [NOW - DAY - 1, NOW - DAY].map((expiresAt) => {
      const key = new Uint8Array(ENGINE_KEY_BYTES_MAX);
      const length = writeExpiryKey(key, 7, expiresAt, KEY, 0, KEY.length, NOW - 5 * DAY);
      return filter.judge(key, 0, length, new Uint8Array(0), 0, 0);
    });
    expect(verdicts).toEqual(['drop', 'keep']);
  });

  it('reads times, versions and tombstones as engine-key.ts writes them', () => {
    const rule = { prefix: '', keepMs: undefined, versions: 1, ttlMs: 0 };
    const moreLater = fresh
      .withRules(1, [rule], NOW)
      .withRules(2, [{ ...rule, versions: 2 }], NOW + 1);
    const bytes = stateOf(moreLater);
    const version = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 });
    fc.assert(
      fc.property(version, fc.boolean(), fc.boolean(), fc.boolean(), (v, timed, expires, token) => {
        const filter = createCompactionFilter(bytes, bytes);
        const time = timed ? Math.floor(v / 2) : v;
        const first = engineKeyAt(3, Space.userValues, KEY, time + 1);
        const second = engineKeyAt(3, Space.userValues, KEY, time);
        const header = new Uint8Array(64);
        writeValueHeader(header, v, time, false, expires ? v : 0, header, 0, token ? 16 : 0);
        expect(decodeValue(header, time).version).toBe(v);
        filter.judge(first, 0, first.length, header, 0, header.length);
        const verdict = filter.judge(second, 0, second.length, header, 0, header.length);
        // Of the values up to this version only one is seen.
        expect(verdict).toBe(v <= NOW + 1 ? 'drop' : 'keep');
      }),
    );
  });

  it('can be found where it runs', async () => {
    const module = (await import(compactionFilterModule)) as object;
    expect(Object.keys(module)).toContain('createCompactionFilter');
  });
});

it('the state says of each slot what its shard hides', () => {
  const shards = [
    { firstSlot: 0, slotCount: 2, retention: dayOld },
    { firstSlot: 200, slotCount: 56, retention: fresh },
  ];
  const bySlot = decodeFilterState(encodeFilterState(shards));
  expect(bySlot.map((retention) => retention !== undefined).filter(Boolean)).toHaveLength(58);
  expect(bySlot[1]?.equals(dayOld)).toBe(true);
  expect(bySlot[2]).toBeUndefined();
  expect(bySlot[255]?.equals(fresh)).toBe(true);
  expect(decodeFilterState(stateOf(fresh)).every((retention) => retention?.equals(fresh))).toBe(
    true,
  );
  expect(decodeFilterState(new Uint8Array(0)).every((retention) => retention === undefined)).toBe(
    true,
  );
});
