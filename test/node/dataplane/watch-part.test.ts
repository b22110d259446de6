import { expect, it } from 'vitest';
import type { WatchedValue } from '../../../broker/data-plane.ts';
import { WatchPart } from '../../../node/dataplane/watch-part.ts';
import type { WatchBatch } from '../../../node/shard/watch-feed.ts';

function watching() {
  const told: WatchedValue[] = [];
  const part = new WatchPart({
    group: 1,
    filter: '#',
    watcher: { value: (item) => void told.push(item), snapshotDone: () => {} },
    snapshotDone: () => {},
    unserved: () => {},
  });
  return { part, told };
}

const item = {
  key: Buffer.from('a'),
  value: Buffer.from('1'),
  version: 7,
  time: 7,
  deleted: false,
};
const batch = { fromIndex: 0, toIndex: 1, highestVersion: 7 };

it('tells all who watch a change the same object, so that it is encoded once', () => {
  const watchers = Array.from({ length: 3 }, watching);
  const change = { ...item, snapshot: false } as const;
  const changes: WatchBatch = { ...batch, snapshot: false, snapshotDone: false, items: [change] };
  for (const { part } of watchers) void part.deliver(changes);
  for (const { told } of watchers) expect(told[0]).toBe(change);
});

it('says of current values that they are no change', () => {
  const { part, told } = watching();
  void part.deliver({ ...batch, snapshot: true, snapshotDone: true, items: [item] });
  expect(told).toEqual([{ ...item, snapshot: true }]);
});
