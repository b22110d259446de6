import type { Configuration, ReplicaId } from '../../node/raft/types.ts';
import type { SeededRandom } from '../support/random.ts';
import type { TestConfiguration } from './configurations.ts';

/**
 * Some configuration that may follow `current`: learners come and go, or voters are added, removed, promoted,
 * demoted and replaced, all at once. `newcomer` is a replica id that nobody has had.
 */
export function randomChange(
  random: SeededRandom,
  current: Configuration,
  newcomer: ReplicaId | undefined,
): TestConfiguration {
  const { voters, learners } = current;
  const others = newcomer === undefined ? learners : [...learners, newcomer];
  const keep = (ids: readonly ReplicaId[], ratio: number) => ids.filter(() => random.chance(ratio));
  if (random.chance(0.3)) return { voters, outgoing: [], learners: keep(others, 0.7), demoted: [] };
  const next = [...keep(voters, 0.7), ...keep(others, 0.5)].slice(0, 5);
  if (next.length === 0) next.push(random.pick([...voters, ...others]));
  return {
    voters: next,
    outgoing: voters,
    learners: keep(
      others.filter((id) => !next.includes(id)),
      0.7,
    ),
    demoted: keep(
      voters.filter((id) => !next.includes(id)),
      0.3,
    ),
  };
}
