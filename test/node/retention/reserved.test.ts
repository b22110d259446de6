import { expect, it } from 'vitest';
import { keyBytes, ownerOf, tableKey } from '../../../broker/reserved-keys.ts';
import { Retention } from '../../../node/retention/retention.ts';
import { SeriesFilter } from '../../../node/retention/series-filter.ts';
import { utf8 } from '../support.ts';

const KEY = keyBytes(tableKey('session', ownerOf('client')));
const FOR_EVER = { prefix: '', keepMs: undefined, versions: 100, ttlMs: 1_000 };

it('of a reserved key only the newest value is kept, whatever the rules are', () => {
  for (const retention of [Retention.initial, Retention.initial.withRules(1, [FOR_EVER], 10)]) {
    const filter = new SeriesFilter();
    filter.reset(retention.of(KEY));
    expect([30, 20, 10].map((time) => filter.sees(time, time, false))).toEqual([
      true,
      false,
      false,
    ]);
    expect(retention.of(KEY).ttlMs).toBe(0);
  }
});

it('its tombstones leave when those of others do', () => {
  const hour = 3_600_000 * 4096;
  const watermark = { cutoffs: [{ prefix: '', time: 5 * hour }], expiryFloor: 0 };
  const retention = Retention.initial.withWatermark({ ...watermark, version: 10 * hour });
  expect(retention.of(KEY).tombstoneCutoff).toBe(5 * hour);
  expect(retention.of(KEY).tombstoneCutoff).toBe(retention.of(utf8('any')).tombstoneCutoff);
});
