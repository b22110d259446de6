import { describe, expect, it } from 'vitest';
import type { Watch, WatchedValue, WatchPosition } from '../../../broker/data-plane.ts';
import { ShardMap } from '../../../node/dataplane/shard-map.ts';
import { Watches } from '../../../node/dataplane/watches.ts';
import { createGenesis } from '../../../node/membership/genesis.ts';
import type { ShardHost } from '../../../node/shard/host.ts';
import { WatchFeed } from '../../../node/shard/watch-feed.ts';
import type { RpcBody, RpcHub } from '../../../node/transport/rpc.ts';
import type { cluster } from '../../../protos/index.ts';
import { FakeEnv, settled } from '../fake-env.ts';
import { batchOf, openEngine, stateMachine, text, utf8, writeEntry } from '../support.ts';

const GROUP = 1;
const WATCHER = 3;

/** The node `self` of a cluster of it, a, b, c and d, which may have the only shard's replica. */
class Fixture {
  readonly world = new FakeEnv();
  readonly map: ShardMap;
  readonly watches: Watches;
  readonly told: string[] = [];
  readonly posted: { readonly node: string; readonly id: number; readonly body: RpcBody }[] = [];
  readonly #state: ReturnType<typeof stateMachine>;
  #replica: ReturnType<Fixture['newReplica']> | undefined;
  #number = 0;
  #ids = 100;

  /** Its shard has a leader, if nothing else is said. */
  static async open({ isLed = true } = {}): Promise<Fixture> {
    const fixture = new Fixture(await openEngine());
    if (isLed) fixture.map.report(GROUP, { node: 'a', term: 1 });
    return fixture;
  }

  private constructor(engine: Awaited<ReturnType<typeof openEngine>>) {
    const nodes = ['a', 'b', 'c'].map((node) => ({ node, name: node, mqttAddress: '' }));
    const genesis = { clusterId: 'x', nowMs: 1, replicationFactor: 3, shardCount: 1, nodes };
    const others = ['a', 'b', 'c', 'd'];
    this.map = new ShardMap(createGenesis(genesis), { has: () => true, others: () => others });
    this.#state = stateMachine(engine);
    const rpc = {
      newId: () => this.#ids++,
      post: (node: string, _channel: string, id: number, body: RpcBody) =>
        void this.posted.push({ node, id, body }),
    };
    this.watches = new Watches({
      own: 'self',
      env: this.world.env,
      host: { replica: () => this.#replica, touch: () => {} } as unknown as ShardHost,
      engine,
      map: this.map,
      rpc: rpc as unknown as RpcHub,
    });
  }

  newReplica() {
    return {
      feed: new WatchFeed(),
      state: this.#state,
      identity: { group: GROUP, firstSlot: 0, slotCount: 256 },
      readIndex: () => Promise.resolve(0),
      whenApplied: () => Promise.resolve(true),
    };
  }

  comes(): WatchFeed {
    this.#replica = this.newReplica();
    return this.#replica.feed;
  }

  goes(): void {
    const feed = this.#replica?.feed;
    this.#replica = undefined;
    feed?.closeAll();
  }

  put(key: string, value: string): void {
    const index = this.#state.appliedIndex + 1;
    const batch = batchOf([[key, value]], { number: ++this.#number });
    const nobody = new WatchFeed();
    const feed = this.#replica?.feed ?? nobody;
    this.#state.apply(writeEntry(index, batch, index * 1_000), feed);
    feed.entryApplied(index);
  }

  watch(after?: WatchPosition): Watch {
    const watcher = {
      value: ({ key, value, version }: WatchedValue) => {
        this.told.push(`${text(key)}=${text(value)} ${version}`);
        return undefined;
      },
      snapshotDone: () => void this.told.push('snapshot done'),
    };
    return this.watches.open('#', watcher, after);
  }

  /** Lets everything that is due happen. */
  async pass(ms = 0): Promise<void> {
    await settled();
    this.world.turn();
    this.world.pass(ms);
    await settled();
  }

  /** Requests to serve a watch since the last call: node and highest version delivered. */
  opened(): string[] {
    const all = this.posted.splice(0).filter(({ body }) => body.watchOpen != null);
    this.lastId = all.at(-1)?.id ?? this.lastId;
    return all.map(({ node, body }) => `${node} after ${body.watchOpen?.after ?? 0}`);
  }

  lastId = 0;

  refuse(node: string, row?: cluster.MapRow.$Properties): void {
    const close = { reason: 'no replica here', ...(row === undefined ? {} : { row }) };
    this.watches.closedBy(node, this.lastId, close);
  }

  /** The node answers with a snapshot of one value. */
  serve(node: string, key: string, version: number): void {
    const item = { value: utf8('remote'), time: version, deleted: false, expiresAt: 0 };
    this.watches.eventsArrived(node, this.lastId, {
      fromIndex: 0,
      toIndex: version,
      snapshot: true,
      snapshotDone: true,
      highestVersion: version,
      items: [{ key: utf8(key), version, ...item }],
    });
  }
}

describe('a watch that the replica of this node serves', () => {
  it('goes on here, without a gap and nothing twice, when that has taken over a snapshot', async () => {
    const fixture = await Fixture.open();
    const feed = fixture.comes();
    fixture.put('x', '1');
    fixture.watch();
    await fixture.pass();
    fixture.put('y', '2');
    feed.closeAll();
    fixture.put('x', '3');
    await fixture.pass();
    fixture.put('y', '4');
    expect(fixture.told).toEqual(['x=1 1000', 'snapshot done', 'y=2 2000', 'x=3 3000', 'y=4 4000']);
    expect(fixture.opened()).toEqual([]);
  });

  it('goes on elsewhere when that leaves, after the highest version delivered', async () => {
    const fixture = await Fixture.open();
    fixture.comes();
    fixture.put('x', '1');
    fixture.watch();
    await fixture.pass();
    fixture.put('y', '2');
    fixture.map.report(GROUP, { node: 'd', term: 4 });
    fixture.goes();
    await fixture.pass();
    expect(fixture.opened()).toEqual(['d after 2000']);
    fixture.serve('d', 'z', 5_000);
    expect(fixture.told.slice(2)).toEqual(['y=2 2000', 'z=remote 5000']);
  });

  it('is not opened twice when it ends in the middle of its snapshot', async () => {
    const fixture = await Fixture.open();
    fixture.comes();
    fixture.put('x', '1');
    fixture.watch();
    fixture.goes();
    await fixture.pass();
    await fixture.pass(1_000);
    expect(fixture.opened()).toHaveLength(1);
  });
});

describe('a watch that goes on after an earlier one', () => {
  it('is told what has changed since that one said how far it was', async () => {
    const fixture = await Fixture.open();
    fixture.comes();
    fixture.put('x', '1');
    fixture.put('y', '2');
    const earlier = fixture.watch();
    expect(earlier.position()).toEqual(new Map());
    await fixture.pass();
    fixture.put('x', '3');
    const position = earlier.position();
    expect(position).toEqual(new Map([[GROUP, 3_000]]));
    earlier.close();
    fixture.put('y', '');
    fixture.put('z', '5');
    fixture.told.length = 0;
    const later = fixture.watch(position);
    expect(later.position()).toEqual(position);
    await fixture.pass();
    expect(fixture.told).toEqual(['y= 4000', 'z=5 5000', 'snapshot done']);
    expect(later.position()).toEqual(new Map([[GROUP, 5_000]]));
  });

  it('asks another node for that as well', async () => {
    const fixture = await Fixture.open();
    fixture.watch(new Map([[GROUP, 7_000]]));
    await fixture.pass();
    expect(fixture.opened()).toEqual(['a after 7000']);
  });
});

describe('a watch that another node serves', () => {
  it('is asked for when the shard has its first leader, not before', async () => {
    const fixture = await Fixture.open({ isLed: false });
    fixture.watch();
    await fixture.pass(1_000);
    expect(fixture.opened()).toEqual([]);
    fixture.map.report(GROUP, { node: 'b', term: 1 });
    await fixture.pass(200);
    expect(fixture.opened()).toEqual(['b after 0']);
  });

  it('comes here at its next opening, if a replica has', async () => {
    const fixture = await Fixture.open();
    fixture.watch();
    await fixture.pass();
    const [first = ''] = fixture.opened();
    fixture.serve(first.slice(0, 1), 'x', 1);
    fixture.comes();
    fixture.put('y', '2');
    await fixture.pass(1_000);
    expect(fixture.opened(), 'not as long as it is served').toEqual([]);
    fixture.refuse(first.slice(0, 1));
    await fixture.pass(200);
    expect(fixture.opened()).toEqual([]);
    expect(fixture.told).toEqual(['x=remote 1', 'snapshot done', 'y=2 1000']);
  });

  it('goes where a refusal says that the leader is', async () => {
    const fixture = await Fixture.open();
    fixture.watch();
    await fixture.pass();
    const [first = ''] = fixture.opened();
    fixture.refuse(first.slice(0, 1), { leaderNode: 'd', leaderTerm: 4 });
    await fixture.pass(200);
    expect(fixture.opened()).toEqual(['d after 0']);
  });

  it('goes to every replica, and then to every other member, before one is asked again', async () => {
    const fixture = await Fixture.open();
    fixture.watch();
    await fixture.pass();
    const asked: string[] = [];
    for (let i = 0; i < 8; i++) {
      const [open = ''] = fixture.opened();
      asked.push(open.slice(0, 1));
      fixture.refuse(open.slice(0, 1));
      await fixture.pass(200);
    }
    expect(asked.slice(0, 3).sort()).toEqual(['a', 'b', 'c']);
    expect(asked[3]).toBe('d');
    expect(asked.slice(4)).toEqual(asked.slice(0, 4));
  });

  it('leaves a node that has served it and fails for the next', async () => {
    const fixture = await Fixture.open();
    fixture.map.report(GROUP, { node: 'b', term: 4 });
    fixture.watch();
    await fixture.pass();
    expect(fixture.opened()).toEqual(['b after 0']);
    fixture.serve('b', 'x', 700);
    fixture.watches.nodeUnreachable('b');
    await fixture.pass(200);
    const [second = ''] = fixture.opened();
    expect(second).toMatch(/^[ac] after 700$/);
  });
});

describe('a watch that this node serves to another', () => {
  const request = { group: GROUP, filters: ['#'], after: 0, creditBytes: 10_000 };

  it('is refused when the replica leaves, with what is known of the group', async () => {
    const fixture = await Fixture.open();
    fixture.comes();
    fixture.map.report(GROUP, { node: 'd', term: 4 });
    await fixture.watches.serve('c', WATCHER, request);
    await settled();
    fixture.posted.length = 0;
    fixture.goes();
    expect(fixture.posted).toHaveLength(1);
    const [{ node, id, body }] = fixture.posted as [(typeof fixture.posted)[number]];
    expect([node, id, body.watchClose?.row?.leaderNode]).toEqual(['c', WATCHER, 'd']);
    expect(body.watchClose?.reason).not.toBe('');
    fixture.world.pass(2_000);
    expect(fixture.posted, 'nothing more comes').toHaveLength(1);
  });

  it('is refused when the replica leaves while the leader confirms the read', async () => {
    const fixture = await Fixture.open();
    fixture.comes();
    const serving = fixture.watches.serve('c', WATCHER, request);
    fixture.goes();
    await serving;
    expect(fixture.posted.map(({ body }) => body.watchClose?.reason)).toEqual([
      'its replica is not here any more',
    ]);
  });
});
