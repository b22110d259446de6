import { describe, expect, it } from 'vitest';
import type { ShardMap } from '../../../node/dataplane/shard-map.ts';
import { Watches } from '../../../node/dataplane/watches.ts';
import { Retention } from '../../../node/retention/retention.ts';
import type { ShardHost } from '../../../node/shard/host.ts';
import { WatchFeed } from '../../../node/shard/watch-feed.ts';
import type { RpcBody, RpcHub } from '../../../node/transport/rpc.ts';
import { FakeEnv, settled } from '../fake-env.ts';
import { openEngine } from '../support.ts';

const SAME_ID = 5;

/** Node `a`, which serves a watch of group 1 to `b` and watches group 2 at `b`, both under one number. */
async function watchingEachOther() {
  const world = new FakeEnv();
  const feed = new WatchFeed();
  const replica = {
    feed,
    state: { appliedIndex: 0, highestVersion: 0, retention: Retention.initial },
    identity: { group: 1, firstSlot: 0, slotCount: 256 },
    readIndex: () => Promise.resolve(0),
    whenApplied: () => Promise.resolve(true),
  };
  const host = { replica: (group: number) => (group === 1 ? replica : undefined), touch: () => {} };
  const map = {
    groupOf: () => 2,
    shards: () => [{ group: 2 }],
    allCandidates: () => ['b'],
    find: () => undefined,
    leaderOf: () => 'b',
  };
  const posted: RpcBody[] = [];
  const rpc = {
    newId: () => SAME_ID,
    post: (_node: string, _channel: string, _id: number, body: RpcBody) => void posted.push(body),
  };
  const watches = new Watches({
    own: 'a',
    env: world.env,
    host: host as unknown as ShardHost,
    engine: await openEngine(),
    map: map as unknown as ShardMap,
    rpc: rpc as unknown as RpcHub,
  });
  watches.open('#', { value: () => undefined, snapshotDone: () => {} });
  await watches.serve('b', SAME_ID, { group: 1, filters: ['#'], after: 0, creditBytes: 1_000 });
  await settled();
  expect(feed.wantsWrites).toBe(true);
  const opened = () => posted.filter(({ watchOpen }) => watchOpen != null).length;
  return { world, watches, feed, opened };
}

describe('two nodes that watch each other under one number', () => {
  it('end the watch that is meant when the server cannot go on', async () => {
    const { world, watches, feed, opened } = await watchingEachOther();
    watches.closedBy('b', SAME_ID, { reason: 'no replica here' });
    world.pass(1_000);
    await settled();
    expect(opened()).toBe(2);
    expect(feed.wantsWrites, 'what this node serves').toBe(true);
  });

  it('end the watch that is meant when the watcher is not interested any more', async () => {
    const { world, watches, feed, opened } = await watchingEachOther();
    watches.closedBy('b', SAME_ID, { reason: '' });
    world.pass(1_000);
    await settled();
    expect(opened()).toBe(1);
    expect(feed.wantsWrites).toBe(false);
  });

  it('serve it once though the request comes twice', async () => {
    const { watches, feed } = await watchingEachOther();
    await watches.serve('b', SAME_ID, { group: 1, filters: ['#'], after: 0, creditBytes: 1_000 });
    watches.closedBy('b', SAME_ID, { reason: '' });
    expect(feed.wantsWrites).toBe(false);
  });
});
