import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../broker/limits.ts';
import { WriteBehind } from '../../../broker/stored/write-behind.ts';
import { utf8 } from '../../node/support.ts';
import { FakeDataPlane } from '../../support/fake-data-plane.ts';
import { BrokerWorld } from './store-harness.ts';

function openWrites(limits = {}) {
  const world = new BrokerWorld();
  const dataPlane = new FakeDataPlane();
  const writes = new WriteBehind({
    env: world.env,
    dataPlane,
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
  const outcomes: string[] = [];
  /** `key` is `owner/name`. */
  const add = (key: string, value: string, isQueued = false) =>
    writes.add({
      owner: key.split('/')[0] as string,
      key,
      name: key,
      value: utf8(value),
      expiresAtMs: undefined,
      isQueued,
      settled: ({ kind }) => void outcomes.push(`${key}=${value} ${kind}`),
    });
  const written = () => dataPlane.writes.map(({ key, value }) => `${key}=${value}`);
  const failAll = () => {
    while (dataPlane.held.length > 0) dataPlane.fail('no-quorum');
  };
  return { world, dataPlane, writes, outcomes, add, written, failAll };
}

describe('writes that nobody waits for', () => {
  it('are stored in order for each owner, of each key the newest', async () => {
    const { world, dataPlane, add, written, outcomes } = openWrites();
    dataPlane.hold = true;
    add('o/a', '1');
    await world.pass();
    add('o/a', '2');
    add('o/b', '1');
    add('o/a', '3');
    add('other/a', '1');
    await world.pass();
    expect(written()).toEqual(['o/a=1', 'other/a=1']);
    dataPlane.commitAll();
    await world.pass();
    expect(written().slice(2)).toEqual(['o/b=1', 'o/a=3']);
    dataPlane.commitAll();
    expect(outcomes).toEqual(['o/a=1 stored', 'other/a=1 stored', 'o/b=1 stored', 'o/a=3 stored']);
  });

  it('are kept without a quorum and tried again, in order, until they are stored', async () => {
    const { world, dataPlane, writes, add, written, failAll } = openWrites();
    dataPlane.hold = true;
    for (const key of ['o/a', 'o/b', 'o/c']) add(key, '1');
    await world.pass();
    expect(writes.isStoring).toBe(true);
    add('o/b', '2');
    failAll();
    expect(writes.isStoring).toBe(false);
    dataPlane.hold = false;
    await world.pass(500);
    add('o/d', '1');
    await world.pass(500);
    expect(written().slice(3)).toEqual(['o/a=1', 'o/c=1', 'o/b=2', 'o/d=1']);
    expect(writes.isStoring).toBe(true);
    add('o/a', '9');
    await world.pass();
    expect(written().at(-1)).toBe('o/a=9');
  });

  it('are dropped when the store has had no room for some minutes, and what makes room is stored', async () => {
    const { world, dataPlane, writes, add, outcomes } = openWrites();
    dataPlane.full = true;
    add('o/a', '1');
    add('o/b', '1', true);
    add('o/c', '');
    await world.pass(60_000);
    expect(outcomes).toEqual(['o/c= stored']);
    const perMinute = dataPlane.writes.length;
    expect(perMinute).toBeLessThan(15);
    await world.pass(240_000);
    expect(outcomes.sort()).toEqual(['o/a=1 dropped', 'o/b=1 dropped', 'o/c= stored']);
    const tries = dataPlane.writes.length;
    await world.pass(240_000);
    expect(dataPlane.writes).toHaveLength(tries);
    expect(writes.isStoring).toBe(true);
    dataPlane.full = false;
    add('o/a', '2');
    await world.pass();
    expect(outcomes.at(-1)).toBe('o/a=2 stored');
  });

  it('have no quorum when they wait for one, before anybody says so', async () => {
    const { world, dataPlane, writes, add } = openWrites();
    dataPlane.hold = true;
    add('o/a', '1');
    await world.pass(3_000);
    expect(writes.isStoring).toBe(false);
    dataPlane.commitAll();
    expect(writes.isStoring).toBe(true);
  });

  it('give way when there are too many: the oldest queued ones first, what is under way too', async () => {
    const { world, dataPlane, add, written, outcomes, failAll } = openWrites({
      unstoredWritesMax: 3,
    });
    dataPlane.hold = true;
    add('o/record', '1');
    add('o/q1', '1', true);
    await world.pass();
    add('o/q2', '1', true);
    add('o/q3', '1', true);
    expect(outcomes).toEqual(['o/q1=1 dropped']);
    add('o/record2', '1');
    add('o/record3', '1');
    add('o/record4', '1');
    expect(outcomes.slice(1)).toEqual(['o/q2=1 dropped', 'o/q3=1 dropped', 'o/record=1 dropped']);
    failAll();
    dataPlane.hold = false;
    await world.pass(1_000);
    expect(written().slice(2)).toEqual(['o/record2=1', 'o/record3=1', 'o/record4=1']);
  });

  it('are bounded in bytes', () => {
    const { add, outcomes } = openWrites({ unstoredBytesMax: 1_000 });
    add('o/q1', 'x'.repeat(600), true);
    add('o/q2', 'x'.repeat(600), true);
    expect(outcomes).toEqual([`o/q1=${'x'.repeat(600)} dropped`]);
  });

  it('wait while the data plane has no room', async () => {
    const { world, dataPlane, writes, add, written } = openWrites();
    dataPlane.room = false;
    for (const owner of ['a', 'b']) add(`${owner}/k`, '1');
    await world.pass();
    expect(written()).toEqual(['a/k=1']);
    writes.writesDrained();
    await world.pass();
    expect(written()).toEqual(['a/k=1', 'b/k=1']);
  });

  it('go nowhere any more when the node stops', async () => {
    const { world, dataPlane, add, written } = openWrites();
    dataPlane.hold = true;
    add('o/a', '1');
    await world.pass();
    dataPlane.fail('stopping');
    add('o/a', '2');
    await world.pass(5_000);
    expect(written()).toEqual(['o/a=1']);
  });
});
