import { describe, expect, it } from 'vitest';
import { Members } from '../../../node/membership/members.ts';
import { cluster, decode, encode } from '../../../protos/index.ts';
import { FakeEnv } from '../fake-env.ts';
import { nodeRow } from '../settings/node-rows.ts';

function fixture() {
  const world = new FakeEnv();
  const nodes = ['a', 'b', 'c'].map((node) => nodeRow(node, { name: `name-${node}` }));
  const members = new Members({ own: 'a', nodes, clock: world.env.clock });
  const hear = (node: string, skewMs = 0) => {
    const clockMs = world.env.clock.nowMs() + skewMs;
    members.heard(node, decode(cluster.Heartbeat, encode(cluster.Heartbeat, { node, clockMs })));
  };
  /** Time passes, and this node sees it pass. */
  const pass = (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      world.pass(Math.min(left, 1_000));
      hear('a');
    }
  };
  return { world, members, hear, pass };
}

describe('the state of a member', () => {
  it('goes from active over suspect to failed while nothing is heard, and back at once', () => {
    const { pass, members, hear } = fixture();
    hear('b');
    expect(members.stateOf('b')).toBe('active');
    pass(3_500);
    expect(members.stateOf('b')).toBe('active');
    pass(500);
    expect(members.stateOf('b')).toBe('suspect');
    pass(10_999);
    expect(members.stateOf('b')).toBe('suspect');
    pass(1);
    expect(members.stateOf('b')).toBe('failed');
    hear('b');
    expect(members.stateOf('b')).toBe('active');
  });

  it('is unknown at first, and failed if nothing is ever heard', () => {
    const { pass, members } = fixture();
    expect(members.stateOf('c')).toBe('unknown');
    pass(14_999);
    expect(members.stateOf('c')).toBe('unknown');
    pass(1);
    expect(members.stateOf('c')).toBe('failed');
  });

  it('is not worse because this node stood still', () => {
    const { world, pass, members, hear } = fixture();
    hear('b');
    pass(1_000);
    world.pass(3_600_000);
    expect(members.stateOf('b')).toBe('active');
    // What had arrived meanwhile is read now.
    hear('b');
    pass(3_000);
    expect(members.stateOf('b')).toBe('active');
    pass(10_000);
    expect(members.stateOf('b')).toBe('suspect');
  });

  it('is always active for this node, and unknown for a stranger', () => {
    const { world, members, hear } = fixture();
    world.pass(60_000);
    expect(members.stateOf('a')).toBe('active');
    hear('stranger');
    expect(members.stateOf('stranger')).toBe('unknown');
    expect(members.has('stranger')).toBe(false);
    expect(members.list().map(({ node }) => node)).toEqual(['a', 'b', 'c']);
    expect(members.others()).toEqual(['b', 'c']);
  });

  it('is listed with what was heard last', () => {
    const { world, members, hear } = fixture();
    hear('b');
    world.pass(700);
    const [, b, c] = members.list();
    expect(b).toMatchObject({
      name: 'name-b',
      mqttAddress: 'b:1883',
      state: 'active',
      sinceHeardMs: 700,
    });
    expect(c).toMatchObject({ state: 'unknown', sinceHeardMs: undefined, heartbeat: undefined });
    expect(members.nameOf('b')).toBe('name-b');
    expect(members.nameOf('x')).toBe('x');
  });

  it('tells of clocks that are more than a minute apart', () => {
    const { members, hear } = fixture();
    hear('b', 60_000);
    hear('c', -60_001);
    expect(members.skewed()).toEqual([{ node: 'c', skewMs: -60_001 }]);
    const clocks = () => members.list().map(({ clockAheadMs }) => clockAheadMs);
    expect(clocks()).toEqual([undefined, 60_000, -60_001]);
    hear('c', 5);
    expect(members.skewed()).toEqual([]);
    expect(clocks()).toEqual([undefined, 60_000, 5]);
  });
});

describe('the members', () => {
  it('are those of the node table', () => {
    const { members, hear, pass } = fixture();
    hear('b');
    const b = nodeRow('b', { mqttAddress: 'b2:1883' });
    members.follow([nodeRow('a'), b, nodeRow('d', { state: 'joining' })]);
    expect(members.list().map(({ name, mqttAddress }) => [name, mqttAddress])).toEqual([
      ['a', 'a:1883'],
      ['b', 'b2:1883'],
      ['d', 'd:1883'],
    ]);
    expect(members.stateOf('b')).toBe('active');
    expect(members.has('c')).toBe(false);
    expect(members.rowOf('d')?.state).toBe('joining');
    pass(15_000);
    members.follow([nodeRow('a'), nodeRow('b'), nodeRow('d'), nodeRow('e')]);
    expect(members.stateOf('d')).toBe('failed');
    expect(members.stateOf('e')).toBe('unknown');
  });

  it('send nothing to who is dead or gone, unless it can be heard: it must learn that', () => {
    const { members, hear, pass } = fixture();
    hear('b');
    for (const state of ['dead', 'gone'] as const) {
      members.follow([nodeRow('a'), nodeRow('b', { state }), nodeRow('c', { state })]);
      expect(members.has('b')).toBe(false);
      expect(members.others()).toEqual(['b']);
    }
    expect(members.list().map(({ node }) => node)).toEqual(['a']);
    pass(15_000);
    expect(members.others()).toEqual([]);
  });
});
