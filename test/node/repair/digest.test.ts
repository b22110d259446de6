import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNITS_PER_MS } from '../../../broker/data-plane.ts';
import type { Db } from '../../../lsm/db.ts';
import { digestSlots, digestState, STATE_PART } from '../../../node/repair/digest.ts';
import { compactionFilterModule } from '../../../node/retention/compaction-filter.ts';
import { encodeFilterState } from '../../../node/retention/filter-state.ts';
import { Retention } from '../../../node/retention/retention.ts';
import { EMPTY_SETTINGS } from '../../../node/settings/settings.ts';
import {
  engineKeyAt,
  isWholeSeriesKey,
  SERIES_SUFFIX_BYTES,
  Space,
  writeValueHeader,
} from '../../../node/shard/engine-key.ts';
import { Streams } from '../../../node/shard/streams.ts';
import { openSmall } from '../../lsm/engine-support.ts';
import { utf8 } from '../../support/text.ts';

const HOUR = 3_600_000 * UNITS_PER_MS;
const NOW = 1_000 * 24 * HOUR;
const rule = { prefix: '', keepMs: undefined, versions: 3, ttlMs: 0 };
const retention = Retention.initial.withRules(1, [rule], NOW - 30 * HOUR).withWatermark({
  version: NOW,
  cutoffs: [{ prefix: '', time: NOW - 10 * HOUR }],
  expiryFloor: 0,
});

interface Write {
  readonly key: string;
  readonly slot: number;
  readonly hoursAgo: number;
  readonly text: string;
}

const write: fc.Arbitrary<Write> = fc.record({
  key: fc.constantFrom('a', 'a/b', 'c'),
  slot: fc.constantFrom(4, 5, 6),
  hoursAgo: fc.integer({ min: 0, max: 25 }),
  // Empty: a deletion.
  text: fc.constantFrom('', 'x', 'y'.repeat(300)),
});

function put(db: Db, { key, slot, hoursAgo, text }: Write): void {
  const time = NOW - hoursAgo * HOUR;
  const engineKey = engineKeyAt(slot, Space.userValues, utf8(key), time);
  const stored = new Uint8Array(400);
  const header = writeValueHeader(stored, time, time, text === '');
  stored.set(utf8(text), header);
  db.put(engineKey, 0, engineKey.length, stored, 0, header + text.length);
}

/** Nothing is dropped before all is written: what comes behind a tombstone that is gone stands elsewhere. */
async function filled(writes: readonly Write[], afterEach: (db: Db, i: number) => Promise<void>) {
  let now = Retention.initial;
  const state = () => encodeFilterState([{ firstSlot: 0, slotCount: 256, retention: now }]);
  const { db } = await openSmall(undefined, {
    memtableBytes: 1_000_000,
    seriesSuffixBytes: SERIES_SUFFIX_BYTES,
    isWholeSeriesKey,
    compactionFilter: { module: compactionFilterModule, state },
  });
  for (const [i, each] of writes.entries()) {
    put(db, each);
    await afterEach(db, i);
  }
  now = retention;
  return db;
}

async function digest(db: Db, to = 8) {
  const snapshot = db.snapshot();
  const parts = await digestSlots(snapshot, { from: 4, to, retention }, async () => {});
  snapshot.close();
  return parts;
}

describe('a digest', () => {
  it('is the same however the same values are laid out, and whatever compaction has dropped', async () => {
    const histories = fc.array(fc.tuple(write, fc.constantFrom('', 'flush', 'compact')), {
      maxLength: 40,
    });
    let dropped = 0;
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const writes = history.map(([each]) => each);
        const plain = await filled(writes, async () => {});
        const worked = await filled(writes, async (db, i) => {
          const what = history[i]?.[1];
          if (what !== '') await db.flush();
          if (what === 'compact') await db.compactFully();
        });
        await worked.flush();
        dropped += (await worked.compactFully()).droppedEntries;
        expect(await digest(worked)).toEqual(await digest(plain));
        await Promise.all([plain.close(), worked.close()]);
      }),
      { numRuns: 60 },
    );
    expect(dropped).toBeGreaterThan(0);
  });

  it('is another one for another value, version, time or deletion, in the slot of the key', async () => {
    const own: Write = { key: 'a', slot: 5, hoursAgo: 1, text: 'x' };
    const before = await digest(await filled([own], async () => {}));
    for (const change of [{ text: 'z' }, { text: '' }, { hoursAgo: 2 }, { key: 'b' }]) {
      const after = await digest(await filled([{ ...own, ...change }], async () => {}));
      const differing = after.filter(({ crc }, i) => crc !== before[i]?.crc);
      expect(differing.map(({ slot }) => slot)).toEqual([5]);
    }
    expect(before.map(({ slot, entries }) => [slot, entries])).toEqual([
      ...[
        [4, 0],
        [5, 1],
        [6, 0],
        [7, 0],
      ],
    ]);
  });

  it('of the state does not depend on the order in which streams came', () => {
    const stream = { startCounter: 1, number: 7 };
    const state = (...nodes: string[]) => ({
      ...{ appliedIndex: 9, appliedTerm: 2, highestVersion: NOW, retention },
      streams: new Streams(nodes.map((node) => [node, stream] as const)),
      settings: EMPTY_SETTINGS,
    });
    const one = digestState(state('a', 'b'));
    expect(one).toMatchObject({ slot: STATE_PART, entries: 2 });
    expect(digestState(state('b', 'a'))).toEqual(one);
    expect(digestState(state('b', 'c')).crc).not.toBe(one.crc);
  });
});
