import { describe, expect, it } from 'vitest';
import {
  removeRetention,
  type Settings,
  type SettingsEdit,
  setRetention,
} from '../../../node/settings/settings.ts';
import { FakeMetaGroup } from './meta-group.ts';
import { nodeRow } from './node-rows.ts';
import { ingest, retention } from './rules.ts';

const set =
  (prefix: string, days?: number): SettingsEdit =>
  (settings) =>
    setRetention(settings, retention(prefix, days));
const remove =
  (prefix: string): SettingsEdit =>
  (settings) =>
    removeRetention(settings, prefix);

const prefixes = (settings: Settings | undefined) =>
  settings?.retention.map(({ prefix }) => prefix);

function threeAndOne(): FakeMetaGroup {
  return new FakeMetaGroup({ meta: ['a', 'b', 'c'], others: ['d'] });
}

/** Somebody else's change; the nodes without a replica do not hear of it. */
function addElsewhere(group: FakeMetaGroup, prefix: string): void {
  group.commit((settings) => setRetention(settings, retention(prefix)).settings ?? settings);
}

describe('a change', () => {
  it.each(['a', 'b', 'd'])('is made from any node: %s', async (node) => {
    const group = threeAndOne();
    const outcome = await group.until(group.service(node).change(set('plant1')));
    expect(outcome).toEqual({ kind: 'settled', settings: group.committed });
    expect(prefixes(group.committed)).toEqual(['plant1']);
    expect(group.committed.revision).toBe(1);
    expect(group.service(node).current).toEqual(group.committed);
    expect(group.proposalCount).toBe(1);
  });

  it('is made of the newest settings, when its node knows old ones', async () => {
    const group = threeAndOne();
    addElsewhere(group, 'plant1');
    const outcome = await group.until(group.service('d').change(set('plant2')));
    expect(outcome).toEqual({ kind: 'settled', settings: group.committed });
    expect(prefixes(group.committed)).toEqual(['plant1', 'plant2']);
  });

  it('is refused by what holds now, not by what its node knows', async () => {
    const group = threeAndOne();
    addElsewhere(group, 'plant1');
    const removed = await group.until(group.service('d').change(remove('plant1')));
    expect(removed.kind).toBe('settled');
    expect(prefixes(group.committed)).toEqual([]);
    const again = await group.until(group.service('d').change(remove('plant1')));
    expect(again).toMatchObject({ kind: 'refused', problem: { kind: 'not-found' } });
    expect(group.committed.revision).toBe(2);
  });

  it('that changes nothing makes no revision, but is sure of it', async () => {
    const group = threeAndOne();
    const change = () => group.until(group.service('d').change(set('plant1')));
    await change();
    const outcome = await change();
    expect(outcome).toEqual({ kind: 'settled', settings: group.committed });
    expect(group.committed.revision).toBe(1);
    group.commit((settings) => ({ ...settings, retention: [] }));
    await change();
    expect(prefixes(group.committed)).toEqual(['plant1']);
  });

  it('is edited again when another is faster, and gives up some time', async () => {
    const group = threeAndOne();
    let faster = 3;
    group.beforeDecision = () => {
      if (faster-- > 0) addElsewhere(group, `other${faster}`);
    };
    const outcome = await group.until(group.service('b').change(set('plant1')));
    expect(outcome.kind).toBe('settled');
    expect(prefixes(group.committed)).toEqual(['other0', 'other1', 'other2', 'plant1']);

    faster = Number.POSITIVE_INFINITY;
    let count = 0;
    group.beforeDecision = () => addElsewhere(group, `more${count++}`);
    expect(await group.until(group.service('b').change(set('plant2')))).toEqual({
      kind: 'contended',
    });
  });

  it('beside others of the same node are all made', async () => {
    const group = threeAndOne();
    const changes = ['p1', 'p2', 'p3', 'p4', 'p5'].map((p) => group.service('d').change(set(p)));
    const outcomes = await group.until(Promise.all(changes));
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(5).fill('settled'));
    expect(prefixes(group.committed)).toEqual(['p1', 'p2', 'p3', 'p4', 'p5']);
  });

  it('whose outcome is lost is not made twice, and is no failure', async () => {
    const group = threeAndOne();
    addElsewhere(group, 'plant1');
    group.outcomesToLose = 1;
    const outcome = await group.until(group.service('b').change(remove('plant1')));
    expect(outcome).toEqual({ kind: 'settled', settings: group.committed });
    expect(group.committed.revision).toBe(2);
  });
});

describe('the leader of the meta group', () => {
  it('is found by what others say', async () => {
    const group = threeAndOne();
    group.leader = 'c';
    await group.until(group.service('d').change(set('plant1')));
    expect(group.calls).toEqual(['a', 'c']);
  });

  it('is found although two others name each other', async () => {
    const group = threeAndOne();
    group.leader = 'c';
    group.beliefs.set('a', 'b').set('b', 'a');
    expect((await group.until(group.service('d').change(set('plant1')))).kind).toBe('settled');
    expect(group.calls).toEqual(['a', 'b', 'c']);
  });

  it('is waited for while there is none', async () => {
    const group = threeAndOne();
    group.leader = undefined;
    const change = group.service('d').change(set('plant1'));
    group.world.env.timers.after(2_000, () => {
      group.leader = 'b';
    });
    expect((await group.until(change)).kind).toBe('settled');
  });

  it('may be gone: another node is asked', async () => {
    const group = threeAndOne();
    group.unreachable.add('a');
    group.leader = 'b';
    expect((await group.until(group.service('d').change(set('plant1')))).kind).toBe('settled');
  });

  it.each(['a', 'd'])('does not come within ten seconds: unavailable at %s', async (node) => {
    const group = threeAndOne();
    group.leader = undefined;
    for (const other of ['b', 'c']) group.unreachable.add(other);
    const startMs = group.world.env.clock.monotonicMs();
    const outcome = await group.until(group.service(node).change(set('plant1')));
    expect(outcome).toEqual({ kind: 'unavailable' });
    expect(group.world.env.clock.monotonicMs() - startMs).toBeLessThanOrEqual(10_000);
    expect(group.world.timersPending).toBe(0);
  });
});

describe('a change elsewhere', () => {
  it('reaches nodes of the meta group as it is applied, and whoever listens', () => {
    const group = threeAndOne();
    const heard: number[] = [];
    const cancel = group.service('b').onChange(({ revision }) => heard.push(revision));
    addElsewhere(group, 'plant1');
    addElsewhere(group, 'plant2');
    group.service('b').applied({ ...group.committed, revision: 1 });
    expect(heard).toEqual([1, 2]);
    cancel();
    addElsewhere(group, 'plant3');
    expect(heard).toEqual([1, 2]);
    expect(group.service('b').current).toBe(group.committed);
  });

  it('reaches other nodes from whoever names a higher revision', async () => {
    const group = threeAndOne();
    addElsewhere(group, 'plant1');
    const d = group.service('d');
    d.heardRevision('b', 1);
    d.heardRevision('c', 1);
    await group.until(Promise.resolve());
    expect(group.calls).toEqual(['b']);
    expect(d.current).toEqual(group.committed);
    d.heardRevision('c', 1);
    expect(group.calls).toEqual(['b']);
    // Those who have no replica pass it on as well.
    const e = group.addNode('e');
    e.heardRevision('d', 1);
    await group.until(Promise.resolve());
    expect(e.current).toEqual(group.committed);
  });

  it('is asked for again after a loss', async () => {
    const group = threeAndOne();
    addElsewhere(group, 'plant1');
    group.unreachable.add('b');
    const d = group.service('d');
    d.heardRevision('b', 1);
    group.world.pass(3_000);
    await group.until(Promise.resolve());
    d.heardRevision('c', 1);
    await group.until(Promise.resolve());
    expect(group.calls).toEqual(['b', 'c']);
    expect(d.current.revision).toBe(1);
  });
});

describe('a node that starts', () => {
  it('knows the settings from its own replica', async () => {
    const group = threeAndOne();
    addElsewhere(group, 'plant1');
    const b = group.addNode('b');
    expect(b.isKnown).toBe(true);
    expect(b.current).toBe(group.committed);
    await b.start();
    expect(group.calls).toEqual([]);
  });

  it('asks the nodes of the meta group, until one knows', async () => {
    const group = threeAndOne();
    addElsewhere(group, 'plant1');
    const d = group.addNode('d');
    const heard: Settings[] = [];
    d.onChange((settings) => heard.push(settings));
    expect(d.isKnown).toBe(false);
    for (const node of ['a', 'b', 'c']) group.unreachable.add(node);
    const started = d.start();
    group.world.env.timers.after(12_000, () => group.unreachable.delete('c'));
    await group.until(started);
    expect(d.isKnown).toBe(true);
    expect(heard).toEqual([group.committed]);
  });

  it('knows also that there are no rules', async () => {
    const group = threeAndOne();
    const d = group.service('d');
    let told = 0;
    d.onChange(() => {
      told += 1;
    });
    await group.until(d.start());
    expect([d.isKnown, d.current.revision, told]).toEqual([true, 0, 1]);
  });

  it('learns nothing from one that knows nothing itself', async () => {
    const group = threeAndOne();
    const e = group.addNode('e');
    e.heardRevision('d', 1);
    await group.until(Promise.resolve());
    expect(group.calls).toEqual(['d']);
    expect(e.isKnown).toBe(false);
  });

  it('asks no more when it stops', async () => {
    const group = threeAndOne();
    for (const node of ['a', 'b', 'c']) group.unreachable.add(node);
    const d = group.service('d');
    const started = d.start();
    d.stop();
    await group.until(started);
    expect(d.isKnown).toBe(false);
  });
});

describe('the rules of the configuration file', () => {
  const initial = { retention: [retention('plant1')], ingest: [ingest('a'), ingest('b')] };

  it('begin the settings of a new cluster', async () => {
    const group = threeAndOne();
    await group.until(group.service('a').seed(initial, []));
    expect(group.committed).toEqual({ revision: 1, ...initial, nodes: [], leases: [] });
    expect(group.service('a').current).toEqual(group.committed);
  });

  it('come with the nodes of the genesis', async () => {
    const group = threeAndOne();
    const nodes = [nodeRow('a'), nodeRow('b')];
    await group.until(group.service('a').seed(initial, nodes));
    expect(group.committed).toEqual({ revision: 1, ...initial, nodes, leases: [] });
  });

  it('are taken from the leader, once', async () => {
    const group = threeAndOne();
    await group.until(group.service('b').seed(initial, []));
    expect(group.committed.revision).toBe(0);
    const twice = ['a', 'a'].map((node) => group.service(node).seed(initial, []));
    await group.until(Promise.all(twice));
    expect(group.proposalCount).toBe(1);
  });

  it('do not come back after a change', async () => {
    const group = threeAndOne();
    group.commit((settings) => settings);
    await group.until(group.service('a').seed(initial, []));
    expect(group.committed).toEqual({
      revision: 1,
      retention: [],
      ingest: [],
      nodes: [],
      leases: [],
    });
  });

  it('may be none, which is a decision too', async () => {
    const group = threeAndOne();
    await group.until(group.service('a').seed({}, []));
    expect(group.committed).toEqual({
      revision: 1,
      retention: [],
      ingest: [],
      nodes: [],
      leases: [],
    });
  });

  it('wait until their node knows what was decided before', async () => {
    const group = threeAndOne();
    group.hasCaughtUp = false;
    group.world.env.timers.after(2_000, () => {
      group.hasCaughtUp = true;
    });
    await group.until(group.service('a').seed(initial, []));
    expect(group.committed).toEqual({ revision: 1, ...initial, nodes: [], leases: [] });
    group.hasCaughtUp = false;
    const waiting = group.service('b').seed(initial, []);
    group.service('b').stop();
    await group.until(waiting);
    expect(group.proposalCount).toBe(1);
  });

  it('are proposed again when it is not known what became of them', async () => {
    const group = threeAndOne();
    group.proposalsToDrop = 1;
    await group.until(group.service('a').seed(initial, []));
    expect(group.proposalCount).toBe(2);
    expect(group.committed.ingest).toEqual(initial.ingest);
  });

  it('are left out, with an error, when they are too many', async () => {
    const group = threeAndOne();
    const many = Array.from({ length: 1_001 }, (_, i) => ingest(`r${i}`));
    await group.until(group.service('a').seed({ ingest: many }, []));
    expect(group.committed).toEqual({
      revision: 1,
      retention: [],
      ingest: [],
      nodes: [],
      leases: [],
    });
    expect(group.world.happened.map(({ name }) => name)).toEqual(['initial-rules-refused']);
  });
});
