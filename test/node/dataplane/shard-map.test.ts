import { describe, expect, it } from 'vitest';
import { ShardMap } from '../../../node/dataplane/shard-map.ts';
import { createGenesis } from '../../../node/membership/genesis.ts';

describe('a report of who leads a group', () => {
  it('is news in every newer term, of the same node too: what it was sent before may be lost', () => {
    const nodes = ['a', 'b', 'c'].map((name) => ({ node: name.repeat(16), name, mqttAddress: '' }));
    const map = new ShardMap(
      createGenesis({ clusterId: 'x', nowMs: 1, replicationFactor: 3, shardCount: 1, nodes }),
    );
    const report = (node: string, term: number) =>
      map.report(1, { node: node.repeat(16), term, configurationIndex: 0 });
    expect(report('a', 3)).toBe(true);
    expect(report('a', 3)).toBe(false);
    expect(report('b', 2)).toBe(false);
    expect(map.leaderOf(1)).toBe('a'.repeat(16));
    expect(report('a', 4)).toBe(true);
    expect(report('b', 5)).toBe(true);
    expect(map.candidates(1)[0]).toBe('b'.repeat(16));
  });
});
