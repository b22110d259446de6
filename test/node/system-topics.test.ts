import { describe, expect, it } from 'vitest';
import type { SystemFacts } from '../../node/status.ts';
import { SystemTopics } from '../../node/system-topics.ts';
import { FakeEnv } from './fake-env.ts';

const node = (id: string, state = 'active') =>
  ({
    id,
    name: id,
    state,
    mqtt: '',
    http: '',
    leads: 1,
    replicas: 2,
  }) as SystemFacts['nodes'][number];

function fixture() {
  const world = new FakeEnv();
  let facts: SystemFacts = {
    cluster: { id: 'x', state: 'ok' },
    durability: { copies: 1, replicas: 1 },
    nodes: [node('a'), node('b')],
    alerts: [],
  };
  const said: string[] = [];
  const topics = new SystemTopics({
    env: world.env,
    board: {
      publishSystem: (topic, json) => void said.push(`${topic} ${JSON.stringify(json)}`),
      clearSystem: (topic) => void said.push(`${topic} cleared`),
    },
    facts: () => facts,
  });
  topics.start();
  world.turn();
  const become = (change: Partial<SystemFacts>) => {
    facts = { ...facts, ...change };
  };
  return { world, topics, become, taken: () => said.splice(0) };
}

describe('what is said under dss/sys', () => {
  it('is everything at first, and then what has changed', () => {
    const { world, topics, become, taken } = fixture();
    expect(taken()).toEqual([
      'cluster {"id":"x","state":"ok"}',
      'durability {"copies":1,"replicas":1}',
      'nodes/a {"id":"a","name":"a","state":"active","mqtt":"","http":"","leads":1,"replicas":2}',
      'nodes/b {"id":"b","name":"b","state":"active","mqtt":"","http":"","leads":1,"replicas":2}',
    ]);
    topics.changed();
    world.turn();
    expect(taken()).toEqual([]);
    become({ durability: { copies: 2, replicas: 3 } });
    topics.changed();
    topics.changed();
    world.turn();
    expect(taken()).toEqual(['durability {"copies":2,"replicas":3}']);
  });

  it('follows within a second what nobody tells', () => {
    const { world, become, taken } = fixture();
    taken();
    become({ cluster: { id: 'x', state: 'degraded' } });
    world.pass(1_000);
    expect(taken()).toEqual(['cluster {"id":"x","state":"degraded"}']);
  });

  it('is taken back when an alert is over, or a node has gone', () => {
    const { world, become, taken } = fixture();
    const alert = { name: 'node-failed-b', message: 'Nothing is heard of b any more.' };
    become({ alerts: [alert as SystemFacts['alerts'][number]] });
    world.pass(1_000);
    expect(taken().at(-1)).toMatch(/^alerts\/node-failed-b \{/);
    become({ alerts: [], nodes: [node('a')] });
    world.pass(1_000);
    expect(taken()).toEqual(['nodes/b cleared', 'alerts/node-failed-b cleared']);
    world.pass(5_000);
    expect(taken()).toEqual([]);
  });

  it('ends with the node', () => {
    const { world, topics, become, taken } = fixture();
    taken();
    become({ durability: { copies: 2, replicas: 3 } });
    topics.changed();
    topics.stop();
    world.turn();
    world.pass(5_000);
    expect(taken()).toEqual([]);
  });
});
