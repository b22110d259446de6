import { describe, expect, it, vi } from 'vitest';
import type { Configuration } from '../../node/raft/types.ts';
import { Cluster } from './cluster.ts';

/** The core of this file counts one majority only while two must agree (Raft §6). The checkers must see it. */
const planted = vi.hoisted(() => ({ counts: 'voters' as 'voters' | 'outgoing' }));

vi.mock('../../node/raft/quorum.ts', async (importOriginal) => {
  const quorum = await importOriginal<typeof import('../../node/raft/quorum.ts')>();
  const one = (configuration: Configuration): Configuration => {
    if (configuration.outgoing.length === 0) return configuration;
    return { ...configuration, voters: configuration[planted.counts], outgoing: [] };
  };
  const quorumValue: typeof quorum.quorumValue = (configuration, reachedBy) =>
    quorum.quorumValue(one(configuration), reachedBy);
  const voteResult: typeof quorum.voteResult = (configuration, voteOf) =>
    quorum.voteResult(one(configuration), voteOf);
  return { ...quorum, quorumValue, voteResult };
});

describe('random histories', () => {
  it.each(['voters', 'outgoing'] as const)(
    'catch a core that counts only the %s of a joint configuration',
    (counts) => {
      planted.counts = counts;
      const runAll = () => {
        for (let seed = 1; seed <= 300; seed++) new Cluster({ seed }).run(1500);
      };
      expect(runAll).toThrow(/is durable on|two leaders|lacks committed|is committed twice/);
    },
  );
});
