import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addNode,
  editNodeTable,
  isRemoved,
  leaveNode,
  NODES_MAX,
  type NodeRow,
  type NodeState,
  nodeTable,
  setNodeAddresses,
  setNodeState,
  setNodeWeight,
} from '../../../node/settings/nodes.ts';
import { type EditResult, EMPTY_SETTINGS, type Settings } from '../../../node/settings/settings.ts';
import { nodeRowFromProto, nodeRowToProto } from '../../../node/settings/settings-codec.ts';
import { nodeRow } from './node-rows.ts';

const NOW = 100;
const joiner = nodeRow('n4', { state: 'joining', sinceMs: NOW });

function withNodes(...nodes: NodeRow[]): Settings {
  return { ...EMPTY_SETTINGS, revision: 5, nodes };
}

const three = withNodes(nodeRow('n1'), nodeRow('n2'), nodeRow('n3'));

function done({ settings, problem }: EditResult): Settings {
  if (settings === undefined) throw new Error(problem.message);
  return settings;
}

function rowOf({ nodes }: Settings, node: string): NodeRow | undefined {
  return nodes.find((row) => row.node === node);
}

describe('the node table', () => {
  const genesis = {
    createdAtMs: 7,
    nodes: [{ node: 'a', name: 'n1', mqttAddress: 'a:1', weight: 2, zone: 'z' }],
  };

  it('is that of the genesis until the settings have one', () => {
    const row = { ...genesis.nodes[0], httpAddress: '', state: 'active', sinceMs: 7 };
    expect(nodeTable(EMPTY_SETTINGS, genesis)).toEqual([row]);
    expect(nodeTable(three, genesis)).toBe(three.nodes);
  });

  it('keeps the first nodes when an edit comes before the first settings', () => {
    const edit = editNodeTable(genesis, (settings) => addNode(settings, joiner));
    expect(done(edit(EMPTY_SETTINGS)).nodes.map(({ node }) => node)).toEqual(['a', 'n4']);
    const nothing = editNodeTable(genesis, (settings) => ({ settings }));
    expect(done(nothing(EMPTY_SETTINGS))).toBe(EMPTY_SETTINGS);
    expect(done(nothing(three))).toBe(three);
  });
});

describe('a node that joins', () => {
  it('gets a row', () => {
    const settings = done(addNode(three, joiner));
    expect(settings.nodes).toEqual([...three.nodes, joiner]);
  });

  it('that asks again, as its answer was lost, changes nothing but what it was told since', () => {
    const once = done(addNode(three, joiner));
    expect(done(addNode(once, { ...joiner, sinceMs: NOW + 9 }))).toBe(once);
    const active = done(setNodeState(once, 'n4', 'active', NOW + 1));
    const moved = done(addNode(active, { ...joiner, mqttAddress: 'elsewhere:1', zone: 'z' }));
    expect(rowOf(moved, 'n4')).toEqual({
      ...joiner,
      ...{ mqttAddress: 'elsewhere:1', zone: 'z', state: 'active', sinceMs: NOW + 1 },
    });
    expect(addNode(once, { ...joiner, name: 'n2' }).problem?.kind).toBe('name-taken');
  });

  it('is refused under a name that is taken; the sentence names --replace', () => {
    const { problem } = addNode(three, { ...joiner, name: 'n2' });
    expect(problem?.kind).toBe('name-taken');
    expect(problem?.message).toContain('--replace n2');
  });

  it('takes the place of another one, which is dead at once', () => {
    const settings = done(addNode(three, { ...joiner, name: 'n2' }, { name: 'n2' }));
    expect(rowOf(settings, 'n2')).toMatchObject({ state: 'dead', sinceMs: NOW });
    expect(rowOf(settings, 'n4')).toMatchObject({ name: 'n2', state: 'joining' });
    expect(done(addNode(settings, { ...joiner, name: 'n2' }, { name: 'n2' }))).toBe(settings);
    expect(addNode(three, joiner, { name: 'n9' }).problem?.kind).toBe('not-found');
  });

  it('takes the place that it had itself, with what people have decided about it', () => {
    const weighted = withNodes(nodeRow('n1'), nodeRow('n2', { weight: 3 }), nodeRow('n3'));
    const anew = { ...joiner, name: 'n2' };
    const settings = done(addNode(weighted, anew, { node: 'n2' }));
    expect(rowOf(settings, 'n2')).toMatchObject({ state: 'dead', sinceMs: NOW });
    expect(rowOf(settings, 'n4')).toMatchObject({ name: 'n2', state: 'joining', weight: 3 });
    expect(done(addNode(settings, anew, { node: 'n2' })), 'asked again').toBe(settings);
    const leaving = done(leaveNode(weighted, 'n2', NOW));
    expect(rowOf(done(addNode(leaving, anew, { node: 'n2' })), 'n4')?.state).toBe('leaving');
  });

  it('never takes the place that somebody else has been given', () => {
    const replacedBefore = withNodes(
      nodeRow('n1'),
      nodeRow('old', { name: 'n2', state: 'dead' }),
      nodeRow('n3', { name: 'n2' }),
    );
    for (const node of ['old', 'unknown']) {
      const { problem } = addNode(replacedBefore, { ...joiner, name: 'n2' }, { node });
      expect(problem?.kind).toBe('node-removed');
      expect(problem?.message).toContain('empty data directory');
    }
    const otherName = addNode(three, { ...joiner, name: 'n3' }, { node: 'n2' });
    expect(otherName.problem?.kind).toBe('name-taken');
  });

  it('may have the name of one that is dead or gone', () => {
    for (const state of ['dead', 'gone'] as const) {
      const settings = withNodes(nodeRow('n1'), nodeRow('n2', { state }));
      expect(done(addNode(settings, { ...joiner, name: 'n2' })).nodes).toHaveLength(3);
    }
  });

  it.each(['leaving', 'dead', 'gone'] as const)(
    'is refused under the id of one that is %s',
    (state) => {
      const settings = withNodes(nodeRow('n1'), nodeRow('n4', { state }));
      expect(addNode(settings, { ...joiner, name: 'n5' }).problem?.kind).toBe('node-removed');
    },
  );

  it('is refused when there are enough, and let in for one of them', () => {
    const many = Array.from({ length: NODES_MAX }, (_, i) => nodeRow(`m${i}`));
    const full = withNodes(
      ...many,
      nodeRow('x', { state: 'dead' }),
      nodeRow('y', { state: 'gone' }),
    );
    expect(addNode(full, joiner).problem?.kind).toBe('too-many-nodes');
    expect(done(addNode(full, joiner, { name: 'm3' })).nodes).toHaveLength(13);
  });
});

describe('the state of a node', () => {
  const may: Record<NodeState, readonly NodeState[]> = {
    joining: ['active', 'leaving', 'dead', 'gone'],
    active: ['leaving', 'dead', 'gone'],
    leaving: ['dead', 'gone'],
    dead: ['gone'],
    gone: [],
  };
  const states = Object.keys(may) as NodeState[];

  it.each(states)('leads from %s to what may follow, and nowhere else', (from) => {
    const settings = withNodes(nodeRow('n1'), nodeRow('n2', { state: from }));
    for (const to of states) {
      const result = setNodeState(settings, 'n2', to, NOW);
      if (to === from) expect(result.settings).toBe(settings);
      else if (!may[from].includes(to)) expect(result.problem?.kind).toBe('node-removed');
      else expect(rowOf(done(result), 'n2')).toMatchObject({ state: to, sinceMs: NOW });
    }
    expect(setNodeState(settings, 'n9', 'gone', NOW).problem?.kind).toBe('not-found');
  });

  it('says of one that is gone whether it had left, also once it is written and read', () => {
    const goneFrom = (state: NodeState) => {
      const settings = withNodes(nodeRow('n1'), nodeRow('n2', { state }));
      const row = rowOf(done(setNodeState(settings, 'n2', 'gone', NOW)), 'n2') as NodeRow;
      return nodeRowFromProto(nodeRowToProto(row)).hasLeft;
    };
    expect(goneFrom('leaving')).toBe(true);
    expect(goneFrom('dead')).toBeUndefined();
  });

  it('is leaving when it is told to go, but for the last one that stays', () => {
    const two = done(leaveNode(three, 'n1', NOW));
    expect(rowOf(two, 'n1')).toMatchObject({ state: 'leaving', sinceMs: NOW });
    expect(done(leaveNode(two, 'n1', NOW + 1))).toBe(two);
    const one = done(leaveNode(two, 'n2', NOW));
    expect(leaveNode(one, 'n3', NOW).problem?.kind).toBe('last-node');
    expect(done(leaveNode(one, 'n2', NOW))).toBe(one);
    expect(leaveNode(three, 'n9', NOW).problem?.kind).toBe('not-found');
  });

  it('keeps the hundred nodes that went last', () => {
    const gone = Array.from({ length: 100 }, (_, i) =>
      nodeRow(`g${i}`, { state: 'gone', sinceMs: i }),
    );
    const full = withNodes(...gone, nodeRow('n1'), nodeRow('n2', { state: 'dead' }));
    const { nodes } = done(setNodeState(full, 'n2', 'gone', NOW));
    expect(nodes).toHaveLength(101);
    expect(nodes.map(({ node }) => node)).not.toContain('g0');
  });
});

it('addresses and weights can be changed', () => {
  const addresses = { mqttAddress: 'new:1', httpAddress: 'new:2' };
  expect(rowOf(done(setNodeAddresses(three, 'n2', addresses)), 'n2')).toMatchObject(addresses);
  expect(setNodeAddresses(three, 'n9', addresses).problem?.kind).toBe('not-found');
  expect(rowOf(done(setNodeWeight(three, 'n2', 2.5)), 'n2')?.weight).toBe(2.5);
  expect(done(setNodeWeight(three, 'n2', 1))).toBe(three);
  expect(setNodeWeight(three, 'n9', 1).problem?.kind).toBe('not-found');
});

it('whatever is edited, names stay unique and nobody comes back', () => {
  const node = fc.integer({ min: 1, max: 15 }).map((i) => `n${i}`);
  const replaced = fc.oneof(
    node.map((name) => ({ name })),
    node.map((id) => ({ node: id })),
  );
  const state = fc.constantFrom<NodeState>('joining', 'active', 'leaving', 'dead', 'gone');
  const edit = fc.oneof(
    fc.tuple(node, node, fc.option(replaced, { nil: undefined })).map(
      ([id, name, replace]) =>
        (settings: Settings) =>
          addNode(settings, nodeRow(id, { name, state: 'joining' }), replace),
    ),
    fc.tuple(node, state).map(
      ([id, next]) =>
        (settings: Settings) =>
          setNodeState(settings, id, next, NOW),
    ),
    node.map((name) => (settings: Settings) => leaveNode(settings, name, NOW)),
  );
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 60 }), (edits) => {
      let settings = three;
      for (const each of edits) {
        const before = settings;
        settings = each(settings).settings ?? settings;
        const counting = settings.nodes.filter((row) => !isRemoved(row));
        expect(new Set(counting.map(({ name }) => name)).size).toBe(counting.length);
        expect(new Set(settings.nodes.map((row) => row.node)).size).toBe(settings.nodes.length);
        expect(counting.length).toBeLessThanOrEqual(NODES_MAX);
        for (const row of before.nodes.filter(isRemoved)) {
          expect(rowOf(settings, row.node)?.state).toMatch(
            row.state === 'gone' ? 'gone' : /dead|gone/,
          );
        }
      }
    }),
  );
});
