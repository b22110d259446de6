import { describe, expect, it } from 'vitest';
import { Members } from '../../../node/membership/members.ts';
import { cluster, decode, encode } from '../../../protos/index.ts';
import { FakeEnv } from '../fake-env.ts';

function fixture() {
  const world = new FakeEnv();
  const nodes = ['a', 'b', 'c'].map((node) => ({
    node,
    name: `name-${node}`,
    mqttAddress: `${node}:1883`,
  }));
  const members = new Members({ own: 'a', nodes, clock: world.env.clock });
  const hear = (node: string, skewMs = 0) => {
    const clockMs = world.env.clock.nowMs() + skewMs;
    members.heard(node, decode(cluster.Heartbeat, encode(cluster.Heartbeat, { node, clockMs })));
  };
  return { world, members, hear };
}

describe('the state of a member', () => {
  it('goes from active over suspect to failed while nothing is heard, and back at once', () => {
    const { world, members, hear } = fixture();
    hear('b');
    expect(members.stateOf('b')).toBe('active');
    world.pass(3_999);
    expect(members.stateOf('b')).toBe('active');
    world.pass(1);
    expect(members.stateOf('b')).toBe('suspect');
    world.pass(10_999);
    expect(members.stateOf('b')).toBe('suspect');
    world.pass(1);
    expect(members.stateOf('b')).toBe('failed');
    hear('b');
    expect(members.stateOf('b')).toBe('active');
  });

  it('is unknown at first, and failed if nothing is ever heard', () => {
    const { world, members } = fixture();
    expect(members.stateOf('c')).toBe('unknown');
    world.pass(14_999);
    expect(members.stateOf('c')).toBe('unknown');
    world.pass(1);
    expect(members.stateOf('c')).toBe('failed');
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
    hear('c', 5);
    expect(members.skewed()).toEqual([]);
  });
});
